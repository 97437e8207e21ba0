package io.hammer2.fs.codec;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What {@link ZstdCompressor} has made, or somebody else in its place: exactly one frame of the kind that zstd writes today, so that what the
 * library also reads, frames of its early versions and several in a row, is never met. It decodes into the block and takes no memory for what
 * a frame claims. One context for all blocks.
 */
final class ZstdDecompressor implements BlockDecompressor {
    private static final int MAGIC = 0xFD2FB528;
    private static final int MAGIC_BYTES = 4;
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ZstdDecompressCtx context = new ZstdDecompressCtx();

    @Override
    public int decompress(MemorySegment stored, MemorySegment logical) {
        int length = LengthWord.get("zstd", stored, MAGIC_BYTES);
        String frame = "zstd frame of " + length + " bytes";
        if (stored.get(INT, LengthWord.BYTES) != MAGIC) {
            throw new CodecException(
                    frame,
                    String.format("magic %08x", MAGIC),
                    String.format("%08x", stored.get(INT, LengthWord.BYTES)));
        }
        ByteBuffer source = stored.asByteBuffer();
        ByteBuffer into = logical.asByteBuffer();
        try {
            long one = Zstd.findDirectByteBufferFrameCompressedSize(source, LengthWord.BYTES, length);
            if (one != length) {
                throw new CodecException(frame, "one that ends with its block", "one of " + one + " bytes");
            }
            int decoded =
                    context.decompressDirectByteBuffer(into, 0, into.capacity(), source, LengthWord.BYTES, length);
            if (decoded == 0) {
                throw new CodecException(frame, "some content", "none");
            }
            return decoded;
        } catch (ZstdException e) {
            throw new CodecException(
                    frame,
                    "one that decodes to at most " + into.capacity() + " bytes",
                    "a damaged one (" + e.getMessage() + ")");
        }
    }

    @Override
    public void close() {
        context.close();
    }
}
