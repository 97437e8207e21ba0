package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

/** Bulkfree of a target: asked of who has it mounted, or done here. */
final class SpaceReturn {
    private SpaceReturn() {}

    /**
     * @param log takes a line for each thing that should be known
     * @return bytes that were freed
     */
    static long of(Target target, long memoryBytes, Consumer<String> log) {
        return switch (target) {
            case Target.Mounted mounted -> {
                try (MountedFile file = MountedFile.open(mounted.path())) {
                    yield new BulkfreeIoctls(file).run(memoryBytes);
                }
            }
            case Target.Devices devices -> {
                BulkFreeResult result = unmounted(devices.special(), memoryBytes, log);
                if (result.damageCount() > 0) {
                    throw new ToolException(
                            devices.special() + ": " + result.damageCount() + " damaged tables; nothing was freed");
                }
                yield result.freedBytes();
            }
        };
    }

    private static BulkFreeResult unmounted(String special, long memoryBytes, Consumer<String> log) {
        List<BlockDevice> devices = open(special);
        try (Lwkt lwkt = Lwkt.dedicated(1)) {
            boolean opened = false;
            try (Hammer2 volume =
                    Hammer2.open(lwkt, devices, MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log))) {
                opened = true;
                return volume.bulkfree(memoryBytes);
            } finally {
                if (!opened) {
                    devices.forEach(InspectedVolume::closeQuietly);
                }
            }
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        }
    }

    private static List<BlockDevice> open(String special) {
        try {
            return BlockDevices.openAll(special, OpenMode.READ_WRITE);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
    }
}
