package io.hammer2.fs.flush;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import java.lang.foreign.MemorySegment;

/** Gives a finished block a place on the medium. */
public interface BlockWriter {
    /**
     * Allocates a place of the block's size, computes its check code and starts to write it.
     *
     * @param before what the parent referred to until now, or a reference without place for a new block
     * @param ref type, keys, counters and method of the reference; the place and the check code are filled in
     * @param stored the block's bytes, a power of two of at least 1024; not changed until the flush ends
     * @return the finished reference
     */
    BlockRef write(BlockRef before, BlockRef.Builder ref, MemorySegment stored);

    /** As {@link #write}, of a table that fills its block. */
    default BlockRef writeTable(BlockRef before, BlockRef.Builder ref, BlockTable table) {
        return write(before, ref, table.segment());
    }
}
