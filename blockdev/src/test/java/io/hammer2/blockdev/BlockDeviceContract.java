package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** What every block device promises. Run by each of them. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
abstract class BlockDeviceContract {
    /** What a device under test holds at least. */
    static final long SIZE_MIN = 8 << 20;

    private static final long WAIT_SECONDS = 30;

    private final Arena arena = Arena.ofShared();
    private BlockDevice device;

    /** A new device of zeros, writable, of at least {@link #SIZE_MIN} bytes. */
    abstract BlockDevice create() throws Exception;

    @BeforeEach
    final void open() throws Exception {
        device = create();
    }

    @AfterEach
    final void close() throws Exception {
        if (device != null) {
            device.close();
        }
        arena.close();
    }

    @Test
    void alignment_is_a_power_of_two_and_divides_the_size_of_a_sectored_device() {
        assertEquals(1, Integer.bitCount(device.alignmentBytes()));
        assertEquals(0, device.sizeBytes() % device.alignmentBytes());
        assertTrue(device.sizeBytes() >= SIZE_MIN);
        assertFalse(device.name().isEmpty());
    }

    @Test
    void random_requests_of_any_place_and_length_agree_with_a_byte_array() throws Exception {
        long seed = 20261123;
        System.out.println(getClass().getSimpleName() + ": seed " + seed);
        SplittableRandom random = new SplittableRandom(seed);
        // The end of the device is in it, and neighbours that a misplaced write would hit.
        int length = 2 << 20;
        long base = device.sizeBytes() - length;
        byte[] model = new byte[length];
        for (int i = 0; i < 300; i++) {
            int n = random.nextInt(4) == 0 ? random.nextInt(1, 700_000) : random.nextInt(1, 5000);
            int at = random.nextInt(8) == 0 ? length - n : random.nextInt(length - n + 1);
            if (random.nextInt(3) == 0) {
                at = at / 4096 * 4096;
                n = Math.min(length - at, (n + 4095) / 4096 * 4096);
            }
            int skew = random.nextBoolean() ? 0 : random.nextInt(1, 64);
            MemorySegment lent = arena.allocate(n + (long) skew, 4096).asSlice(skew, n);
            if (random.nextBoolean()) {
                byte[] bytes = bytes(random, n);
                System.arraycopy(bytes, 0, model, at, n);
                lent.copyFrom(MemorySegment.ofArray(bytes));
                write(base + at, lent);
            } else {
                read(base + at, lent);
                assertArrayEquals(
                        Arrays.copyOfRange(model, at, at + n),
                        lent.toArray(ValueLayout.JAVA_BYTE),
                        "seed " + seed + " request " + i);
            }
        }
        assertArrayEquals(model, readBack(base, length));
    }

    @Test
    void the_blocking_forms_take_any_segment() throws Exception {
        byte[] bytes = bytes(new SplittableRandom(1), 5000);
        device.writeFully(777, MemorySegment.ofArray(bytes));
        byte[] back = new byte[5000];
        device.readFully(777, MemorySegment.ofArray(back));
        assertArrayEquals(bytes, back);
        try (Arena confined = Arena.ofConfined()) {
            MemorySegment other = confined.allocate(5000);
            device.readFully(777, other);
            assertArrayEquals(bytes, other.toArray(ValueLayout.JAVA_BYTE));
            device.writeFully(100_000, other);
        }
        assertArrayEquals(bytes, readBack(100_000, 5000));
        device.flushFully();
        device.discardFully(0, 100_000);
        assertArrayEquals(bytes, readBack(100_000, 5000));
    }

    @Test
    void a_segment_that_an_io_thread_cannot_use_is_refused_at_once() {
        IoCompletion never = error -> {
            throw new AssertionError("completed", error);
        };
        assertThrows(IllegalArgumentException.class, () -> device.read(0, MemorySegment.ofArray(new byte[512]), never));
        assertThrows(
                IllegalArgumentException.class, () -> device.write(0, MemorySegment.ofArray(new byte[512]), never));
        try (Arena confined = Arena.ofConfined()) {
            MemorySegment segment = confined.allocate(512);
            assertThrows(IllegalArgumentException.class, () -> device.read(0, segment, never));
            assertThrows(IllegalArgumentException.class, () -> device.write(0, segment, never));
        }
    }

    @Test
    void a_write_that_waited_for_another_wins_over_it() throws Exception {
        for (int i = 1; i <= 50; i++) {
            write(4096 - i, filled(8192, i));
        }
        assertArrayEquals(filled(8192, 50).toArray(ValueLayout.JAVA_BYTE), readBack(4096 - 50, 8192));
    }

    @Test
    void parallel_requests_each_complete_once_and_do_their_own_part() throws Exception {
        // Neighbours of 1,000 bytes share sectors: none may undo the other's part.
        int length = 1000;
        int count = 512;
        AtomicInteger completions = new AtomicInteger();
        Semaphore ended = new Semaphore(0);
        List<IOException> errors = java.util.Collections.synchronizedList(new ArrayList<>());
        IoCompletion each = error -> {
            if (error != null) {
                errors.add(error);
            }
            completions.incrementAndGet();
            ended.release();
        };
        for (int i = 0; i < count; i++) {
            device.write(512 + (long) i * length, filled(length, i), each);
        }
        assertTrue(ended.tryAcquire(count, WAIT_SECONDS, TimeUnit.SECONDS));
        List<MemorySegment> back = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            back.add(arena.allocate(length, 4096));
            device.read(512 + (long) i * length, back.get(i), each);
        }
        assertTrue(ended.tryAcquire(count, WAIT_SECONDS, TimeUnit.SECONDS));
        assertEquals(List.of(), errors);
        assertEquals(2 * count, completions.get());
        for (int i = 0; i < count; i++) {
            assertEquals(-1, filled(length, i).mismatch(back.get(i)), "request " + i);
        }
    }

    @Test
    void a_request_outside_the_device_is_refused_and_does_nothing() throws Exception {
        long size = device.sizeBytes();
        write(size - 8192, filled(8192, 7));
        long[][] places = {
            {size, 1},
            {size - 1, 2},
            {size - 4096, 8192},
            {size + 4096, 4096},
            {-1, 1},
            {-4096, 4096},
            {Long.MIN_VALUE, 4096},
            {Long.MAX_VALUE, 1},
            {Long.MAX_VALUE - 10, 4096},
            {1L << 62, 512}
        };
        for (long[] place : places) {
            MemorySegment segment = filled((int) place[1], 9);
            String where = Arrays.toString(place);
            assertNotNull(outcome(done -> device.read(place[0], segment, done)), where);
            assertEquals(-1, segment.mismatch(filled((int) place[1], 9)), where);
            IOException refusal = outcome(done -> device.write(place[0], segment, done));
            assertNotNull(refusal, where);
            assertTrue(refusal.getMessage().contains(device.name()), refusal.getMessage());
            assertTrue(refusal.getMessage().contains("offset " + place[0]), refusal.getMessage());
            assertNotNull(outcome(done -> device.discard(place[0], place[1], done)), where);
            assertThrows(IOException.class, () -> device.readFully(place[0], segment), where);
            assertThrows(IOException.class, () -> device.writeFully(place[0], segment), where);
        }
        assertNotNull(outcome(done -> device.discard(0, -1, done)));
        assertNotNull(outcome(done -> device.discard(1, Long.MAX_VALUE, done)));
        assertEquals(size, device.sizeBytes());
        assertArrayEquals(filled(8192, 7).toArray(ValueLayout.JAVA_BYTE), readBack(size - 8192, 8192));
    }

    @Test
    void a_request_of_no_bytes_succeeds_wherever_a_byte_could_be_or_end() throws Exception {
        MemorySegment nothing = arena.allocate(0);
        for (long at : new long[] {0, 1, device.sizeBytes()}) {
            read(at, nothing);
            write(at, nothing);
            assertNull(outcome(done -> device.discard(at, 0, done)));
        }
    }

    @Test
    void a_flush_succeeds_with_and_without_writes() throws Exception {
        assertNull(outcome(device::flush));
        write(0, filled(4096, 1));
        assertNull(outcome(device::flush));
        assertNull(outcome(device::flush));
    }

    @Test
    void a_discard_leaves_old_bytes_or_zeros_and_no_neighbour_is_touched() throws Exception {
        write(0, filled(1 << 20, 5));
        assertNull(outcome(done -> device.discard(10_001, 500_001, done)));
        byte[] back = readBack(0, 1 << 20);
        for (int i = 0; i < back.length; i++) {
            boolean inside = i >= 10_001 && i < 510_002;
            assertTrue(back[i] == 5 || (inside && back[i] == 0), "byte " + i + " is " + back[i]);
        }
        write(300_000, filled(4096, 6));
        assertArrayEquals(filled(4096, 6).toArray(ValueLayout.JAVA_BYTE), readBack(300_000, 4096));
        assertNull(outcome(done -> device.discard(0, device.sizeBytes(), done)));
    }

    @Test
    void close_waits_for_what_runs_and_refuses_what_comes_later() throws Exception {
        int count = 200;
        AtomicInteger ended = new AtomicInteger();
        List<IOException> errors = java.util.Collections.synchronizedList(new ArrayList<>());
        Semaphore all = new Semaphore(0);
        for (int i = 0; i < count; i++) {
            device.write((long) i * 8192, filled(8192, i), error -> {
                if (error != null) {
                    errors.add(error);
                }
                ended.incrementAndGet();
                all.release();
            });
        }
        device.close();
        assertTrue(all.tryAcquire(count, WAIT_SECONDS, TimeUnit.SECONDS));
        assertEquals(List.of(), errors);
        assertEquals(count, ended.get());
        MemorySegment segment = arena.allocate(512);
        for (IOException refusal : List.of(
                outcome(done -> device.read(0, segment, done)),
                outcome(done -> device.write(0, segment, done)),
                outcome(device::flush),
                outcome(done -> device.discard(0, 512, done)))) {
            assertTrue(refusal.getMessage().contains("closed"), refusal.getMessage());
        }
        assertThrows(IOException.class, () -> device.readFully(0, segment));
        assertThrows(IOException.class, () -> device.writeFully(0, segment));
        assertThrows(IOException.class, device::flushFully);
        assertDoesNotThrow(device::close);
    }

    @Test
    void a_completion_may_close_the_device() throws Exception {
        CompletableFuture<Object> end = new CompletableFuture<>();
        device.read(0, arena.allocate(4096, 4096), error -> {
            try {
                device.close();
                end.complete("closed");
            } catch (IOException e) {
                end.completeExceptionally(e);
            }
        });
        assertEquals("closed", end.get(WAIT_SECONDS, TimeUnit.SECONDS));
    }

    final BlockDevice device() {
        return device;
    }

    final MemorySegment filled(int length, int value) {
        return arena.allocate(length, 4096).fill((byte) value);
    }

    final void read(long offset, MemorySegment into) throws Exception {
        assertNull(outcome(done -> device.read(offset, into, done)));
    }

    final void write(long offset, MemorySegment from) throws Exception {
        assertNull(outcome(done -> device.write(offset, from, done)));
    }

    final byte[] readBack(long offset, int length) throws Exception {
        MemorySegment segment = arena.allocate(length, 4096);
        read(offset, segment);
        return segment.toArray(ValueLayout.JAVA_BYTE);
    }

    static byte[] bytes(SplittableRandom random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    interface Request {
        void start(IoCompletion done);
    }

    /** The error that a request ended with, or null. */
    static IOException outcome(Request request) throws Exception {
        CompletableFuture<IOException> end = new CompletableFuture<>();
        request.start(error -> assertTrue(end.complete(error), "completed twice"));
        return end.get(WAIT_SECONDS, TimeUnit.SECONDS);
    }
}
