package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.zip.CRC32C;

/**
 * How a block reference vouches for the block it points to: the high nibble of its methods byte (format sections 4.2 and 5).
 * A code covers all stored bytes, padding included, and lies at the start of the reference's 64-byte check area; what is
 * behind it there is ignored, because a reference that once held a name may keep some of it.
 *
 * <p>Segments are native or backed by a {@code byte[]}.
 */
public enum CheckCode {
    /** No code, by policy of the inode: such data may be overwritten in place. */
    NONE(0, 0),
    /** No code. */
    DISABLED(1, 0),
    /** CRC-32C. */
    ISCSI32(2, 4),
    /** XXH64 with HAMMER2's seed: the default. */
    XXHASH64(3, 8),
    /** SHA-256 folded to 24 bytes. */
    SHA192(4, 24),
    /** CRC-32C, followed by the allocator's hints: freemap blocks, and nothing else. */
    FREEMAP(5, 4);

    /** Size of the check area in a block reference. */
    public static final int AREA_BYTES = 64;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final CheckCode[] BY_CODE = values();

    private final int code;
    private final int lengthBytes;

    CheckCode(int code, int lengthBytes) {
        this.code = code;
        this.lengthBytes = lengthBytes;
    }

    /** The value in the high nibble of a methods byte. */
    public int code() {
        return code;
    }

    /** Bytes of the check area that the code takes; 0 when nothing is verified. */
    public int lengthBytes() {
        return lengthBytes;
    }

    /** Whether a block with this method can be told from a damaged one at all. */
    public boolean verifies() {
        return lengthBytes != 0;
    }

    public static boolean isKnown(int code) {
        return code >= 0 && code < BY_CODE.length;
    }

    /** The check method with this code; CodecException when there is none. */
    public static CheckCode of(int code) {
        if (!isKnown(code)) {
            throw new CodecException("check method", "0 to " + (BY_CODE.length - 1), Integer.toString(code));
        }
        return BY_CODE[code];
    }

    /** CRC-32C of all bytes (format section 5.1), unsigned in the low 32 bits of the int. */
    public static int crc32c(MemorySegment bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.asByteBuffer());
        return (int) crc.getValue();
    }

    /**
     * Whether {@code stored}, all bytes of a block as they are on the media, matches the code at the start of
     * {@code checkArea}. Always true for the methods that verify nothing.
     */
    public boolean matches(MemorySegment stored, MemorySegment checkArea) {
        return switch (this) {
            case NONE, DISABLED -> true;
            case ISCSI32, FREEMAP -> crc32c(stored) == checkArea.get(INT, 0);
            case XXHASH64 -> Xxh64.hash(stored) == checkArea.get(LONG, 0);
            case SHA192 ->
                MemorySegment.mismatch(MemorySegment.ofArray(sha192(stored)), 0, lengthBytes, checkArea, 0, lengthBytes)
                        < 0;
        };
    }

    /** Whether two check areas hold the same code. */
    public boolean isSame(MemorySegment area, MemorySegment other) {
        return MemorySegment.mismatch(area, 0, lengthBytes, other, 0, lengthBytes) < 0;
    }

    /** Puts the code of {@code stored} at the start of {@code checkArea}; the rest of the area is left as it is. */
    public void store(MemorySegment stored, MemorySegment checkArea) {
        switch (this) {
            case NONE, DISABLED -> {}
            case ISCSI32, FREEMAP -> checkArea.set(INT, 0, crc32c(stored));
            case XXHASH64 -> checkArea.set(LONG, 0, Xxh64.hash(stored));
            case SHA192 -> MemorySegment.copy(MemorySegment.ofArray(sha192(stored)), 0, checkArea, 0, lengthBytes);
        }
    }

    /** The code in {@code checkArea} as hexadecimal digits in media order, for messages. */
    public String format(MemorySegment checkArea) {
        return HexFormat.of().formatHex(checkArea.asSlice(0, lengthBytes).toArray(ValueLayout.JAVA_BYTE));
    }

    /** The code that {@code stored} has, as hexadecimal digits in media order, for messages. */
    public String formatCodeOf(MemorySegment stored) {
        MemorySegment area = MemorySegment.ofArray(new byte[AREA_BYTES]);
        store(stored, area);
        return format(area);
    }

    /** SHA-256 as four words, the third xored with the fourth, of which the first three are kept (format section 5.3). */
    private static byte[] sha192(MemorySegment bytes) {
        MessageDigest sha256;
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
        sha256.update(bytes.asByteBuffer());
        byte[] digest = sha256.digest();
        for (int i = 0; i < 8; i++) {
            digest[16 + i] ^= digest[24 + i];
        }
        return digest;
    }
}
