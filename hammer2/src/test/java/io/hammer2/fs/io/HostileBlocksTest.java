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
import io.hammer2.fs.testing.HostileBlocks;
import io.hammer2.fs.testing.TreeWriter;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Compressed blocks that somebody made to do harm, with check codes that fit: wrong lengths, streams cut off, garbage, and bombs. Each ends in
 * at most 64 KiB of content or in an error of that block, and the next block is read as if nothing had been.
 */
final class HostileBlocksTest {
    private static final int BLOCKS = 5_000;
    private static final long CACHE_BYTES = 4L << 20;

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

    private static BlockRef write(TreeWriter writer, Compression method, byte[] stored) throws Exception {
        BlockRef plain = writer.write(ref(), MemorySegment.ofArray(stored));
        return plain.toBuilder()
                .methods(CheckCode.XXHASH64.code(), method.code())
                .build();
    }

    @ParameterizedTest
    @EnumSource(names = {"LZ4", "ZLIB", "ZSTD"})
    void a_hostile_block_is_content_or_an_error_of_its_own(Compression method) throws Exception {
        int refused = 0;
        int decoded = 0;
        try (Arena arena = Arena.ofConfined();
                Compressor compressor = new Compressor();
                Lwkt lwkt = Lwkt.stepped(1, 1)) {
            HostileBlocks hostile = new HostileBlocks(random, method);
            byte[] bomb = new byte[Limits.BLOCK_BYTES_MAX];
            hostile.bomb(MemorySegment.ofArray(bomb));
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
                            hostile.harm(MemorySegment.ofArray(stored));
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
