package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;

/** A table of block references between an inode and its leaves (section 7). */
public record IndirectBlock(MemorySegment bytes) implements Block {
    /** A new view of the references. */
    public BlockTable table() {
        return BlockTable.of(bytes);
    }
}
