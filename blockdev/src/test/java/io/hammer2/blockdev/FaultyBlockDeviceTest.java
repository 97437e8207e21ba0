package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Fault;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.ReorderingBlockDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class FaultyBlockDeviceTest {
    private static final int SECTOR = 512;
    private static final int BLOCK = 8 * SECTOR;

    private final MemoryBlockDevice medium = new MemoryBlockDevice(1 << 20);

    @AfterEach
    void close() {
        medium.close();
    }

    @Test
    void the_seed_and_the_requests_decide_which_fail() {
        Faults faults = Faults.NONE.with(Fault.WRITE_ERROR, 0.2).with(Fault.READ_ERROR, 0.1);
        String first = outcomes(new FaultyBlockDevice(medium, 7, faults));
        assertEquals(first, outcomes(new FaultyBlockDevice(medium, 7, faults)));
        assertNotEquals(first, outcomes(new FaultyBlockDevice(medium, 8, faults)));
        long failed = first.chars().filter(c -> c != '.').count();
        assertTrue(failed > 200 && failed < 400, failed + " of 2,000");
        assertEquals(".".repeat(2000), outcomes(new FaultyBlockDevice(medium, 7, Faults.NONE)));
    }

    @Test
    void a_failed_read_leaves_nothing_that_looks_like_data() throws IOException {
        medium.writeFully(0, MemorySegment.ofArray(filled(1)));
        FaultyBlockDevice faulty = new FaultyBlockDevice(medium, 1, Faults.NONE.with(Fault.READ_ERROR, 1));
        try (Arena arena = Arena.ofShared()) {
            MemorySegment segment = arena.allocate(BLOCK).fill((byte) 1);
            IOException error = assertThrows(IOException.class, () -> faulty.readFully(0, segment));
            assertTrue(error.getMessage().contains("injected"), error.getMessage());
            for (long at = 0; at < BLOCK; at++) {
                assertNotEquals(1, segment.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at));
            }
        }
        assertEquals(1, faulty.injected(Fault.READ_ERROR));
    }

    @Test
    void a_failed_write_may_leave_any_of_its_sectors() throws IOException {
        FaultyBlockDevice faulty = new FaultyBlockDevice(medium, 1, Faults.NONE.with(Fault.WRITE_ERROR, 1));
        int[] arrived = new int[9];
        for (int i = 0; i < 400; i++) {
            medium.writeFully(0, MemorySegment.ofArray(filled(1)));
            assertThrows(IOException.class, () -> faulty.writeFully(0, MemorySegment.ofArray(filled(2))));
            arrived[sectorsOf(2)]++;
        }
        assertTrue(Arrays.stream(arrived).allMatch(n -> n > 0), Arrays.toString(arrived));
    }

    @Test
    void a_torn_write_succeeds_and_lacks_a_sector() throws IOException {
        FaultyBlockDevice faulty = new FaultyBlockDevice(medium, 1, Faults.NONE.with(Fault.LOST_SECTORS, 1));
        for (int i = 0; i < 200; i++) {
            medium.writeFully(0, MemorySegment.ofArray(filled(1)));
            faulty.writeFully(0, MemorySegment.ofArray(filled(2)));
            assertTrue(sectorsOf(2) < 8);
        }
        assertEquals(200, faulty.injected(Fault.LOST_SECTORS));
    }

    @Test
    void a_bit_flip_is_one_bit_of_what_was_read_or_of_what_was_written() throws IOException {
        medium.writeFully(0, MemorySegment.ofArray(filled(0)));
        FaultyBlockDevice faulty = new FaultyBlockDevice(medium, 1, Faults.NONE.with(Fault.READ_BIT_FLIP, 1));
        for (int i = 0; i < 50; i++) {
            assertEquals(1, bitsSet(read(faulty)));
            assertEquals(0, bitsSet(read(medium)), "reading has changed the medium");
        }
        faulty.faults(Faults.NONE.with(Fault.WRITE_BIT_FLIP, 1));
        for (int i = 0; i < 50; i++) {
            try (Arena arena = Arena.ofShared()) {
                MemorySegment zeros = arena.allocate(BLOCK);
                faulty.writeFully(0, zeros);
                assertEquals(-1, zeros.mismatch(arena.allocate(BLOCK)), "the caller's segment was changed");
            }
            assertEquals(1, bitsSet(read(medium)));
        }
    }

    @Test
    void after_a_failed_flush_every_flush_fails() throws IOException {
        FaultyBlockDevice faulty = new FaultyBlockDevice(medium, 1, Faults.NONE);
        faulty.flushFully();
        faulty.faults(Faults.NONE.with(Fault.FLUSH_ERROR, 1));
        assertThrows(IOException.class, faulty::flushFully);
        faulty.faults(Faults.NONE);
        assertThrows(IOException.class, faulty::flushFully);
    }

    @Test
    void a_bad_place_fails_whoever_touches_it_and_nobody_else() throws IOException {
        FaultyBlockDevice faulty = new FaultyBlockDevice(medium, 1, Faults.NONE);
        faulty.alwaysAt(Fault.READ_ERROR, 10_000, 100);
        for (int i = 0; i < 3; i++) {
            assertThrows(IOException.class, () -> faulty.readFully(10_099, MemorySegment.ofArray(new byte[1])));
            assertThrows(IOException.class, () -> faulty.readFully(8192, MemorySegment.ofArray(new byte[BLOCK])));
            faulty.readFully(10_100, MemorySegment.ofArray(new byte[BLOCK]));
            faulty.readFully(10_000 - BLOCK, MemorySegment.ofArray(new byte[BLOCK]));
            faulty.writeFully(10_000, MemorySegment.ofArray(new byte[1]));
        }
        faulty.heal();
        faulty.readFully(8192, MemorySegment.ofArray(new byte[BLOCK]));
    }

    @Test
    void requests_wait_for_a_step_and_end_in_the_order_of_the_seed() {
        List<Integer> first = endings(3);
        assertEquals(first, endings(3));
        assertNotEquals(first, endings(4));
        assertNotEquals(IntStream.range(0, 50).boxed().toList(), first);
        assertEquals(
                IntStream.range(0, 50).boxed().toList(), first.stream().sorted().toList());
    }

    @Test
    void what_waits_at_close_is_done_first() throws IOException {
        ReorderingBlockDevice device = new ReorderingBlockDevice(MemoryBlockDevice.over(medium), 1);
        List<Object> ended = new ArrayList<>();
        device.flush(ended::add);
        device.flush(ended::add);
        assertEquals(2, device.waiting());
        device.close();
        assertEquals(Arrays.asList(null, null), ended);
    }

    private List<Integer> endings(long seed) {
        List<Integer> ended = new ArrayList<>();
        try (Arena arena = Arena.ofShared()) {
            ReorderingBlockDevice device = new ReorderingBlockDevice(medium, seed);
            for (int i = 0; i < 50; i++) {
                int request = i;
                device.write((long) i * BLOCK, arena.allocate(BLOCK), error -> ended.add(request));
            }
            assertEquals(List.of(), ended);
            for (int left = 50; left > 0; left--) {
                assertTrue(device.completeOne());
            }
            assertTrue(!device.completeOne());
        }
        return ended;
    }

    private static String outcomes(FaultyBlockDevice device) {
        StringBuilder outcomes = new StringBuilder();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment segment = arena.allocate(BLOCK);
            for (int i = 0; i < 1000; i++) {
                device.write(0, segment, error -> outcomes.append(error == null ? '.' : 'w'));
                device.read(0, segment, error -> outcomes.append(error == null ? '.' : 'r'));
            }
        }
        return outcomes.toString();
    }

    /** How many sectors of the medium's first block hold the value; each holds one value only. */
    private int sectorsOf(int value) throws IOException {
        byte[] block = read(medium);
        int count = 0;
        for (int at = 0; at < BLOCK; at += SECTOR) {
            byte[] sector = Arrays.copyOfRange(block, at, at + SECTOR);
            assertArrayEquals(Arrays.copyOf(filled(sector[0]), SECTOR), sector);
            count += sector[0] == value ? 1 : 0;
        }
        return count;
    }

    private static byte[] read(BlockDevice device) throws IOException {
        byte[] block = new byte[BLOCK];
        device.readFully(0, MemorySegment.ofArray(block));
        return block;
    }

    private static byte[] filled(int value) {
        byte[] block = new byte[BLOCK];
        Arrays.fill(block, (byte) value);
        return block;
    }

    private static int bitsSet(byte[] bytes) {
        int count = 0;
        for (byte each : bytes) {
            count += Integer.bitCount(each & 0xff);
        }
        return count;
    }
}
