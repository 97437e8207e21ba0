package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.blockdev.OpenMode;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.util.List;
import java.util.Locale;

/** Opens what is to be mounted, with words for who finds it in use or protected. */
final class MountDevices {
    /** After umount(8) returned, the server of the last mount still needs a moment to let go of the devices. */
    private static final int BUSY_RETRIES = 20;

    private static final long BUSY_RETRY_MILLIS = 100;

    private MountDevices() {}

    static List<BlockDevice> open(String special, boolean writable) {
        OpenMode mode = writable ? OpenMode.READ_WRITE : OpenMode.READ_ONLY;
        for (int tries = 0; ; tries++) {
            try {
                return BlockDevices.openAll(special, mode);
            } catch (DeviceBusyException e) {
                if (tries == BUSY_RETRIES) {
                    throw new ToolException(
                            e.getMessage() + (writable ? "; unmount it there, or mount both with -o ro" : ""), e);
                }
                pause();
            } catch (IOException e) {
                boolean protectedOnly = writable && isWriteProtection(e);
                throw new ToolException(
                        IoText.of(e) + (protectedOnly ? "; what cannot be written is mounted with -o ro" : ""), e);
            }
        }
    }

    /** By their words: a file system's and a device's are of no type of their own. */
    private static boolean isWriteProtection(IOException e) {
        String said = e.getMessage() == null ? "" : e.getMessage().toLowerCase(Locale.ROOT);
        return e instanceof AccessDeniedException || said.contains("read-only") || said.contains("write-protected");
    }

    private static void pause() {
        try {
            Thread.sleep(BUSY_RETRY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException("interrupted", e);
        }
    }
}
