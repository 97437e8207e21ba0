package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.blockdev.OpenMode;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.util.List;
import java.util.Locale;

/** Opens what is to be mounted, with words for who finds it protected. */
final class MountDevices {
    private MountDevices() {}

    /**
     * @throws DeviceBusyException when somebody else has it open in a way that excludes this
     * @throws ToolException with what else is wrong and what to do
     */
    static List<BlockDevice> open(String special, boolean writable) throws DeviceBusyException {
        OpenMode mode = writable ? OpenMode.READ_WRITE : OpenMode.READ_ONLY;
        try {
            return BlockDevices.openAll(special, mode);
        } catch (DeviceBusyException e) {
            throw e;
        } catch (IOException e) {
            boolean protectedOnly = writable && isWriteProtection(e);
            throw new ToolException(
                    IoText.of(e) + (protectedOnly ? "; what cannot be written is mounted with -o ro" : ""), e);
        }
    }

    /** By their words: a file system's and a device's are of no type of their own. */
    private static boolean isWriteProtection(IOException e) {
        String said = e.getMessage() == null ? "" : e.getMessage().toLowerCase(Locale.ROOT);
        return e instanceof AccessDeniedException || said.contains("read-only") || said.contains("write-protected");
    }
}
