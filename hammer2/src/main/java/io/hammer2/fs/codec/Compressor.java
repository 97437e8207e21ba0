package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;

/**
 * Logical bytes of a data block to stored bytes (framing and limits: format section 11.3); what {@link Decompressor} reads. Keeps
 * what deflate and zstd work with between calls, so it belongs to one caller at a time, in practice to one cpu; close it to give that
 * native memory back.
 */
public final class Compressor implements AutoCloseable {
    /** {@link #compress}: the bytes do not get small enough to gain anything. */
    public static final int INCOMPRESSIBLE = -1;

    /** The reference's room for LZ4 is this much less than half a block. */
    private static final int LZ4_MARGIN_BYTES = 8;

    private static final int ZLIB_LEVEL_DEFAULT = 6;
    private static final int ZSTD_LEVEL_DEFAULT = 3;

    private final LZ4Compressor lz4 = LZ4Factory.fastestInstance().fastCompressor();
    /** Null for that in use, which is not looked for before a block needs it. */
    private final ZlibLibrary zlibLibrary;

    // Made when a block asks first.
    private BlockCompressor zlib;
    private BlockCompressor zstd;

    public Compressor() {
        this(null);
    }

    /** @param zlibLibrary who deflates, whichever this process prefers */
    Compressor(ZlibLibrary zlibLibrary) {
        this.zlibLibrary = zlibLibrary;
    }

    /** Room that {@link #compress} needs for {@code plainBytes}. */
    public static int roomFor(int plainBytes) {
        // LZ4's own bound for what does not compress, and zstd's.
        return LengthWord.BYTES + Math.max(plainBytes + plainBytes / 255 + 16, ZstdCompressor.bound(plainBytes));
    }

    /**
     * Encodes a block, if at most half of it is left.
     *
     * @param method LZ4, ZLIB, or ZSTD where {@link ZstdLibrary} is there
     * @param level of ZLIB, 6 to 9, of ZSTD, 1 to 15; 0 for the default
     * @param plain the block's bytes, a power of two of them, native
     * @param into native, {@link #roomFor} them; undefined where nothing was gained
     * @return bytes in {@code into}, framing included, or {@link #INCOMPRESSIBLE}
     */
    public int compress(Compression method, int level, MemorySegment plain, MemorySegment into) {
        return switch (method) {
            case LZ4 -> lz4(plain, into, (int) plain.byteSize() / 2 - LZ4_MARGIN_BYTES);
            case ZLIB -> zlib().compress(plain, into, level == 0 ? ZLIB_LEVEL_DEFAULT : level);
            case ZSTD -> zstd().compress(plain, into, level == 0 ? ZSTD_LEVEL_DEFAULT : level);
            case NONE, AUTOZERO -> throw new IllegalArgumentException(method + " encodes nothing");
        };
    }

    private int lz4(MemorySegment plain, MemorySegment into, int lengthMax) {
        ByteBuffer target = into.asByteBuffer();
        int length = lz4.compress(
                plain.asByteBuffer(),
                0,
                (int) plain.byteSize(),
                target,
                LengthWord.BYTES,
                target.capacity() - LengthWord.BYTES);
        if (length > lengthMax) {
            return INCOMPRESSIBLE;
        }
        LengthWord.put(into, length);
        return LengthWord.BYTES + length;
    }

    private BlockCompressor zlib() {
        if (zlib == null) {
            zlib = (zlibLibrary == null ? ZlibLibrary.inUse() : zlibLibrary).newCompressor();
        }
        return zlib;
    }

    private BlockCompressor zstd() {
        if (zstd == null) {
            zstd = new ZstdCompressor();
        }
        return zstd;
    }

    @Override
    public void close() {
        if (zlib != null) {
            zlib.close();
            zlib = null;
        }
        if (zstd != null) {
            zstd.close();
            zstd = null;
        }
    }
}
