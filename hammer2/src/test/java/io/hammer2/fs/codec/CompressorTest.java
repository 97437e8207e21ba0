package io.hammer2.fs.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class CompressorTest {
    private static final int LOGICAL = 65536;

    @ParameterizedTest
    @EnumSource(names = {"LZ4", "ZLIB", "ZSTD"})
    void what_is_compressed_is_at_most_half_and_comes_back(Compression method) {
        Random random = new Random(1);
        try (Arena arena = Arena.ofConfined();
                Compressor compressor = new Compressor();
                Decompressor decompressor = new Decompressor()) {
            MemorySegment into = arena.allocate(Compressor.roomFor(LOGICAL));
            MemorySegment logical = arena.allocate(LOGICAL);
            int compressed = 0;
            for (int i = 0; i < 400; i++) {
                int size = 2048 << random.nextInt(6);
                byte[] content = new byte[size];
                // From all alike to all random.
                int alphabet = 1 << random.nextInt(9);
                for (int at = 0; at < size; at++) {
                    content[at] =
                            (byte) (random.nextInt(4) == 0 || at == 0 ? random.nextInt(alphabet) : content[at - 1]);
                }
                if (random.nextInt(4) == 0) {
                    random.nextBytes(content);
                }
                MemorySegment plain = arena.allocate(size).copyFrom(MemorySegment.ofArray(content));
                int length = compressor.compress(method, 0, plain, into);
                if (length == Compressor.INCOMPRESSIBLE) {
                    continue;
                }
                compressed++;
                assertTrue(length <= size / 2, length + " of " + size);
                MemorySegment stored = arena.allocate(Math.max(1024, Integer.highestOneBit(length - 1) << 1));
                stored.copyFrom(into.asSlice(0, length));
                assertEquals(size, decompressor.decompress(method, stored, logical));
                assertArrayEquals(Arrays.copyOf(content, LOGICAL), logical.toArray(ValueLayout.JAVA_BYTE));
            }
            assertTrue(compressed > 50, "only " + compressed + " of 400 got smaller");
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"LZ4", "ZLIB", "ZSTD"})
    void random_bytes_are_left_as_they_are(Compression method) {
        byte[] content = new byte[LOGICAL];
        new Random(2).nextBytes(content);
        try (Arena arena = Arena.ofConfined();
                Compressor compressor = new Compressor()) {
            MemorySegment plain = arena.allocate(LOGICAL).copyFrom(MemorySegment.ofArray(content));
            MemorySegment into = arena.allocate(Compressor.roomFor(LOGICAL));
            assertEquals(Compressor.INCOMPRESSIBLE, compressor.compress(method, 9, plain, into));
        }
    }
}
