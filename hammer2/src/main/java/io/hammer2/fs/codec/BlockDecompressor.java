package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;

/** One library that decodes blocks, with what it works with between calls. Of one caller at a time. */
interface BlockDecompressor extends AutoCloseable {
    /**
     * Decodes a block; what is behind the stream is padding.
     *
     * @param stored native
     * @param logical native; nothing is written outside of it, whatever the stream claims, and its content is undefined after an exception
     * @return bytes of content, at least 1
     * @throws CodecException when the bytes are no whole stream, or decode to more than {@code logical} holds
     */
    int decompress(MemorySegment stored, MemorySegment logical);

    @Override
    void close();
}
