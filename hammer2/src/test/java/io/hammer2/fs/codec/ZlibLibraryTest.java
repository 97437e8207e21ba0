package io.hammer2.fs.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.fs.testing.HostileBlocks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** libdeflate and the JDK's zlib stand for each other: each reads what the other writes, under the same limits. */
final class ZlibLibraryTest {
    private static final int LOGICAL = 65536;
    private static final int[] LEVELS = {6, 7, 8, 9};

    @BeforeEach
    void both() {
        assumeTrue(
                ZlibLibrary.LIBDEFLATE.isAvailable(),
                "skipped: libdeflate is not installed (Debian: apt-get install libdeflate0), so there is nothing to compare");
    }

    /** From all alike to all random, of every size that a block can have. */
    private static byte[] content(Random random) {
        byte[] content = new byte[2048 << random.nextInt(6)];
        int alphabet = 1 << random.nextInt(9);
        for (int at = 0; at < content.length; at++) {
            content[at] = (byte) (random.nextInt(3) == 0 || at == 0 ? random.nextInt(alphabet) : content[at - 1]);
        }
        return content;
    }

    @Test
    void each_reads_what_the_other_writes_in_at_most_half() {
        Random random = new Random(7);
        Map<ZlibLibrary, Integer> bytes = new EnumMap<>(ZlibLibrary.class);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(Compressor.roomFor(LOGICAL));
            MemorySegment logical = arena.allocate(LOGICAL);
            for (int i = 0; i < 200; i++) {
                byte[] content = content(random);
                MemorySegment plain = arena.allocate(content.length).copyFrom(MemorySegment.ofArray(content));
                int level = LEVELS[random.nextInt(LEVELS.length)];
                for (ZlibLibrary writer : ZlibLibrary.values()) {
                    ZlibLibrary reader = writer == ZlibLibrary.JDK ? ZlibLibrary.LIBDEFLATE : ZlibLibrary.JDK;
                    try (Compressor compressor = new Compressor(writer);
                            Decompressor decompressor = new Decompressor(reader)) {
                        int length = compressor.compress(Compression.ZLIB, level, plain, into);
                        bytes.merge(
                                writer, length == Compressor.INCOMPRESSIBLE ? content.length : length, Integer::sum);
                        if (length == Compressor.INCOMPRESSIBLE) {
                            continue;
                        }
                        assertTrue(length <= content.length / 2);
                        assertEquals(0x78, into.get(ValueLayout.JAVA_BYTE, 0));
                        // With padding, as it is stored.
                        int stored = Math.max(1024, Integer.highestOneBit(length - 1) << 1);
                        into.asSlice(length, stored - length).fill((byte) 0);
                        assertEquals(
                                content.length,
                                decompressor.decompress(Compression.ZLIB, into.asSlice(0, stored), logical));
                        assertArrayEquals(Arrays.copyOf(content, LOGICAL), logical.toArray(ValueLayout.JAVA_BYTE));
                    }
                }
            }
        }
        double ratio = (double) bytes.get(ZlibLibrary.LIBDEFLATE) / bytes.get(ZlibLibrary.JDK);
        assertTrue(ratio > 0.95 && ratio < 1.05, "libdeflate stores " + ratio + " of what the JDK stores");
    }

    /** What both take for content is the same, and each of them refuses what is none. */
    @Test
    void hostile_streams_are_the_same_content_for_both_or_an_error() {
        long seed = 99;
        Random random = new Random(seed);
        HostileBlocks hostile = new HostileBlocks(random, Compression.ZLIB);
        int refused = 0;
        int differ = 0;
        try (Arena arena = Arena.ofConfined();
                Compressor compressor = new Compressor(ZlibLibrary.JDK);
                Decompressor jdk = new Decompressor(ZlibLibrary.JDK);
                Decompressor libdeflate = new Decompressor(ZlibLibrary.LIBDEFLATE)) {
            MemorySegment into = arena.allocate(Compressor.roomFor(LOGICAL));
            // Behind it lies what must not be touched.
            MemorySegment room = arena.allocate(2 * LOGICAL).fill((byte) 0x5A);
            MemorySegment logical = room.asSlice(0, LOGICAL);
            byte[][] sound = new byte[16][];
            for (int i = 0; i < sound.length; i++) {
                int length;
                do {
                    byte[] content = content(random);
                    MemorySegment plain = arena.allocate(content.length).copyFrom(MemorySegment.ofArray(content));
                    length = compressor.compress(Compression.ZLIB, 6, plain, into);
                } while (length == Compressor.INCOMPRESSIBLE);
                sound[i] = into.asSlice(0, Math.max(1024, Integer.highestOneBit(length - 1) << 1))
                        .toArray(ValueLayout.JAVA_BYTE);
            }
            for (int round = 0; round < 5_000; round++) {
                MemorySegment stored = arena.allocateFrom(ValueLayout.JAVA_BYTE, sound[round % sound.length]);
                hostile.harm(stored);
                byte[] first = decoded(jdk, stored, logical);
                byte[] second = decoded(libdeflate, stored, logical);
                refused += second == null ? 1 : 0;
                if (first != null && second != null) {
                    assertArrayEquals(first, second, "seed " + seed + " round " + round);
                } else if (first != null || second != null) {
                    differ++;
                }
            }
            assertEquals(
                    -1, room.asSlice(LOGICAL).mismatch(arena.allocate(LOGICAL).fill((byte) 0x5A)));
        }
        assertTrue(refused > 3_000, refused + " refused, seed " + seed);
        assertTrue(differ < 20, differ + " streams are content for one of them only, seed " + seed);
    }

    private static byte[] decoded(Decompressor decompressor, MemorySegment stored, MemorySegment logical) {
        try {
            int length = decompressor.decompress(Compression.ZLIB, stored, logical);
            assertTrue(length > 0 && length <= LOGICAL);
            return logical.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
        } catch (CodecException e) {
            return null;
        }
    }

    @Test
    void bombs_and_streams_that_end_early_are_refused_by_libdeflate() {
        try (Arena arena = Arena.ofConfined();
                Decompressor libdeflate = new Decompressor(ZlibLibrary.LIBDEFLATE)) {
            MemorySegment logical = arena.allocate(LOGICAL);
            MemorySegment bomb = arena.allocate(LOGICAL);
            new HostileBlocks(new Random(1), Compression.ZLIB).bomb(bomb);
            assertThrows(CodecException.class, () -> libdeflate.decompress(Compression.ZLIB, bomb, logical));
            assertThrows(
                    CodecException.class, () -> libdeflate.decompress(Compression.ZLIB, bomb.asSlice(0, 0), logical));
        }
    }
}
