package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;

/** A table of references to freemap blocks: 256 in 32 KiB (section 6.1). */
public record FreemapNode(MemorySegment bytes) implements Block {
    /** A new view of the references. */
    public BlockTable table() {
        return BlockTable.of(bytes);
    }
}
