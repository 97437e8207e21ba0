package io.hammer2.fs.pipeline;

import io.hammer2.fs.codec.Compressor;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * The steps of the pipeline that are functions of a block and nothing else: find out whether it is a hole, compress, check (format
 * section 11.3). One for each cpu, since the compressor has a state; any of them makes the same of a block.
 */
final class BlockEncoder implements AutoCloseable {
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[Limits.BLOCK_BYTES_MAX]);

    private final BufferPool buffers;
    private final Arena arena = Arena.ofShared();
    private final Compressor compressor = new Compressor();
    private final MemorySegment scratch = arena.allocate(Compressor.roomFor(Limits.BLOCK_BYTES_MAX), 4096);

    /** @param buffers for what gets smaller */
    BlockEncoder(BufferPool buffers) {
        this.buffers = buffers;
    }

    void encode(OutgoingBlock block) {
        if (block.isHole()) {
            return;
        }
        if (block.policy().makesHoles() && isZero(block.plain())) {
            block.becomeHole();
            return;
        }
        compress(block);
        // Here a block will be sealed: encrypted after it was compressed, and checked as it is stored.
        block.policy().check().store(block.stored(), block.check());
    }

    private static boolean isZero(MemorySegment bytes) {
        return MemorySegment.mismatch(bytes, 0, bytes.byteSize(), ZEROS, 0, bytes.byteSize()) < 0;
    }

    private void compress(OutgoingBlock block) {
        MemorySegment plain = block.plain();
        DataPolicy policy = block.policy();
        int length = block.isTried() && plain.byteSize() > 1 << Limits.RADIX_MIN
                ? compressor.compress(policy.compression(), policy.level(), plain, scratch)
                : Compressor.INCOMPRESSIBLE;
        if (length == Compressor.INCOMPRESSIBLE) {
            block.storePlain();
            return;
        }
        int size = Math.max(1 << Limits.RADIX_MIN, Integer.highestOneBit(length - 1) << 1);
        MemorySegment piece = buffers.take(size);
        MemorySegment.copy(scratch, 0, piece, 0, length);
        piece.asSlice(length, size - length).fill((byte) 0);
        block.store(piece, size, policy.compression());
    }

    @Override
    public void close() {
        compressor.close();
        arena.close();
    }
}
