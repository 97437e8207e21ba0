package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/** A file system that a command opens for itself, to change it without a mount. */
final class OpenedVolume {
    private OpenedVolume() {}

    /** What is to be done with it. */
    @FunctionalInterface
    interface Work<T> {
        T on(Hammer2 volume) throws Hammer2Exception;
    }

    /**
     * Opens the devices of {@code special}, does something, commits and closes.
     *
     * @param log takes a line for each thing that should be known
     * @throws ToolException when they cannot be opened to write: in use, protected
     * @throws Hammer2Exception when they are no file system, or what is done fails
     */
    static <T> T with(String special, Consumer<String> log, Work<T> work) throws Hammer2Exception {
        List<BlockDevice> devices;
        try {
            devices = BlockDevices.openAll(special, OpenMode.READ_WRITE);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
        try (Lwkt lwkt = Lwkt.dedicated(1)) {
            boolean opened = false;
            try (Hammer2 volume =
                    Hammer2.open(lwkt, devices, MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log))) {
                opened = true;
                return work.on(volume);
            } finally {
                if (!opened) {
                    devices.forEach(InspectedVolume::closeQuietly);
                }
            }
        }
    }
}
