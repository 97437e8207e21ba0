package io.hammer2.fs.codec;

import com.github.luben.zstd.ZstdCompressCtx;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/**
 * Blocks as zstd frames: as with LZ4, a {@link LengthWord}, then one frame, which says how much it decodes to and has no
 * checksum of its own. One context for all blocks.
 */
final class ZstdCompressor implements BlockCompressor {
    /** zstd's bound of what does not compress: 1/256, and for less than 128 KiB some more. */
    private static final int SMALL_BYTES = 128 << 10;

    private final ZstdCompressCtx context = new ZstdCompressCtx();
    private int level;

    /** The most bytes that a frame of {@code plainBytes} can have. */
    static int bound(int plainBytes) {
        return plainBytes + (plainBytes >> 8) + (Math.max(0, SMALL_BYTES - plainBytes) >> 11);
    }

    @Override
    public int compress(MemorySegment plain, MemorySegment into, int wanted) {
        if (level != wanted) {
            context.setLevel(wanted);
            level = wanted;
        }
        ByteBuffer target = into.asByteBuffer();
        int size = (int) plain.byteSize();
        // With room for whatever comes out, or what does not compress would end in an exception each time.
        int length = context.compressDirectByteBuffer(
                target, LengthWord.BYTES, target.capacity() - LengthWord.BYTES, plain.asByteBuffer(), 0, size);
        if (LengthWord.BYTES + length > size / 2) {
            return Compressor.INCOMPRESSIBLE;
        }
        LengthWord.put(into, length);
        return LengthWord.BYTES + length;
    }

    @Override
    public void close() {
        context.close();
    }
}
