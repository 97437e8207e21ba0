package io.hammer2.fs.simulation;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.CrashRecording;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.testing.Borrowed;
import java.io.IOException;
import java.util.List;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The power fails while a file system grows: it is as large as before or as large as it was to be, and whole. */
class GrowthCrashTest {
    private static final long MIB = 1 << 20;
    private static final int SEEDED_PER_POINT = 4;
    private static final MountOptions OPTIONS = MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {});
    private static final String GROWN = "grown";

    @ParameterizedTest
    @CsvSource({"64, 512", "1000, 1024", "1024, 1032", "1904, 7000", "2048, 2064"})
    void either_size_and_whole(long beforeMib, long afterMib) throws Exception {
        assertTrue(statesOf(beforeMib * MIB, afterMib * MIB, flush -> false) > 100);
    }

    /** Without any flush the header arrives before what it refers to. */
    @Test
    void control_a_forgotten_flush_is_found() {
        assertThrows(AssertionError.class, () -> statesOf(64 * MIB, 512 * MIB, flush -> true));
    }

    /** @return how many states there were */
    private static long statesOf(long before, long after, IntPredicate ignoredFlushes) throws Exception {
        try (MemoryBlockDevice base = Volumes.formatted(before, before)) {
            base.enlarge(after);
            CrashRecording recording = new CrashRecording(base, 512, 64 * MIB);
            recording.ignoreFlushes(ignoredFlushes);
            try (MemoryBlockDevice live = MemoryBlockDevice.over(base);
                    World world = new World(2, before)) {
                world.mountReordered(live, device -> new RecordingBlockDevice(device, recording), OPTIONS);
                make(world, "before");
                world.volume().grow(0);
                recording.mark(GROWN);
                make(world, "after");
            }
            List<CrashState> states =
                    recording.crashes(before, SEEDED_PER_POINT).toList();
            for (CrashState state : states) {
                inspect(state, before, after);
            }
            recording.close();
            return states.size();
        }
    }

    private static void inspect(CrashState state, long before, long after) throws Exception {
        try (BlockDevice device = state.open();
                World world = new World(1, 1)) {
            Volumes.requireCleanAfterCrash(List.of(device));
            world.mount(new Borrowed(device), OPTIONS);
            long size = world.volume().info().sizeBytes();
            boolean mustHaveGrown = state.marks().contains(GROWN);
            if (size != after && (mustHaveGrown || size != before)) {
                throw new AssertionError("it has " + size + " bytes");
            }
            world.volume().grow(0);
            make(world, "after the crash");
            world.unmount();
            Volumes.requireCleanAfterCrash(List.of(device));
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError(state + ": " + e, e);
        }
    }

    private static void make(World world, String name) {
        world.inside(() -> {
            Posix fs = world.fs();
            long inum = fs.create(FileSystem.ROOT_INUM, name, NewInode.of(FileType.REGULAR, 0600, 1, 1))
                    .inum();
            byte[] content = new byte[150_000];
            java.util.Arrays.fill(content, (byte) name.length());
            fs.write(inum, 0, content, 0);
            fs.fsync(inum);
            return null;
        });
    }
}
