package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;
import java.util.zip.Deflater;

/** Blocks as zlib streams, by the JDK. */
final class JdkDeflater implements BlockCompressor {
    private Deflater deflater;
    private int level;

    @Override
    public int compress(MemorySegment plain, MemorySegment into, int wanted) {
        if (level != wanted) {
            close();
            deflater = new Deflater(wanted);
            level = wanted;
        }
        deflater.setInput(plain.asByteBuffer());
        deflater.finish();
        int length = deflater.deflate(into.asSlice(0, plain.byteSize() / 2).asByteBuffer());
        boolean complete = deflater.finished();
        // Lets go of the caller's segment as well.
        deflater.reset();
        return complete ? length : Compressor.INCOMPRESSIBLE;
    }

    @Override
    public void close() {
        if (deflater != null) {
            deflater.end();
            deflater = null;
            level = 0;
        }
    }
}
