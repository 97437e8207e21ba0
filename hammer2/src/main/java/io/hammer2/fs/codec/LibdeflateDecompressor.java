package io.hammer2.fs.codec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** zlib streams, by libdeflate. */
final class LibdeflateDecompressor implements BlockDecompressor {
    private final MemorySegment decompressor = Libdeflate.allocDecompressor();
    private final MemorySegment counts = Arena.ofAuto().allocate(2 * Long.BYTES, Long.BYTES);
    private boolean closed;

    @Override
    public int decompress(MemorySegment stored, MemorySegment logical) {
        int result = Libdeflate.decompress(decompressor, stored, logical, counts);
        if (result == Libdeflate.INSUFFICIENT_SPACE) {
            throw new CodecException(
                    "ZLIB stream", "one that decodes to at most " + logical.byteSize() + " bytes", "a longer one");
        }
        if (result != Libdeflate.SUCCESS) {
            throw new CodecException(
                    "ZLIB stream in a block of " + stored.byteSize() + " bytes",
                    "a valid one that ends inside the block",
                    "a damaged one");
        }
        int decoded = (int) counts.get(ValueLayout.JAVA_LONG, Long.BYTES);
        if (decoded == 0) {
            throw new CodecException("ZLIB stream", "some content", "none");
        }
        return decoded;
    }

    @Override
    public void close() {
        if (!closed) {
            Libdeflate.freeDecompressor(decompressor);
            closed = true;
        }
    }
}
