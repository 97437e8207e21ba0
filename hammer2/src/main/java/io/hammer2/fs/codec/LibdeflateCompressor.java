package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;

/** Blocks as zlib streams, by libdeflate. */
final class LibdeflateCompressor implements BlockCompressor {
    private MemorySegment compressor = MemorySegment.NULL;
    private int level;

    @Override
    public int compress(MemorySegment plain, MemorySegment into, int wanted) {
        if (level != wanted) {
            close();
            compressor = Libdeflate.allocCompressor(wanted);
            level = wanted;
        }
        int length = Libdeflate.compress(compressor, plain, into, (int) plain.byteSize() / 2);
        return length == 0 ? Compressor.INCOMPRESSIBLE : length;
    }

    @Override
    public void close() {
        if (level != 0) {
            Libdeflate.freeCompressor(compressor);
            level = 0;
        }
    }
}
