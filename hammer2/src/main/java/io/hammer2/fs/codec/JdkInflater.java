package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/** zlib streams, by the JDK. */
final class JdkInflater implements BlockDecompressor {
    private final Inflater inflater = new Inflater();
    private final ByteBuffer overrun = ByteBuffer.allocateDirect(1);

    @Override
    public int decompress(MemorySegment stored, MemorySegment logical) {
        try {
            return inflate(stored, logical);
        } catch (DataFormatException e) {
            throw new CodecException("ZLIB stream", "a valid one", "a damaged one (" + e.getMessage() + ")");
        } finally {
            // Lets go of the caller's segment as well.
            inflater.reset();
        }
    }

    private int inflate(MemorySegment stored, MemorySegment logical) throws DataFormatException {
        ByteBuffer into = logical.asByteBuffer();
        inflater.setInput(stored.asByteBuffer());
        inflater.inflate(into);
        if (!inflater.finished() && !into.hasRemaining()) {
            // The end marker and the checksum may still be unread behind the last byte that fitted.
            overrun.clear();
            if (inflater.inflate(overrun) != 0) {
                throw new CodecException(
                        "ZLIB stream", "one that decodes to at most " + logical.byteSize() + " bytes", "a longer one");
            }
        }
        if (!inflater.finished()) {
            throw new CodecException(
                    "ZLIB stream in a block of " + stored.byteSize() + " bytes",
                    "one that ends inside the block",
                    inflater.needsDictionary() ? "one that asks for a dictionary" : "a truncated one");
        }
        if (into.position() == 0) {
            throw new CodecException("ZLIB stream", "some content", "none");
        }
        return into.position();
    }

    @Override
    public void close() {
        inflater.end();
    }
}
