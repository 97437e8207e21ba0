package io.hammer2.fs.media;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BlockRefTest {
    private static final long TOTAL_BYTES = 2L << 30;

    /** Section 18.3: the data block of {@code six00}. */
    private static final String SIX00 = "0332001000000000" + "0000000000000000" + "1100000000000000"
            + "0500000000000000" + "0a00c00100000000" + "00".repeat(24) + "5ad66ca20a465685" + "00".repeat(56);

    private static BlockRef ref(String hex) {
        return BlockRef.read(MemorySegment.ofArray(HexFormat.of().parseHex(hex)), 0);
    }

    @Test
    void the_worked_example_reads_as_the_format_says() {
        BlockRef ref = ref(SIX00);
        assertEquals(BlockType.DATA, ref.type());
        assertEquals(3, ref.checkMethod());
        assertEquals(2, ref.compressionMethod());
        assertEquals(0, ref.key());
        assertEquals(0xFFFF, ref.keyEnd());
        assertEquals(0x11, ref.mirrorTid());
        assertEquals(5, ref.modifyTid());
        assertEquals(0x1c00000, ref.offsetBytes());
        assertEquals(1024, ref.storedBytes());
        ref.validate(TOTAL_BYTES);
    }

    @Test
    void what_is_read_is_written_bit_for_bit() {
        Random random = new Random(1);
        byte[] bytes = new byte[BlockRef.BYTES];
        for (int i = 0; i < 1000; i++) {
            random.nextBytes(bytes);
            bytes[0] = (byte) random.nextInt(8);
            MemorySegment written = MemorySegment.ofArray(new byte[BlockRef.BYTES]);
            BlockRef ref = BlockRef.read(MemorySegment.ofArray(bytes), 0);
            ref.write(written, 0);
            assertEquals(-1, MemorySegment.ofArray(bytes).mismatch(written));
            assertEquals(ref, ref.toBuilder().build());
            assertEquals(ref.hashCode(), BlockRef.hashAt(written, 0));
            assertTrue(ref.isAt(written, 0));
        }
    }

    @Test
    void references_differ_if_any_byte_does() {
        byte[] bytes = HexFormat.of().parseHex(SIX00);
        for (int i = 1; i < bytes.length; i++) {
            byte[] other = bytes.clone();
            other[i] ^= 1;
            assertNotEquals(ref(SIX00), BlockRef.read(MemorySegment.ofArray(other), 0), "byte " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 100, 254, 255})
    void an_unknown_type_is_damage(int code) {
        byte[] bytes = new byte[BlockRef.BYTES];
        bytes[0] = (byte) code;
        assertThrows(CorruptBlockException.class, () -> BlockRef.read(MemorySegment.ofArray(bytes), 0));
    }

    /** Each line breaks one rule of section 4 or 4.1, and only that. */
    @ParameterizedTest
    @CsvSource({
        "INODE,    0,                1,  1000000a, keybits of an inode",
        "INODE,    0,                0,  1000000b, radix of the stored size",
        "INODE,    0,                0,  10000000, radix of the stored size",
        "INODE,    0,                0,  1000020a, offset of a block",
        "INODE,    0,                0,  7fffff8000000a, offset of a block",
        "INODE,    0,                0,  8000000010000c0a, offset of a block",
        "INODE,    0,                0,  80000c0a, offset of a block",
        "INODE,    0,                0,  40000c0a, place of a block",
        "DIRENT,   8000000000008000, 1,  0,        keybits of a directory entry",
        "DIRENT,   0000000000008000, 0,  0,        key of a directory entry",
        "DIRENT,   8000000000008000, 0,  1000000b, radix of the stored size",
        "DATA,     0,                15, 10000010, keybits of file data",
        "DATA,     8000000000000000, 16, 10000010, key of file data",
        "DATA,     1000,             16, 10000010, alignment of the key range",
        "DATA,     0,                16, 10000011, radix of the stored size",
        "DATA,     0,                16, 1000003f, radix of the stored size",
        "DATA,     0,                16, 10000410, place of a block",
        "INDIRECT, 0,                0,  1000000c, keybits of an indirect block",
        "INDIRECT, 0,                64, 1000000c, keybits of an indirect block",
        "INDIRECT, 0,                255, 1000000c, keybits of an indirect block",
        "INDIRECT, 10,               5,  1000000c, alignment of the key range",
        "INDIRECT, 0,                5,  1000000b, radix of the stored size",
        "FREEMAP_LEAF, 0,            31, 1000f,    keybits of a freemap block",
        "FREEMAP_NODE, 0,            30, 1000f,    keybits of a freemap block",
        "FREEMAP_LEAF, 0,            30, 1000000f, place of a block",
        "FREEMAP_LEAF, 0,            30, 1000e,    radix of the stored size",
        "INVALID,  0,                0,  0,        type of a block reference",
    })
    void what_nothing_may_be_computed_from_is_refused(
            BlockType type, String key, int keybits, String dataOff, String what) {
        BlockRef ref = BlockRef.builder(type)
                .key(Long.parseUnsignedLong(key, 16), keybits)
                .dataOff(Long.parseUnsignedLong(dataOff, 16))
                .build();
        CorruptBlockException damage = assertThrows(CorruptBlockException.class, () -> ref.validate(TOTAL_BYTES));
        assertEquals(what, damage.what());
        assertEquals(ref, damage.ref());
    }

    @Test
    void keys_are_unsigned() {
        BlockRef half = BlockRef.builder(BlockType.INDIRECT)
                .key(Key.DIRENT_BIT, 63)
                .dataOff(0x1000000c)
                .build();
        assertEquals(-1L, half.keyEnd());
        assertTrue(half.covers(-5) && !half.covers(5));
        half.validate(TOTAL_BYTES);
    }
}
