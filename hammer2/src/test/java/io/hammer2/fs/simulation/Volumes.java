package io.hammer2.fs.simulation;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.fsck.FsckResult;
import io.hammer2.fs.fsck.ProblemCode;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsException;
import io.hammer2.fs.newfs.NewfsOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;

/** Makes volumes in memory, and checks them. */
final class Volumes {
    private static final long MADE_MICROS = 1_700_000_000_000_000L;
    private static final FsckOptions OPTIONS =
            FsckOptions.DEFAULT.withDeep(true).withFindPaths(false).withReportsPerCodeMax(5);

    private Volumes() {}

    static MemoryBlockDevice formatted(long bytes, long seed) throws IOException {
        return formatted(Layout.single(bytes), seed);
    }

    static MemoryBlockDevice formatted(Layout layout, long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryBlockDevice device = new MemoryBlockDevice(layout.totalBytes());
        NewfsOptions defaults =
                NewfsOptions.defaults(MADE_MICROS, () -> new UUID(random.nextLong(), random.nextLong()));
        try {
            Newfs.format(
                    layout.on(device),
                    new NewfsOptions(
                            defaults.version(),
                            layout.bootBytes(),
                            layout.auxBytes(),
                            defaults.labels(),
                            defaults.nowMicros(),
                            defaults.uuids()));
            return device;
        } catch (NewfsException e) {
            throw new IllegalArgumentException(e);
        }
    }

    static FsckResult requireClean(BlockDevice device) {
        return requireClean(List.of(device));
    }

    /** Fails unless all is well on what was written as it should be. */
    static FsckResult requireClean(List<BlockDevice> volumes) {
        List<String> found = new ArrayList<>();
        FsckResult result = Fsck.check(volumes, OPTIONS, finding -> found.add(finding.toString()));
        if (result.outcome() != FsckResult.Outcome.CLEAN) {
            throw new AssertionError(text(result, found));
        }
        return result;
    }

    static void requireCleanAfterCrash(BlockDevice device) {
        requireCleanAfterCrash(List.of(device));
    }

    /** Fails unless all is well but for copies of the header that the crash has torn. */
    static void requireCleanAfterCrash(List<BlockDevice> volumes) {
        List<String> found = new ArrayList<>();
        FsckResult result =
                Fsck.check(volumes, OPTIONS.withBestHeaderOnly(true), finding -> found.add(finding.toString()));
        long torn = result.problemCounts().getOrDefault(ProblemCode.VOLHDR, 0L);
        if (result.outcome() != FsckResult.Outcome.CLEAN
                && (result.outcome() != FsckResult.Outcome.PROBLEMS || result.problemCount() != torn)) {
            throw new AssertionError(text(result, found));
        }
    }

    private static String text(FsckResult result, List<String> found) {
        return result.outcome() + " " + result.unusable() + " " + result.problemCounts() + "\n"
                + String.join("\n", found);
    }
}
