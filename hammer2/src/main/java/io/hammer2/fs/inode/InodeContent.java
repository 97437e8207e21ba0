package io.hammer2.fs.inode;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An inode as it was committed: an immutable copy, good for every cpu.
 *
 * @param ref the reference to it
 * @param block its 1024 bytes, validated
 * @param attributes what stat shows of it
 * @param table its references, validated and packed; of an inode with direct data an empty one
 */
public record InodeContent(BlockRef ref, InodeBlock block, Attributes attributes, BlockTable table) {
    /** The table of what has direct data, or nothing yet. */
    public static final BlockTable NO_TABLE = BlockTable.empty(Limits.BLOCK_SET_COUNT);

    public FileType type() {
        return attributes.type();
    }

    /**
     * Copies an inode out of a cache.
     *
     * @param totalBytes size of the file system
     * @throws CorruptBlockException when it breaks a rule that reading it relies on
     */
    public static InodeContent of(BlockRef ref, InodeBlock cached, long totalBytes) {
        if (ref.type() != BlockType.INODE) {
            throw new CorruptBlockException(
                    ref, "type of an inode's reference", "INODE", ref.type().toString());
        }
        try {
            InodeBlock block = new InodeBlock(copy(cached.bytes())).validate();
            BlockTable table = block.isDirectData()
                    ? NO_TABLE
                    // A copy, since validation packs the table, and the inode's bytes are to stay as they are.
                    : block.blockSet().copyValidated(totalBytes);
            return of(ref, block, table);
        } catch (CorruptBlockException e) {
            throw e.at(ref);
        }
    }

    /** What was written: bytes and table belong to this from now on and do not change. */
    public static InodeContent of(BlockRef ref, InodeBlock block, BlockTable table) {
        return new InodeContent(ref, block, Attributes.of(block, block.isDirectData() ? 0 : ref.dataCount()), table);
    }

    /** @throws CorruptBlockException when the inode says that it is another one than {@code inum} */
    public InodeContent requireInum(long inum) {
        if (block.inum() != inum) {
            throw new CorruptBlockException(ref, "inode number", Key.text(inum), Key.text(block.inum()));
        }
        return this;
    }

    private static MemorySegment copy(MemorySegment bytes) {
        return MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE));
    }
}
