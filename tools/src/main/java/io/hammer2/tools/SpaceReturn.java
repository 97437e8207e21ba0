package io.hammer2.tools;

import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.freemap.BulkFreeResult;
import java.util.function.Consumer;

/** Bulkfree of a target: asked of who has it mounted, or done here. */
final class SpaceReturn {
    private SpaceReturn() {}

    /**
     * @param progress shows how far it is
     * @param log takes a line for each thing that should be known
     * @return bytes that were freed
     */
    static long of(Target target, long memoryBytes, Progress progress, Consumer<String> log) {
        return switch (target) {
            case Target.Mounted mounted -> {
                try (MountedFile file = MountedFile.open(mounted.path());
                        MountedFile other = MountedFile.open(mounted.path());
                        PercentPoll poll =
                                PercentPoll.start(progress, target.name(), new BulkfreeIoctls(other)::percent)) {
                    assert poll != null;
                    yield new BulkfreeIoctls(file).run(memoryBytes);
                }
            }
            case Target.Devices devices -> {
                BulkFreeResult result = unmounted(devices.special(), memoryBytes, progress, log);
                if (result.damageCount() > 0) {
                    throw new ToolException(
                            devices.special() + ": " + result.damageCount() + " damaged tables; nothing was freed");
                }
                yield result.freedBytes();
            }
        };
    }

    private static BulkFreeResult unmounted(String special, long memoryBytes, Progress progress, Consumer<String> log) {
        try {
            return OpenedVolume.with(special, log, volume -> {
                try (PercentPoll poll = PercentPoll.start(progress, special, () -> percentOf(volume))) {
                    assert poll != null;
                    return volume.bulkfree(memoryBytes);
                }
            });
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        }
    }

    private static int percentOf(Hammer2 volume) {
        try {
            return volume.bulkfreePercent();
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        }
    }
}
