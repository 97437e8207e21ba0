package io.hammer2.fs.pipeline;

import io.hammer2.fs.io.BufferPool;
import java.lang.foreign.MemorySegment;

/** Finds out what a policy would make of blocks that are stored already. Of one thread, for a few blocks. */
public final class EncodingTrial implements AutoCloseable {
    private final BufferPool buffers;
    private final BlockEncoder encoder;

    public EncodingTrial(BufferPool buffers) {
        this.buffers = buffers;
        this.encoder = new BlockEncoder(buffers);
    }

    /**
     * How many bytes a block would take on the medium.
     *
     * @param plain native, a power of two of at least 1024 bytes
     * @return 0 for a hole
     */
    public int storedBytes(MemorySegment plain, DataPolicy policy) {
        OutgoingBlock block = new OutgoingBlock(0, plain, policy, true, () -> {});
        encoder.encode(block);
        int bytes = block.isHole() ? 0 : (int) block.stored().byteSize();
        block.releaseEncoded(buffers);
        return bytes;
    }

    @Override
    public void close() {
        encoder.close();
    }
}
