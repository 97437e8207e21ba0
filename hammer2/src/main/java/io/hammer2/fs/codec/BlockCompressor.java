package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;

/** One library that makes blocks smaller, with what it works with between calls. Of one caller at a time. */
interface BlockCompressor extends AutoCloseable {
    /**
     * Encodes a block, framing included, if at most half of it is left.
     *
     * @param plain native, a power of two of bytes
     * @param into native, {@link Compressor#roomFor} them; undefined where nothing was gained
     * @param level one that the method has
     * @return bytes in {@code into}, or {@link Compressor#INCOMPRESSIBLE}
     */
    int compress(MemorySegment plain, MemorySegment into, int level);

    @Override
    void close();
}
