package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.blockdev.testing.LoopDevice;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class InspectedDeviceTest {
    private static final int SIZE = 3 << 20;

    @TempDir
    private Path folder;

    private byte[] content;

    private Path image() throws IOException {
        content = new byte[SIZE];
        new Random(1).nextBytes(content);
        return Files.write(folder.resolve("image"), content);
    }

    private void assertReads(BlockDevice device) throws Exception {
        assertEquals(SIZE, device.sizeBytes());
        assertTrue(device.readOnly());
        Random random = new Random(2);
        try (Arena arena = Arena.ofShared()) {
            for (int i = 0; i < 50; i++) {
                int at = random.nextInt(SIZE);
                MemorySegment into = arena.allocate(random.nextInt(Math.min(200_000, SIZE - at)));
                MemorySegment other = arena.allocate(into.byteSize());
                CompletableFuture<IOException> end = new CompletableFuture<>();
                device.readFully(at, into);
                device.read(at, other, end::complete);
                assertNull(end.get(30, TimeUnit.SECONDS));
                byte[] expected = java.util.Arrays.copyOfRange(content, at, at + (int) into.byteSize());
                assertArrayEquals(expected, into.toArray(ValueLayout.JAVA_BYTE));
                assertArrayEquals(expected, other.toArray(ValueLayout.JAVA_BYTE));
            }
            MemorySegment block = arena.allocate(4096);
            assertThrows(IOException.class, () -> device.readFully(SIZE - 100, block));
            assertThrows(IOException.class, () -> device.readFully(-1, block));
            assertThrows(IOException.class, () -> device.readFully(Long.MAX_VALUE - 10, block));
            assertThrows(IOException.class, () -> device.writeFully(0, block));
            CompletableFuture<IOException> discarded = new CompletableFuture<>();
            device.discard(0, 4096, discarded::complete);
            assertNotNull(discarded.get(30, TimeUnit.SECONDS));
        }
    }

    @Test
    void an_image_is_read_while_another_has_it_locked() throws Exception {
        Path image = image();
        try (BlockDevice writer = BlockDevices.open(image, OpenMode.READ_WRITE);
                BlockDevice device = InspectedDevice.open(image)) {
            assertEquals(SIZE, writer.sizeBytes());
            assertReads(device);
        }
        assertArrayEquals(content, Files.readAllBytes(image));
    }

    @Test
    void a_block_device_has_its_size_and_is_read_while_another_has_claimed_it() throws Exception {
        assumeTrue(LoopDevice.isPermitted(), "needs root for a loop device");
        try (LoopDevice loop = LoopDevice.over(image());
                BlockDevice writer = BlockDevices.open(loop.node(), OpenMode.READ_WRITE);
                BlockDevice device = InspectedDevice.open(loop.node());
                Arena arena = Arena.ofShared()) {
            assertReads(device);
            // What the other one writes past the page cache is seen.
            MemorySegment written = arena.allocate(65536, 4096).fill((byte) 7);
            writer.writeFully(1 << 20, written);
            MemorySegment seen = arena.allocate(65536);
            device.readFully(1 << 20, seen);
            assertEquals(-1, written.mismatch(seen));
        }
    }

    @Test
    void nothing_else_is_opened_and_a_fifo_keeps_nobody() throws Exception {
        Path fifo = folder.resolve("fifo");
        assertEquals(0, new ProcessBuilder("mkfifo", fifo.toString()).start().waitFor());
        for (Path other : List.of(fifo, folder, Path.of("/dev/null"))) {
            IOException refused = assertThrows(IOException.class, () -> InspectedDevice.open(other));
            assertTrue(refused.getMessage().contains("neither an image file nor a block device"), refused.getMessage());
        }
        assertThrows(java.nio.file.NoSuchFileException.class, () -> InspectedDevice.open(folder.resolve("none")));
        Path image = image();
        assertThrows(IOException.class, () -> InspectedDevice.openAll(image + ":" + fifo));
    }

    @Test
    void after_it_was_closed_or_cut_short_a_read_is_an_error() throws Exception {
        Path image = image();
        BlockDevice device = InspectedDevice.open(image);
        try (var file = new java.io.RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(4096);
        }
        IOException shrunk =
                assertThrows(IOException.class, () -> device.readFully(0, MemorySegment.ofArray(new byte[8192])));
        assertTrue(shrunk.getMessage().contains("shrunk"), shrunk.getMessage());
        device.close();
        assertThrows(IOException.class, () -> device.readFully(0, MemorySegment.ofArray(new byte[512])));
    }
}
