package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.CrashKind;
import io.hammer2.blockdev.testing.CrashRecording;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Fault;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.blockdev.testing.ReorderingBlockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CrashRecordingTest {
    private static final int SECTOR = 512;
    private static final int BLOCK = 4096;
    private static final long SIZE = 1 << 20;

    private final MemoryBlockDevice initial = new MemoryBlockDevice(SIZE);
    private final RecordingBlockDevice device = RecordingBlockDevice.over(initial);

    @AfterEach
    void close() throws IOException {
        device.close();
        device.recording().close();
        initial.close();
    }

    @Test
    void what_a_flush_covered_is_in_every_state_and_what_it_did_not_in_any_combination() throws IOException {
        write(0, 1);
        write(1, 2);
        device.flushFully();
        write(0, 3);
        write(2, 4);
        write(3, 5);
        Set<String> seen = new TreeSet<>();
        int end = device.recording().points() - 1;
        for (long seed = 0; seed < 200; seed++) {
            seen.add(blocks(device.recording().crash(end, CrashKind.SUBSET, seed), 4));
        }
        Set<String> allowed = new TreeSet<>();
        for (int i = 0; i < 8; i++) {
            allowed.add(
                    ((i & 1) == 0 ? "1" : "3") + " 2 " + ((i & 2) == 0 ? "0" : "4") + " " + ((i & 4) == 0 ? "0" : "5"));
        }
        assertEquals(allowed, seen);
    }

    @Test
    void every_prefix_between_two_flushes_is_a_state() throws IOException {
        write(0, 1);
        write(1, 2);
        device.flushFully();
        write(0, 3);
        CrashRecording recording = device.recording();
        List<String> states = new ArrayList<>();
        for (int point = 0; point < recording.points(); point++) {
            states.add(blocks(recording.crash(point, CrashKind.ALL, 0), 2));
        }
        assertEquals(List.of("0 0", "1 0", "1 2", "1 2", "3 2"), states);
        assertEquals("0 0", blocks(recording.crash(2, CrashKind.NONE, 0), 2));
        assertEquals("0 2", blocks(recording.crash(2, CrashKind.LAST, 0), 2));
        assertEquals("1 2", blocks(recording.crash(3, CrashKind.NONE, 0), 2));
    }

    @Test
    void a_torn_write_is_torn_at_sectors_only_and_in_all_ways() throws IOException {
        write(0, 1);
        device.flushFully();
        write(0, 2);
        Set<String> shapes = new HashSet<>();
        for (long seed = 0; seed < 10_000; seed++) {
            byte[] bytes = bytes(device.recording().crash(3, CrashKind.TORN, seed), 0, BLOCK);
            StringBuilder shape = new StringBuilder();
            for (int at = 0; at < BLOCK; at += SECTOR) {
                byte[] sector = Arrays.copyOfRange(bytes, at, at + SECTOR);
                assertArrayEquals(filled(SECTOR, sector[0]), sector, "seed " + seed);
                shape.append(sector[0]);
            }
            shapes.add(shape.toString());
        }
        assertEquals(256, shapes.size());
        assertTrue(shapes.stream().allMatch(shape -> shape.matches("[12]{8}")), shapes.toString());
    }

    @Test
    void larger_sectors_tear_less() throws IOException {
        try (CrashRecording recording = new CrashRecording(initial, BLOCK, SIZE);
                RecordingBlockDevice large = new RecordingBlockDevice(MemoryBlockDevice.over(initial), recording)) {
            large.writeFully(2 * BLOCK - 1024, MemorySegment.ofArray(filled(2048, 7)));
            Set<List<Byte>> shapes = new HashSet<>();
            for (long seed = 0; seed < 200; seed++) {
                byte[] bytes = bytes(recording.crash(1, CrashKind.TORN, seed), 2 * BLOCK - 1024, 2048);
                assertArrayEquals(filled(1024, bytes[0]), Arrays.copyOf(bytes, 1024));
                assertArrayEquals(filled(1024, bytes[1024]), Arrays.copyOfRange(bytes, 1024, 2048));
                shapes.add(List.of(bytes[0], bytes[1024]));
            }
            assertEquals(4, shapes.size());
        }
    }

    @Test
    void a_write_still_running_when_the_flush_was_asked_for_is_not_covered() throws Exception {
        Set<List<String>> orders = new HashSet<>();
        for (long seed = 0; seed < 20; seed++) {
            try (Arena arena = Arena.ofShared();
                    CrashRecording recording = new CrashRecording(initial, SECTOR, SIZE)) {
                ReorderingBlockDevice slow = new ReorderingBlockDevice(MemoryBlockDevice.over(initial), seed);
                try (RecordingBlockDevice top = new RecordingBlockDevice(slow, recording)) {
                    List<String> ended = new ArrayList<>();
                    top.write(0, arena.allocate(BLOCK).fill((byte) 1), error -> ended.add("write"));
                    top.flush(error -> ended.add("flush"));
                    assertTrue(slow.completeOne());
                    assertTrue(slow.completeOne());
                    orders.add(List.copyOf(ended));
                    assertEquals("0", blocks(recording.crash(recording.points() - 1, CrashKind.NONE, 0), 1));

                    // The control: by a flush that is asked for now it is covered.
                    top.flush(error -> ended.add("second flush"));
                    assertTrue(slow.completeOne());
                    assertEquals("1", blocks(recording.crash(recording.points() - 1, CrashKind.NONE, 0), 1));
                }
            }
        }
        assertEquals(2, orders.size(), "only one order was tried");
    }

    @Test
    void a_write_asked_for_before_a_flush_ended_can_survive_without_what_the_flush_covers() throws Exception {
        try (Arena arena = Arena.ofShared();
                CrashRecording recording = new CrashRecording(initial, SECTOR, SIZE)) {
            ReorderingBlockDevice slow = new ReorderingBlockDevice(MemoryBlockDevice.over(initial), 1);
            try (RecordingBlockDevice top = new RecordingBlockDevice(slow, recording)) {
                top.write(0, arena.allocate(BLOCK).fill((byte) 1), error -> {});
                assertTrue(slow.completeOne());
                top.flush(error -> {});
                top.write(BLOCK, arena.allocate(BLOCK).fill((byte) 2), error -> {});
                int beforeTheFlushEnded = recording.points() - 1;
                while (slow.completeOne()) {
                    assertTrue(recording.points() > beforeTheFlushEnded);
                }
                assertEquals("0 2", blocks(recording.crash(beforeTheFlushEnded, CrashKind.LAST, 0), 2));
                assertEquals("1 0", blocks(recording.crash(recording.points() - 1, CrashKind.NONE, 0), 2));
            }
        }
    }

    @Test
    void a_failed_write_may_have_arrived_but_never_over_what_was_flushed_later() throws Exception {
        try (CrashRecording recording = new CrashRecording(initial, SECTOR, SIZE)) {
            FaultyBlockDevice faulty = new FaultyBlockDevice(MemoryBlockDevice.over(initial), 1, Faults.NONE);
            try (RecordingBlockDevice top = new RecordingBlockDevice(faulty, recording)) {
                faulty.alwaysAt(Fault.WRITE_ERROR, 0, 1);
                assertNotNull(failure(() -> top.writeFully(0, MemorySegment.ofArray(filled(2 * BLOCK, 1)))));
                faulty.heal();
                top.flushFully();
                int afterTheFlush = recording.points() - 1;
                assertEquals("1 1", blocks(recording.crash(afterTheFlush, CrashKind.ALL, 0), 2));
                assertEquals("0 0", blocks(recording.crash(afterTheFlush, CrashKind.NONE, 0), 2));

                top.writeFully(0, MemorySegment.ofArray(filled(BLOCK, 2)));
                top.flushFully();
                assertEquals("2 1", blocks(recording.crash(recording.points() - 1, CrashKind.ALL, 0), 2));
                assertEquals("2 0", blocks(recording.crash(recording.points() - 1, CrashKind.NONE, 0), 2));
            }
        }
    }

    @Test
    void a_failed_flush_makes_nothing_durable() throws Exception {
        try (CrashRecording recording = new CrashRecording(initial, SECTOR, SIZE)) {
            FaultyBlockDevice faulty = new FaultyBlockDevice(MemoryBlockDevice.over(initial), 1, Faults.NONE);
            try (RecordingBlockDevice top = new RecordingBlockDevice(faulty, recording)) {
                top.writeFully(0, MemorySegment.ofArray(filled(BLOCK, 1)));
                faulty.alwaysAt(Fault.FLUSH_ERROR, 0, 1);
                assertNotNull(failure(top::flushFully));
                faulty.heal();
                assertNotNull(failure(top::flushFully), "the device must not forget that a flush failed");
                assertEquals("0", blocks(recording.crash(recording.points() - 1, CrashKind.NONE, 0), 1));
            }
        }
    }

    @Test
    void a_discard_is_in_flight_until_a_flush_like_a_write() throws IOException {
        write(0, 1);
        device.flushFully();
        device.discardFully(0, BLOCK);
        CrashRecording recording = device.recording();
        assertEquals("0", blocks(recording.crash(recording.points() - 1, CrashKind.ALL, 0), 1));
        assertEquals("1", blocks(recording.crash(recording.points() - 1, CrashKind.NONE, 0), 1));
        device.flushFully();
        assertEquals("0", blocks(recording.crash(recording.points() - 1, CrashKind.NONE, 0), 1));
    }

    @Test
    void a_state_is_the_same_for_the_same_seed_and_says_which() throws IOException {
        randomWorkload(5, 60);
        CrashRecording recording = device.recording();
        Set<String> different = new HashSet<>();
        for (long seed = 0; seed < 300; seed++) {
            CrashState first = recording.crash(seed);
            CrashState again = recording.crash(first.point(), first.kind(), first.seed());
            assertEquals(first.toString(), again.toString());
            byte[] bytes = bytes(first, 0, (int) SIZE);
            assertArrayEquals(bytes, bytes(again, 0, (int) SIZE));
            different.add(Arrays.hashCode(bytes) + "");
        }
        assertTrue(different.size() > 200, "only " + different.size() + " different states of 300");
    }

    @Test
    void states_do_not_see_each_others_changes_nor_the_recordings_future() throws IOException {
        write(0, 1);
        device.flushFully();
        CrashState state = device.recording().crash(2, CrashKind.ALL, 0);
        try (BlockDevice one = state.open();
                BlockDevice two = state.open()) {
            one.writeFully(0, MemorySegment.ofArray(filled(BLOCK, 9)));
            write(0, 2);
            device.flushFully();
            byte[] back = new byte[BLOCK];
            two.readFully(0, MemorySegment.ofArray(back));
            assertArrayEquals(filled(BLOCK, 1), back);
        }
        assertEquals("1", blocks(state, 1));
        assertArrayEquals(new byte[BLOCK], bytes(initial, 0, BLOCK), "the initial contents have changed");
    }

    @Test
    void marks_tell_what_had_happened_before_the_crash() throws IOException {
        CrashRecording recording = device.recording();
        recording.mark("begin a");
        write(0, 1);
        device.flushFully();
        recording.mark("acknowledged a");
        write(1, 2);
        assertEquals(List.of("begin a"), recording.crash(0, CrashKind.ALL, 0).marks());
        assertEquals(List.of("begin a"), recording.crash(1, CrashKind.ALL, 0).marks());
        assertEquals(
                List.of("begin a", "acknowledged a"),
                recording.crash(2, CrashKind.ALL, 0).marks());
        recording.mark("end");
        assertEquals(3, recording.crash(3, CrashKind.ALL, 0).marks().size());
    }

    @Test
    void a_full_recording_ends_and_stays_good() throws IOException {
        try (CrashRecording recording = new CrashRecording(initial, SECTOR, 3 * BLOCK);
                RecordingBlockDevice top = new RecordingBlockDevice(MemoryBlockDevice.over(initial), recording)) {
            for (int i = 0; i < 10; i++) {
                recording.mark(i);
                top.writeFully((long) i * BLOCK, MemorySegment.ofArray(filled(BLOCK, i + 1)));
                top.flushFully();
            }
            assertTrue(recording.isFull());
            assertEquals(7, recording.points());
            CrashState last = recording.crash(6, CrashKind.ALL, 0);
            assertEquals("1 2 3 0", blocks(last, 4));
            assertEquals(List.of(0, 1, 2, 3), last.marks());
            assertEquals(10, bytes(top, 9 * BLOCK, 1)[0], "the device itself goes on");
        }
    }

    @Test
    void the_live_device_and_the_state_with_everything_agree() throws IOException {
        randomWorkload(11, 400);
        CrashState all = device.recording().crash(device.recording().points() - 1, CrashKind.ALL, 0);
        assertArrayEquals(bytes(device, 0, (int) SIZE), bytes(all, 0, (int) SIZE));
        device.flushFully();
        CrashState none = device.recording().crash(device.recording().points() - 1, CrashKind.NONE, 0);
        assertArrayEquals(bytes(device, 0, (int) SIZE), bytes(none, 0, (int) SIZE));
    }

    @Test
    void a_sound_commit_survives_every_crash_and_one_without_its_flush_does_not() throws IOException {
        commits(device, device.recording());
        assertEquals(List.of(), broken(device.recording()));
        // The control: the same, where one flush between data and header was forgotten.
        try (CrashRecording forgetful = new CrashRecording(initial, SECTOR, SIZE);
                RecordingBlockDevice top = new RecordingBlockDevice(MemoryBlockDevice.over(initial), forgetful)) {
            forgetful.ignoreFlushes(number -> number == 20);
            commits(top, forgetful);
            List<String> broken = broken(forgetful);
            assertFalse(broken.isEmpty(), "a dropped flush was not noticed");
            assertTrue(
                    broken.stream().allMatch(text -> text.startsWith("header 11 without its data")), broken.toString());
        }
    }

    /** Commits as file systems make them: data where the last generation is not, flush, header that names them, flush. */
    private static void commits(BlockDevice device, CrashRecording recording) throws IOException {
        for (int generation = 1; generation <= 20; generation++) {
            for (int block = 0; block < 3; block++) {
                device.writeFully(dataOffset(generation, block), MemorySegment.ofArray(filled(BLOCK, generation)));
            }
            device.flushFully();
            device.writeFully(0, MemorySegment.ofArray(filled(BLOCK, generation)));
            device.flushFully();
            recording.mark(generation);
        }
    }

    private static long dataOffset(int generation, int block) {
        return (1L + block + 3L * (generation % 2)) * BLOCK;
    }

    private static List<String> broken(CrashRecording recording) throws IOException {
        List<String> broken = new ArrayList<>();
        for (CrashState state : recording.crashes(42, 20).toList()) {
            byte[] header = bytes(state, 0, BLOCK);
            int generation = header[0];
            if (!Arrays.equals(header, filled(BLOCK, generation))) {
                // Torn: a real one is found out by its check code, and another copy is used.
                continue;
            }
            if (generation < state.marks().size()) {
                broken.add("acknowledged commit lost: " + state);
            }
            for (int block = 0; generation > 0 && block < 3; block++) {
                if (!Arrays.equals(bytes(state, dataOffset(generation, block), BLOCK), filled(BLOCK, generation))) {
                    broken.add("header " + generation + " without its data: " + state);
                }
            }
        }
        return broken;
    }

    private void randomWorkload(long seed, int requests) throws IOException {
        System.out.println("random workload: seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < requests; i++) {
            int length = random.nextInt(1, 20_000);
            long offset = random.nextLong(SIZE - length);
            switch (random.nextInt(10)) {
                case 0 -> device.flushFully();
                case 1 -> device.discardFully(offset, length);
                default -> {
                    byte[] bytes = new byte[length];
                    random.nextBytes(bytes);
                    device.writeFully(offset, MemorySegment.ofArray(bytes));
                }
            }
        }
    }

    private void write(int block, int value) throws IOException {
        device.writeFully((long) block * BLOCK, MemorySegment.ofArray(filled(BLOCK, value)));
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    /** The value that each of the first blocks is filled with. */
    private static String blocks(CrashState state, int count) throws IOException {
        List<String> values = new ArrayList<>();
        for (int block = 0; block < count; block++) {
            byte[] bytes = bytes(state, (long) block * BLOCK, BLOCK);
            assertArrayEquals(filled(BLOCK, bytes[0]), bytes, "block " + block + " is torn in " + state);
            values.add(Byte.toString(bytes[0]));
        }
        return String.join(" ", values);
    }

    private static byte[] bytes(CrashState state, long offset, int length) throws IOException {
        try (BlockDevice crashed = state.open()) {
            return bytes(crashed, offset, length);
        }
    }

    private static byte[] bytes(BlockDevice device, long offset, int length) throws IOException {
        byte[] bytes = new byte[length];
        device.readFully(offset, MemorySegment.ofArray(bytes));
        return bytes;
    }

    private interface Blocking {
        void run() throws IOException;
    }

    private static IOException failure(Blocking request) {
        try {
            request.run();
            return null;
        } catch (IOException e) {
            return e;
        }
    }
}
