package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;

/** A block of a volume, as a view of the segment that holds its bytes. */
public sealed interface Block
        permits VolumeHeader, InodeBlock, IndirectBlock, DataBlock, NameBlock, FreemapNode, FreemapLeaf {
    /** The bytes, as they are (or will be) checked. */
    MemorySegment bytes();

    /**
     * The view that suits a reference of {@code type}.
     *
     * @throws CorruptBlockException for a type that refers to nothing
     */
    static Block of(BlockType type, MemorySegment bytes) {
        return switch (type) {
            case INODE -> new InodeBlock(bytes);
            case INDIRECT -> new IndirectBlock(bytes);
            case DATA -> new DataBlock(bytes);
            case DIRENT -> new NameBlock(bytes);
            case FREEMAP_NODE -> new FreemapNode(bytes);
            case FREEMAP_LEAF -> new FreemapLeaf(bytes);
            case EMPTY, INVALID ->
                throw new CorruptBlockException(null, "type of a referenced block", "1..6", type.toString());
        };
    }
}
