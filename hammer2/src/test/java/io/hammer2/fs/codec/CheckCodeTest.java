package io.hammer2.fs.codec;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Vectors: format specification, sections 5.1 to 5.3 and 18.3. */
final class CheckCodeTest {
    @Test
    void crc32c_has_the_vectors_of_the_format() {
        assertEquals(0x00000000, CheckCode.crc32c(ascii("")));
        assertEquals(0xc1d04330, CheckCode.crc32c(ascii("a")));
        assertEquals(0xe3069283, CheckCode.crc32c(ascii("123456789")));
        assertEquals(0x8a9136aa, CheckCode.crc32c(zeros(32)));
    }

    @Test
    void xxh64_has_the_vectors_of_the_format() {
        assertEquals(0x84566ac0f5a0cb84L, Xxh64.hash(ascii("")));
        assertEquals(0x9ba15f8bd2fb8f3eL, Xxh64.hash(ascii("abc")));
        assertEquals(0xa85f7f8931b8cf1eL, Xxh64.hash(zeros(1024)));
        assertEquals(0x7d8cdd3d4cc973a6L, Xxh64.hash(zeros(65536)));
        assertEquals(0x13c5f0651b404952L, Xxh64.hash(ascii("HAMMER2".repeat(200))));
    }

    @Test
    void xxh64_of_other_seeds_is_the_published_one() {
        assertEquals(0xEF46DB3751D8E999L, Xxh64.hash(ascii(""), 0));
        assertEquals(0x44BC2CF5AD770999L, Xxh64.hash(ascii("abc"), 0));
    }

    @Test
    void xxh64_is_the_same_for_heap_and_native_bytes_at_every_length_and_alignment() {
        byte[] bytes = new byte[200];
        new Random(7).nextBytes(bytes);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment copy = arena.allocate(300);
            for (int length = 0; length <= bytes.length; length++) {
                MemorySegment heap = MemorySegment.ofArray(bytes).asSlice(0, length);
                MemorySegment shifted = copy.asSlice(length % 9, length).copyFrom(heap);
                assertEquals(Xxh64.hash(heap), Xxh64.hash(shifted), "length " + length);
            }
        }
    }

    @Test
    void sha192_folds_the_last_word_into_the_third() {
        MemorySegment area = zeros(CheckCode.AREA_BYTES);
        CheckCode.SHA192.store(ascii("abc"), area);
        assertEquals("ba7816bf8f01cfea414140de5dae222304139ec264176f31", CheckCode.SHA192.format(area));
        assertEquals(0, area.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 24));
    }

    @Test
    void the_block_of_the_worked_example_matches_its_reference() {
        // Section 18.3: 600 times 'x', LZ4, in a block of 1 KiB.
        MemorySegment stored = zeros(1024);
        stored.copyFrom(hex("130000001f780100ffff461f000100ff90500000000000"));
        assertTrue(CheckCode.XXHASH64.matches(stored, area("5ad66ca20a465685")));
    }

    @Test
    void every_method_accepts_its_own_code_and_ignores_what_is_behind_it() {
        MemorySegment block = zeros(1024);
        block.fill((byte) 0x5a);
        for (CheckCode method : CheckCode.values()) {
            MemorySegment area = zeros(CheckCode.AREA_BYTES).fill((byte) 0x77);
            method.store(block, area);
            assertTrue(method.matches(block, area), method.name());
            assertEquals(method.format(area), method.formatCodeOf(block), method.name());
            for (int i = method.lengthBytes(); i < CheckCode.AREA_BYTES; i++) {
                assertEquals(0x77, area.get(java.lang.foreign.ValueLayout.JAVA_BYTE, i), method.name());
            }
        }
    }

    @Test
    void a_flipped_bit_anywhere_in_block_or_code_is_found_by_every_verifying_method() {
        for (CheckCode method : CheckCode.values()) {
            MemorySegment block = zeros(1024);
            MemorySegment area = zeros(CheckCode.AREA_BYTES);
            method.store(block, area);
            for (int bit = 0; bit < 1024 * 8; bit += 61) {
                flip(block, bit);
                assertEquals(!method.verifies(), method.matches(block, area), method + " bit " + bit);
                flip(block, bit);
            }
            for (int bit = 0; bit < method.lengthBytes() * 8; bit++) {
                flip(area, bit);
                assertFalse(method.matches(block, area), method + " code bit " + bit);
                flip(area, bit);
            }
        }
    }

    @Test
    void unknown_codes_are_refused() {
        for (CheckCode method : CheckCode.values()) {
            assertEquals(method, CheckCode.of(method.code()));
        }
        for (int code : new int[] {-1, 6, 15, 255}) {
            assertFalse(CheckCode.isKnown(code));
            assertThrows(CodecException.class, () -> CheckCode.of(code));
        }
    }

    private static void flip(MemorySegment s, int bit) {
        byte b = s.get(java.lang.foreign.ValueLayout.JAVA_BYTE, bit / 8);
        s.set(java.lang.foreign.ValueLayout.JAVA_BYTE, bit / 8, (byte) (b ^ 1 << bit % 8));
    }

    private static MemorySegment area(String hex) {
        return zeros(CheckCode.AREA_BYTES).copyFrom(hex(hex));
    }

    private static MemorySegment hex(String digits) {
        return MemorySegment.ofArray(HexFormat.of().parseHex(digits));
    }

    private static MemorySegment ascii(String text) {
        return MemorySegment.ofArray(text.getBytes(US_ASCII));
    }

    private static MemorySegment zeros(int length) {
        return MemorySegment.ofArray(new byte[length]);
    }
}
