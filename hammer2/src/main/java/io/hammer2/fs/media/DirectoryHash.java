package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;
import java.util.zip.CRC32C;

/**
 * Directory hash of a name (section 10.2): bits 63..32 the sum of the CRCs of the name's parts, bits 31..16 the folded CRC of
 * the whole name, bit 15 set, and below it the collision counter, zero.
 */
public final class DirectoryHash {
    private static final long BIT_15 = 0x8000;

    /** First key of the bucket of {@code name}. */
    public static long of(MemorySegment name) {
        // Byte by byte: names are short, and a ByteBuffer for each part would cost more than the checksum.
        CRC32C whole = new CRC32C();
        CRC32C part = new CRC32C();
        int parts = 0;
        boolean inPart = false;
        long length = name.byteSize();
        for (long i = 0; i < length; i++) {
            int c = Fields.u8(name, i);
            whole.update(c);
            if (!separates(c)) {
                part.update(c);
                inPart = true;
            } else if (inPart) {
                parts += (int) part.getValue();
                part.reset();
                inPart = false;
            }
        }
        if (inPart) {
            parts += (int) part.getValue();
        }
        int folded = (int) whole.getValue();
        long low = (folded ^ (folded << 16)) & 0xFFFF_0000L;
        return (long) (parts | 0x8000_0000) << 32 | low | BIT_15;
    }

    /** As {@link #of(MemorySegment)}. */
    public static long of(byte[] name) {
        return of(MemorySegment.ofArray(name));
    }

    /** Last key, inclusive, of the bucket that begins at {@code hash}: equal hashes are told apart by the counter. */
    public static long bucketEnd(long hash) {
        return hash | Limits.DIRECTORY_COLLISION_MASK;
    }

    private static boolean separates(int c) {
        return c == '.' || c == '-' || c == '_' || c == '~';
    }

    private DirectoryHash() {}
}
