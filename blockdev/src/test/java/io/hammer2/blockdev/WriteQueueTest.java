package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Writes of an image file that are asked for faster than they are done, so that many are joined. */
@Timeout(60)
final class WriteQueueTest {
    private static final int BLOCKS = 400;

    @TempDir
    Path folder;

    private Path image(long size) throws IOException {
        Path path = folder.resolve("image");
        Files.deleteIfExists(path);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(size);
        }
        return path;
    }

    /** Asks for all at once, from several threads, and waits. */
    private static List<IOException> write(BlockDevice device, int threads, long[] offsets, MemorySegment[] parts)
            throws Exception {
        CountDownLatch left = new CountDownLatch(parts.length);
        ConcurrentLinkedQueue<IOException> errors = new ConcurrentLinkedQueue<>();
        for (int t = 0; t < threads; t++) {
            int first = t;
            Thread.ofPlatform().start(() -> {
                for (int i = first; i < parts.length; i += threads) {
                    device.write(offsets[i], parts[i], error -> {
                        if (error != null) {
                            errors.add(error);
                        }
                        left.countDown();
                    });
                }
            });
        }
        assertTrue(left.await(30, TimeUnit.SECONDS), left.getCount() + " writes never ended");
        return List.copyOf(errors);
    }

    @Test
    void all_parts_arrive_where_they_belong_whatever_adjoins_what() throws Exception {
        SplittableRandom random = new SplittableRandom(20261126);
        for (int threads : new int[] {1, 3}) {
            long[] offsets = new long[BLOCKS];
            MemorySegment[] parts = new MemorySegment[BLOCKS];
            byte[] model;
            try (Arena arena = Arena.ofShared()) {
                long at = 0;
                for (int i = 0; i < BLOCKS; i++) {
                    offsets[i] = at + (random.nextInt(5) == 0 ? 4096 : 0);
                    parts[i] = arena.allocate(1024 << random.nextInt(7));
                    for (long b = 0; b < parts[i].byteSize(); b += 512) {
                        parts[i].asSlice(b, 512).fill((byte) random.nextInt());
                    }
                    at = offsets[i] + parts[i].byteSize();
                }
                model = new byte[(int) at];
                for (int i = 0; i < BLOCKS; i++) {
                    MemorySegment.copy(parts[i], 0, MemorySegment.ofArray(model), offsets[i], parts[i].byteSize());
                }
                Path path = image(at);
                try (BlockDevice device = BlockDevices.open(path, OpenMode.READ_WRITE)) {
                    assertEquals(List.of(), write(device, threads, offsets, parts));
                }
                assertEquals(
                        -1, MemorySegment.ofArray(Files.readAllBytes(path)).mismatch(MemorySegment.ofArray(model)));
            }
        }
    }

    @Test
    void closing_waits_for_all_and_what_is_asked_for_later_is_refused() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            Path path = image(BLOCKS * 65536L);
            BlockDevice device = BlockDevices.open(path, OpenMode.READ_WRITE);
            MemorySegment part = arena.allocate(65536).fill((byte) 7);
            for (int i = 0; i < BLOCKS; i++) {
                device.write(i * 65536L, part, error -> {});
            }
            device.close();
            byte[] content = Files.readAllBytes(path);
            for (int i = 0; i < content.length; i += 4096) {
                assertEquals(7, content[i]);
            }
            IOException[] refused = new IOException[1];
            device.write(0, part, error -> refused[0] = error);
            assertNotNull(refused[0]);
        }
    }

    /** Such as a completion whose runtime was closed meanwhile. */
    @Test
    void a_completion_that_throws_stops_no_other_write() throws Exception {
        try (Arena arena = Arena.ofShared();
                BlockDevice device = BlockDevices.open(image(1 << 20), OpenMode.READ_WRITE)) {
            MemorySegment part = arena.allocate(4096);
            device.write(0, part, error -> {
                throw new IllegalStateException("a completion that throws, on purpose");
            });
            MemorySegment[] parts = {part, part};
            assertEquals(List.of(), write(device, 1, new long[] {4096, 8192}, parts));
        }
    }
}
