package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.VolumeSet.Member;
import io.hammer2.blockdev.testing.CrashKind;
import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Fault;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A set of an image file and memory, whose seams lie where the contract's requests cross them. */
class VolumeSetTest extends BlockDeviceContract {
    private static final long FIRST = SIZE_MIN - (1 << 20) - 13;

    @TempDir
    Path folder;

    @Override
    BlockDevice create() throws IOException {
        Path image = folder.resolve("image");
        FileBlockDeviceTest.sparse(image, FIRST + 100);
        return VolumeSet.of(List.of(
                new Member(new MemoryBlockDevice(1 << 20), FIRST + 1000, 1 << 20),
                new Member(new MemoryBlockDevice(1000), FIRST, 1000),
                new Member(BlockDevices.open(image, OpenMode.READ_WRITE), 0, FIRST)));
    }

    @Test
    void a_byte_of_no_device_is_refused_with_the_whole_request() throws Exception {
        BlockDevice first = new MemoryBlockDevice(4096);
        BlockDevice second = new MemoryBlockDevice(4096);
        try (BlockDevice gap = VolumeSet.of(List.of(new Member(first, 0, 4096), new Member(second, 8192, 4096)))) {
            MemorySegment segment = filled(8192, 1);
            IOException refusal = outcome(done -> gap.write(0, segment, done));
            assertTrue(refusal.getMessage().contains("no device at offset 4096"), refusal.getMessage());
            assertNotNull(outcome(done -> gap.read(4096, segment.asSlice(0, 4096), done)));
            assertEquals(-1, segment.mismatch(filled(8192, 1)));
            assertNull(outcome(done -> gap.read(0, segment.asSlice(0, 4096), done)));
            assertEquals(-1, segment.asSlice(0, 4096).mismatch(filled(4096, 0)));
        }
    }

    @Test
    void impossible_sets_are_refused() {
        BlockDevice device = new MemoryBlockDevice(4096);
        assertThrows(IOException.class, () -> VolumeSet.of(List.of()));
        assertThrows(IOException.class, () -> VolumeSet.of(List.of(new Member(device, 0, 4097))));
        assertThrows(IOException.class, () -> VolumeSet.of(List.of(new Member(device, 0, 0))));
        assertThrows(IOException.class, () -> VolumeSet.of(List.of(new Member(device, -1, 4096))));
        assertThrows(IOException.class, () -> VolumeSet.of(List.of(new Member(device, Long.MAX_VALUE - 10, 4096))));
        assertThrows(
                IOException.class,
                () -> VolumeSet.of(List.of(new Member(device, 0, 4096), new Member(device, 4095, 4096))));
    }

    @Test
    void large_offsets_reach_the_right_device() throws Exception {
        long half = 1L << 40;
        try (Arena arena = Arena.ofShared();
                BlockDevice large = VolumeSet.of(List.of(
                        new Member(new MemoryBlockDevice(half), 0, half),
                        new Member(new MemoryBlockDevice(half), half, half)))) {
            assertEquals(2 * half, large.sizeBytes());
            MemorySegment text = arena.allocateFrom("across the seam");
            assertNull(outcome(done -> large.write(half - 5, text, done)));
            MemorySegment back = arena.allocate(16);
            assertNull(outcome(done -> large.read(half - 5, back, done)));
            assertEquals("across the seam", back.getString(0));
        }
    }

    @Test
    void a_flush_reaches_every_device_and_fails_when_one_does() throws Exception {
        RecordingBlockDevice first = RecordingBlockDevice.over(new MemoryBlockDevice(4096));
        RecordingBlockDevice second = RecordingBlockDevice.over(new MemoryBlockDevice(4096));
        FaultyBlockDevice faulty = new FaultyBlockDevice(second, 1, Faults.NONE);
        try (BlockDevice set = VolumeSet.of(List.of(new Member(first, 0, 4096), new Member(faulty, 4096, 4096)))) {
            assertNull(outcome(done -> set.write(0, filled(8192, 1), done)));
            assertNull(outcome(set::flush));
            for (RecordingBlockDevice each : List.of(first, second)) {
                assertEquals(2, each.recording().points() - 1);
                try (BlockDevice crashed =
                                each.recording().crash(2, CrashKind.NONE, 0).open();
                        Arena arena = Arena.ofShared()) {
                    MemorySegment back = arena.allocate(4096);
                    crashed.readFully(0, back);
                    assertArrayEquals(new long[] {-1}, new long[] {back.mismatch(filled(4096, 1))});
                }
            }
            faulty.alwaysAt(Fault.FLUSH_ERROR, 0, 1);
            assertNotNull(outcome(set::flush));
            assertEquals(2, first.recording().flushes());
        }
        first.recording().close();
        second.recording().close();
    }

    @Test
    void closing_closes_every_device() throws Exception {
        BlockDevice first = new MemoryBlockDevice(4096);
        BlockDevice second = new MemoryBlockDevice(4096);
        VolumeSet.of(List.of(new Member(first, 0, 4096), new Member(second, 4096, 4096)))
                .close();
        assertNotNull(outcome(first::flush));
        assertNotNull(outcome(second::flush));
    }
}
