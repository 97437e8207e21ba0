package io.hammer2.fs.volume;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Fault;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HeadersTest {
    private static final long SMALL = 64L << 20;
    private static final long FIRST_TID = 16;
    private static final int COMMITS = 5;

    private static MemoryBlockDevice formatted(long sizeBytes, long seed) throws Exception {
        Random random = new Random(seed);
        MemoryBlockDevice device = new MemoryBlockDevice(sizeBytes);
        Newfs.format(List.of(device), NewfsOptions.defaults(0, () -> new UUID(random.nextLong(), random.nextLong())));
        return device;
    }

    /** Commits {@code count} times with ids that follow the last; as after a mount. */
    private static void commit(BlockDevice device, int count) throws Exception {
        HeaderChoice choice = HeaderChoice.of(device);
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            lwkt.run(0, () -> {
                Headers headers = new Headers(device, choice);
                for (int i = 0; i < count; i++) {
                    headers.commit(next(headers.committed()));
                    if (device instanceof RecordingBlockDevice recorded) {
                        recorded.recording().mark(headers.committed().mirrorTid());
                    }
                }
                return null;
            });
        }
    }

    /** The reference to the super-root differs, as it does in every real commit. */
    private static Headers.Contents next(VolumeHeader last) {
        long mirrorTid = last.mirrorTid() + 1;
        BlockRef superRoot = last.superRootBlockSet().ref(0).toBuilder()
                .tids(mirrorTid, mirrorTid)
                .build();
        return new Headers.Contents(mirrorTid, superRoot, BlockTable.empty(4), last.allocatorFree());
    }

    private static VolumeHeader read(BlockDevice device, long offset) throws IOException {
        VolumeHeader header = new VolumeHeader(MemorySegment.ofArray(new byte[Limits.VOLUME_HEADER_BYTES]));
        device.readFully(offset, header.bytes());
        return header;
    }

    private static void flipByte(BlockDevice device, long offset) throws IOException {
        MemorySegment one = MemorySegment.ofArray(new byte[1]);
        device.readFully(offset, one);
        one.set(ValueLayout.JAVA_BYTE, 0, (byte) ~one.get(ValueLayout.JAVA_BYTE, 0));
        device.writeFully(offset, one);
    }

    @ParameterizedTest
    @CsvSource({"64,1", "2048,1", "2056,2", "4096,2", "4104,3", "8192,4", "16384,4"})
    void commits_go_round_the_copies_that_the_volume_has_room_for(long mib, int copies) throws Exception {
        try (MemoryBlockDevice device = formatted(mib << 20, 1)) {
            for (int i = 1; i <= 2 * copies + 1; i++) {
                commit(device, 1);
                assertEquals(
                        FIRST_TID + i,
                        read(device, VolumeHeader.copyOffset(i % copies)).mirrorTid());
            }
            List<String> problems = new ArrayList<>();
            Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
                if (finding.severity() == Finding.Severity.PROBLEM) {
                    problems.add(finding.text());
                }
            });
            assertEquals(List.of(), problems);
            // Where there are several copies the aux area stays what newfs made of it.
            VolumeHeader spare = read(device, HeaderChoice.of(device).header().auxBeg());
            assertEquals(copies == 1 ? null : VolumeHeader.ALL_ZERO, spare.defect());
        }
    }

    @Test
    void a_commit_changes_what_moves_and_nothing_else() throws Exception {
        try (MemoryBlockDevice device = formatted(SMALL, 2)) {
            VolumeHeader before = read(device, 0);
            commit(device, 1);
            VolumeHeader after = read(device, 0);
            assertEquals(FIRST_TID + 1, after.freemapTid());
            before.setTids(FIRST_TID + 1, FIRST_TID + 1);
            before.superRootBlockSet().set(0, after.superRootBlockSet().ref(0));
            before.updateCrcs();
            assertEquals(-1, before.bytes().mismatch(after.bytes()));
        }
    }

    /** How many crash states of commits have no header, or not the one that was promised. */
    private static int lost(MemoryBlockDevice initial, IntPredicate ignoredFlushes) throws Exception {
        int lost = 0;
        Set<Long> seen = new HashSet<>();
        RecordingBlockDevice device = RecordingBlockDevice.over(initial);
        device.recording().ignoreFlushes(ignoredFlushes);
        try (var recording = device.recording()) {
            long first = HeaderChoice.of(device).header().mirrorTid();
            commit(device, COMMITS);
            for (CrashState crash : recording.crashes(7, 60).toList()) {
                long promised =
                        crash.marks().isEmpty() ? first : (long) crash.marks().getLast();
                try (BlockDevice after = crash.open()) {
                    HeaderChoice choice = HeaderChoice.of(after);
                    long found = choice.header().mirrorTid();
                    seen.add(found);
                    // A mount goes on from there, and its own commit must be the newest.
                    commit(after, 1);
                    long next = HeaderChoice.of(after).header().mirrorTid();
                    lost += found < promised || found > promised + 1 || next != found + 1 ? 1 : 0;
                } catch (VolumeException e) {
                    lost++;
                }
            }
            assertTrue(seen.size() >= COMMITS, seen.toString());
        }
        device.close();
        return lost;
    }

    @ParameterizedTest
    @CsvSource({"64", "2056", "8192"})
    void a_crash_at_any_point_leaves_the_promised_commit_or_the_next(long mib) throws Exception {
        try (MemoryBlockDevice device = formatted(mib << 20, 3)) {
            assertEquals(0, lost(device, flush -> false));
        }
    }

    @Test
    void control_a_lost_flush_of_the_spare_copy_loses_commits() throws Exception {
        try (MemoryBlockDevice device = formatted(SMALL, 3)) {
            assertTrue(lost(device, flush -> flush % 2 == 0) > 0);
        }
    }

    @Test
    void the_only_valid_copy_is_not_written_while_it_is_the_only_one() throws Exception {
        try (MemoryBlockDevice device = formatted(SMALL, 4)) {
            commit(device, 1);
            flipByte(device, 0x9000);
            assertTrue(HeaderChoice.of(device).isSpare());
            assertEquals(0, lost(device, flush -> false));
        }
    }

    @Test
    void the_spare_copy_counts_only_while_the_one_in_place_is_damaged() throws Exception {
        try (MemoryBlockDevice device = formatted(SMALL, 5)) {
            VolumeHeader old = read(device, 0);
            commit(device, 1);
            device.writeFully(0, old.bytes());
            HeaderChoice choice = HeaderChoice.of(device);
            assertEquals(FIRST_TID, choice.header().mirrorTid());
            assertFalse(choice.isSpare());
            flipByte(device, 0x230);
            choice = HeaderChoice.of(device);
            assertTrue(choice.isSpare());
            assertEquals(FIRST_TID + 1, choice.header().mirrorTid());
            assertEquals(1, choice.warnings().size());
            assertTrue(choice.warnings().getFirst().contains("spare copy"), choice.toString());
            commit(device, 1);
            assertFalse(HeaderChoice.of(device).isSpare());
        }
    }

    @Test
    void the_checker_goes_by_the_spare_copy_as_a_mount_does() throws Exception {
        try (MemoryBlockDevice device = formatted(SMALL, 6)) {
            commit(device, 3);
            flipByte(device, 0x9000);
            List<String> problems = new ArrayList<>();
            var result = Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
                if (finding.severity() == Finding.Severity.PROBLEM) {
                    problems.add(finding.code().word());
                }
            });
            assertEquals(List.of("volhdr"), problems);
            assertEquals(FIRST_TID + 3, result.fileSystem().mirrorTid());
        }
    }

    @Test
    void a_volume_that_something_else_has_overwritten_does_not_come_back() throws Exception {
        try (MemoryBlockDevice device = formatted(SMALL, 7)) {
            commit(device, 1);
            device.writeFully(0, MemorySegment.ofArray(new byte[4096]));
            assertThrows(VolumeException.class, () -> HeaderChoice.of(device));
        }
    }

    @Test
    void a_spare_copy_of_another_file_system_is_not_used() throws Exception {
        try (MemoryBlockDevice device = formatted(SMALL, 8);
                MemoryBlockDevice other = formatted(SMALL, 9)) {
            commit(other, 1);
            VolumeHeader spare = read(other, read(other, 0).auxBeg());
            assertEquals(null, spare.defect());
            device.writeFully(spare.auxBeg(), spare.bytes());
            flipByte(device, 0x9000);
            assertThrows(VolumeException.class, () -> HeaderChoice.of(device));
        }
    }

    @Test
    void a_header_in_a_bad_sector_is_found_in_the_aux_area() throws Exception {
        FaultyBlockDevice device = new FaultyBlockDevice(formatted(SMALL, 10), 1, Faults.NONE);
        commit(device, 2);
        device.alwaysAt(Fault.READ_ERROR, 512, 512);
        HeaderChoice choice = HeaderChoice.of(device);
        assertTrue(choice.isSpare());
        assertEquals(FIRST_TID + 2, choice.header().mirrorTid());
        // What another file system left where its aux area was: nothing tells which of the two it is.
        VolumeHeader second = read(device, choice.header().auxBeg());
        long elsewhere = second.auxBeg() + (8L << 20);
        second.setAreas(second.bootBeg(), elsewhere, elsewhere, elsewhere + (8L << 20));
        second.updateCrcs();
        device.writeFully(elsewhere, second.bytes());
        assertThrows(VolumeException.class, () -> HeaderChoice.of(device));
        device.close();
    }

    @Test
    void after_a_failed_commit_there_is_no_other() throws Exception {
        FaultyBlockDevice device = new FaultyBlockDevice(formatted(SMALL, 11), 1, Faults.NONE);
        HeaderChoice choice = HeaderChoice.of(device);
        device.alwaysAt(Fault.WRITE_ERROR, 0, 65536);
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            lwkt.run(0, () -> {
                Headers headers = new Headers(device, choice);
                Headers.Contents contents = next(headers.committed());
                assertThrows(IOException.class, () -> headers.commit(contents));
                device.heal();
                assertThrows(IOException.class, () -> headers.commit(contents));
                assertEquals(FIRST_TID, headers.committed().mirrorTid());
                return null;
            });
        }
        device.close();
    }
}
