package io.hammer2.fs.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.Compressor;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.TreeWriter;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Random;
import java.util.zip.Deflater;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Compressed blocks that somebody made to do harm, with check codes that fit: wrong lengths, streams cut off, garbage, and bombs. Each ends in
 * at most 64 KiB of content or in an error of that block, and the next block is read as if nothing had been.
 */
final class HostileBlocksTest {
    private static final int BLOCKS = 5_000;
    private static final long CACHE_BYTES = 4L << 20;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Random random = new Random(20261126);

    private static BlockRef.Builder ref() {
        return BlockRef.builder(BlockType.DATA).key(0, Limits.DATA_KEYBITS);
    }

    /** What decodes to {@code size} bytes of text. */
    private byte[] sound(Compressor compressor, Arena arena, Compression method, int size) {
        MemorySegment plain = arena.allocate(size);
        for (int i = 0; i < size; i++) {
            plain.set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt(24) == 0 ? random.nextInt() : 'a'));
        }
        MemorySegment into = arena.allocate(Compressor.roomFor(size));
        int length = compressor.compress(method, 0, plain, into);
        assertTrue(length > 0);
        byte[] stored = new byte[Math.max(1024, Integer.highestOneBit(length - 1) << 1)];
        MemorySegment.copy(into, 0, MemorySegment.ofArray(stored), 0, length);
        return stored;
    }

    /** Zeros without end, or nearly so: a thousand times as many as the block has bytes. */
    private static byte[] bomb(Compression method) {
        byte[] stored = new byte[Limits.BLOCK_BYTES_MAX];
        if (method == Compression.LZ4) {
            // A literal, then one match whose length goes on to the end of the block.
            MemorySegment.ofArray(stored).fill((byte) 0xFF);
            MemorySegment.ofArray(stored).set(INT, 0, stored.length - 4);
            stored[4] = 0x1F;
            stored[6] = 1;
            stored[7] = 0;
            return stored;
        }
        Deflater deflater = new Deflater(9);
        deflater.setInput(new byte[50 << 20]);
        deflater.finish();
        int length = deflater.deflate(stored);
        assertTrue(length > 40_000, length + " bytes");
        deflater.end();
        return stored;
    }

    private void harm(Compression method, byte[] stored) {
        MemorySegment bytes = MemorySegment.ofArray(stored);
        switch (random.nextInt(6)) {
            case 0 -> bytes.set(INT, 0, random.nextInt());
            case 1 -> bytes.set(INT, 0, stored.length - random.nextInt(12) + 4);
            case 2 -> bytes.asSlice(random.nextInt(stored.length)).fill((byte) (random.nextBoolean() ? 0 : 0xFF));
            case 3 -> {
                for (int i = 1 + random.nextInt(8); i > 0; i--) {
                    stored[random.nextInt(Math.min(stored.length, 64))] = (byte) random.nextInt();
                }
            }
            case 4 -> {
                for (int i = 1 + random.nextInt(64); i > 0; i--) {
                    stored[random.nextInt(stored.length)] ^= (byte) (1 << random.nextInt(8));
                }
            }
            default -> {
                random.nextBytes(stored);
                if (method == Compression.LZ4) {
                    bytes.set(INT, 0, 1 + random.nextInt(stored.length - 4));
                } else {
                    stored[0] = 0x78;
                    stored[1] = (byte) 0x9C;
                }
            }
        }
    }

    private static BlockRef write(TreeWriter writer, Compression method, byte[] stored) throws Exception {
        BlockRef plain = writer.write(ref(), MemorySegment.ofArray(stored));
        return plain.toBuilder()
                .methods(CheckCode.XXHASH64.code(), method.code())
                .build();
    }

    @ParameterizedTest
    @EnumSource(names = {"LZ4", "ZLIB"})
    void a_hostile_block_is_content_or_an_error_of_its_own(Compression method) throws Exception {
        int refused = 0;
        int decoded = 0;
        try (Arena arena = Arena.ofConfined();
                Compressor compressor = new Compressor();
                Lwkt lwkt = Lwkt.stepped(1, 1)) {
            byte[] bomb = bomb(method);
            byte[][] sound = new byte[8][];
            for (int i = 0; i < sound.length; i++) {
                sound[i] = sound(compressor, arena, method, 2048 << random.nextInt(6));
            }
            for (int done = 0; done < BLOCKS; ) {
                TreeWriter writer = new TreeWriter(random);
                BlockIo io = new BlockIo(
                        lwkt.cpu(0), writer.device(), TreeWriter.DEVICE_BYTES, new PendingWrites(), CACHE_BYTES);
                int[] counts = new int[2];
                int batch = Math.min(40, BLOCKS - done);
                lwkt.run(0, () -> {
                    for (int i = 0; i < batch; i++) {
                        byte[] stored = i == 0 ? bomb : sound[random.nextInt(sound.length)].clone();
                        if (i > 0) {
                            harm(method, stored);
                        }
                        counts[load(io, write(writer, method, stored)) ? 1 : 0]++;
                        if (i % 4 == 0) {
                            // The decompressor is as good as before.
                            assertTrue(load(io, write(writer, method, sound[i / 4 % sound.length])));
                        }
                    }
                    assertTrue(
                            io.stats().memoryBytes() <= 2 * CACHE_BYTES,
                            io.stats().memoryBytes() + " bytes");
                    io.close();
                    return null;
                });
                refused += counts[0];
                decoded += counts[1];
                done += batch;
            }
        }
        assertEquals(BLOCKS, refused + decoded);
        // Garbage in a literal is content; most of the rest is none.
        assertTrue(refused > BLOCKS / 3, refused + " refused");
        assertTrue(decoded > BLOCKS / 100, decoded + " decoded");
    }

    /** @return whether it is content */
    private static boolean load(BlockIo io, BlockRef ref) {
        try {
            CachedBlock block = io.load(ref);
            assertTrue(block.bytes().byteSize() <= Limits.BLOCK_BYTES_MAX);
            io.release(block);
            return true;
        } catch (CorruptBlockException e) {
            return false;
        }
    }
}
