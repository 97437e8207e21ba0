package io.hammer2.fs.io;

import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;

/** 64 KiB of cache memory, cut into places of one size: the unit of eviction. */
final class Frame {
    static final int BYTES = Limits.BLOCK_BYTES_MAX;

    final MemorySegment memory;

    /** Binary logarithm of the size of a place. */
    int radix;

    /** Places handed out; they come back all at once, when the frame is evicted. */
    int used;

    /** Blocks of this frame that are pinned, or 1 of a draft. */
    int pinnedBlocks;

    /** Whether a block was used since the clock's hand passed. */
    boolean referenced;

    /** Blocks that lie here, linked by {@link CachedBlock#nextInFrame}. */
    CachedBlock blocks;

    Frame(MemorySegment memory) {
        this.memory = memory;
    }

    boolean hasPlace() {
        return used < BYTES >> radix;
    }

    MemorySegment takePlace() {
        return memory.asSlice((long) used++ << radix, 1L << radix);
    }
}
