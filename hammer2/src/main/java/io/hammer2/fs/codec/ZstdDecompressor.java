package io.hammer2.fs.codec;

import static io.hammer2.fs.codec.ZstdCompressor.HEAD_BYTES;

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
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final ZstdDecompressCtx context = new ZstdDecompressCtx();

    @Override
    public int decompress(MemorySegment stored, MemorySegment logical) {
        int length = lengthWord(stored);
        String frame = "zstd frame of " + length + " bytes";
        if (stored.get(INT, HEAD_BYTES) != MAGIC) {
            throw new CodecException(
                    frame, String.format("magic %08x", MAGIC), String.format("%08x", stored.get(INT, HEAD_BYTES)));
        }
        ByteBuffer source = stored.asByteBuffer();
        ByteBuffer into = logical.asByteBuffer();
        try {
            long one = Zstd.findDirectByteBufferFrameCompressedSize(source, HEAD_BYTES, length);
            if (one != length) {
                throw new CodecException(frame, "one that ends with its block", "one of " + one + " bytes");
            }
            int decoded = context.decompressDirectByteBuffer(into, 0, into.capacity(), source, HEAD_BYTES, length);
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

    private static int lengthWord(MemorySegment stored) {
        long room = stored.byteSize() - HEAD_BYTES;
        // Compared as an unsigned number, or a length with the top bit set would count as a small one.
        long length = room < 0 ? 0 : Integer.toUnsignedLong(stored.get(INT, 0));
        if (length < Integer.BYTES || length > room) {
            throw new CodecException(
                    "zstd length word of a block of " + stored.byteSize() + " bytes",
                    Integer.BYTES + " to " + room,
                    Long.toString(length));
        }
        return (int) length;
    }

    @Override
    public void close() {
        context.close();
    }
}
