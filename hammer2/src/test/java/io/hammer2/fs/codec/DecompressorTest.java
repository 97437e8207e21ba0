package io.hammer2.fs.codec;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.github.luben.zstd.Zstd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.zip.Deflater;
import net.jpountz.lz4.LZ4Factory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class DecompressorTest {
    private static final int LOGICAL = 65536;

    private final Decompressor decompressor = new Decompressor();
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment logical = arena.allocate(LOGICAL).fill((byte) 0xee);

    @AfterEach
    void free() {
        decompressor.close();
        arena.close();
    }

    @Test
    void the_lz4_block_of_the_worked_example_gives_600_x_and_zeros() {
        // Section 18.3.
        byte[] stored = new byte[1024];
        byte[] stream = HexFormat.of().parseHex("130000001f780100ffff461f000100ff90500000000000");
        System.arraycopy(stream, 0, stored, 0, stream.length);
        assertEquals(1024, decompressor.decompress(Compression.LZ4, MemorySegment.ofArray(stored), logical));
        byte[] expected = new byte[LOGICAL];
        Arrays.fill(expected, 0, 600, (byte) 'x');
        assertArrayEquals(expected, logical.toArray(ValueLayout.JAVA_BYTE));
    }

    @Test
    void what_was_compressed_comes_back_from_heap_and_native_segments() {
        Random random = new Random(11);
        for (int length : new int[] {1, 1024, 4096, 65535, 65536}) {
            byte[] content = text(random, length);
            for (Compression method :
                    new Compression[] {Compression.NONE, Compression.LZ4, Compression.ZLIB, Compression.ZSTD}) {
                byte[] stored = encode(method, content);
                for (MemorySegment source : new MemorySegment[] {MemorySegment.ofArray(stored), onNative(stored)}) {
                    logical.fill((byte) 0xee);
                    assertEquals(length, decompressor.decompress(method, source, logical), method + " " + length);
                    assertArrayEquals(Arrays.copyOf(content, LOGICAL), logical.toArray(ValueLayout.JAVA_BYTE));
                }
            }
        }
    }

    @Test
    void padding_behind_the_stream_is_ignored() {
        byte[] content = text(new Random(3), 30000);
        for (Compression method : new Compression[] {Compression.LZ4, Compression.ZLIB, Compression.ZSTD}) {
            byte[] stored = Arrays.copyOf(encode(method, content), LOGICAL);
            Arrays.fill(stored, LOGICAL - 100, LOGICAL, (byte) 0xff);
            assertEquals(30000, decompressor.decompress(method, onNative(stored), logical));
        }
    }

    @Test
    void a_stream_longer_than_the_logical_block_is_refused() {
        byte[] content = text(new Random(5), LOGICAL + 1);
        for (Compression method :
                new Compression[] {Compression.NONE, Compression.LZ4, Compression.ZLIB, Compression.ZSTD}) {
            assertRefused(method, encode(method, content));
        }
    }

    @Test
    void a_bomb_is_refused_without_memory_for_what_it_claims() {
        assertRefused(Compression.ZLIB, encode(Compression.ZLIB, new byte[64 << 20]));
        assertRefused(Compression.LZ4, encode(Compression.LZ4, new byte[8 << 20]));
        assertRefused(Compression.ZSTD, encode(Compression.ZSTD, new byte[64 << 20]));
    }

    @Test
    void a_truncated_stream_is_refused_at_every_length() {
        byte[] content = text(new Random(6), 3000);
        byte[] zlib = encode(Compression.ZLIB, content);
        for (int length = 0; length < zlib.length; length++) {
            assertRefused(Compression.ZLIB, Arrays.copyOf(zlib, length));
        }
        byte[] lz4 = encode(Compression.LZ4, content);
        for (int length = 0; length < lz4.length; length++) {
            assertRefused(Compression.LZ4, Arrays.copyOf(lz4, length));
        }
        byte[] zstd = encode(Compression.ZSTD, content);
        for (int length = 0; length < zstd.length; length++) {
            assertRefused(Compression.ZSTD, Arrays.copyOf(zstd, length));
        }
    }

    @Test
    void length_words_outside_the_block_are_refused() {
        for (int word : new int[] {0, 1021, 1024, Integer.MAX_VALUE, Integer.MIN_VALUE, -1}) {
            byte[] stored = new byte[1024];
            MemorySegment.ofArray(stored).set(ValueLayout.JAVA_INT_UNALIGNED, 0, word);
            assertRefused(Compression.LZ4, stored);
            assertRefused(Compression.ZSTD, stored);
        }
    }

    /** The library would read all of these. */
    @Test
    void what_is_not_one_zstd_frame_of_today_is_refused() {
        byte[] frame = Zstd.compress(text(new Random(8), 5000));
        assertEquals(5000, decompressor.decompress(Compression.ZSTD, onNative(framed(frame)), logical));
        byte[] two = Arrays.copyOf(frame, 2 * frame.length);
        System.arraycopy(frame, 0, two, frame.length, frame.length);
        assertRefused(Compression.ZSTD, framed(two));
        // A frame to be skipped, with four bytes in it, and then content.
        byte[] skipped = new byte[12 + frame.length];
        MemorySegment.ofArray(skipped).set(ValueLayout.JAVA_INT_UNALIGNED, 0, 0x184D2A50);
        skipped[4] = 4;
        System.arraycopy(frame, 0, skipped, 12, frame.length);
        assertRefused(Compression.ZSTD, framed(skipped));
        // Versions 0.2 to 0.7 of the format have other magics.
        for (int version = 2; version <= 7; version++) {
            byte[] old = frame.clone();
            old[0] = (byte) (0x20 + version);
            assertRefused(Compression.ZSTD, framed(old));
        }
    }

    @Test
    void streams_without_content_are_refused() {
        assertRefused(Compression.ZLIB, encode(Compression.ZLIB, new byte[0]));
        assertRefused(Compression.LZ4, new byte[] {1, 0, 0, 0, 0});
        assertRefused(Compression.LZ4, new byte[1024]);
        assertRefused(Compression.ZLIB, new byte[1024]);
        assertRefused(Compression.ZSTD, encode(Compression.ZSTD, new byte[0]));
        assertRefused(Compression.ZSTD, new byte[1024]);
    }

    @Test
    void a_zlib_stream_that_wants_a_dictionary_is_refused() {
        Deflater deflater = new Deflater();
        deflater.setDictionary(new byte[] {1, 2, 3, 4});
        assertRefused(Compression.ZLIB, deflate(deflater, new byte[100]));
    }

    @Test
    void autozero_is_no_encoding() {
        assertRefused(Compression.AUTOZERO, new byte[1024]);
        assertFalse(Compression.AUTOZERO.isEncoding());
        assertThrows(CodecException.class, () -> Compression.of(5));
    }

    @Test
    void mutated_streams_end_in_content_or_a_named_error_and_leave_the_decompressor_usable() {
        long seed = 0x5eed;
        Random random = new Random(seed);
        byte[] content = text(random, 20000);
        int refused = 0;
        Compression[] methods = {Compression.LZ4, Compression.ZLIB, Compression.ZSTD};
        for (int round = 0; round < 6000; round++) {
            Compression method = methods[round % 3];
            byte[] good = encode(method, content);
            byte[] bad = good.clone();
            for (int i = random.nextInt(4); i >= 0; i--) {
                bad[random.nextInt(random.nextBoolean() ? 16 : bad.length)] = (byte) random.nextInt();
            }
            try {
                int length = decompressor.decompress(method, onNative(bad), logical);
                assertTrue(length > 0 && length <= LOGICAL, "seed " + seed + " round " + round);
            } catch (CodecException e) {
                refused++;
            }
            if (round % 100 == 0) {
                assertEquals(content.length, decompressor.decompress(method, onNative(good), logical));
            }
        }
        assertTrue(refused > 1000, "only " + refused + " mutations were noticed, seed " + seed);
    }

    private void assertRefused(Compression method, byte[] stored) {
        assertThrows(
                CodecException.class,
                () -> decompressor.decompress(method, onNative(stored), logical),
                () -> method + " of " + stored.length + " bytes");
    }

    private MemorySegment onNative(byte[] bytes) {
        return Arena.ofAuto()
                .allocate(Math.max(1, bytes.length))
                .asSlice(0, bytes.length)
                .copyFrom(MemorySegment.ofArray(bytes));
    }

    /** Words of a small vocabulary: compressible, but not a single run. */
    private static byte[] text(Random random, int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (random.nextInt(6) == 0 ? 'a' + random.nextInt(20) : i > 40 ? bytes[i - 37] : 'e');
        }
        return bytes;
    }

    private static byte[] encode(Compression method, byte[] content) {
        return switch (method) {
            case NONE, AUTOZERO -> content;
            case ZLIB -> deflate(new Deflater(), content);
            case LZ4 -> framed(LZ4Factory.fastestInstance().fastCompressor().compress(content));
            case ZSTD -> framed(Zstd.compress(content));
        };
    }

    private static byte[] framed(byte[] stream) {
        byte[] stored = new byte[stream.length + 4];
        MemorySegment.ofArray(stored).set(ValueLayout.JAVA_INT_UNALIGNED, 0, stream.length);
        System.arraycopy(stream, 0, stored, 4, stream.length);
        return stored;
    }

    private static byte[] deflate(Deflater deflater, byte[] content) {
        deflater.setInput(content);
        deflater.finish();
        byte[] stored = new byte[content.length + 200];
        int length = deflater.deflate(stored);
        deflater.end();
        return Arrays.copyOf(stored, length);
    }
}
