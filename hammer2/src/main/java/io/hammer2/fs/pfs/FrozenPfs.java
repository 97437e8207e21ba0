package io.hammer2.fs.pfs;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.InodeContent;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.InodeBlock;
import java.util.List;

/**
 * A PFS as one commit left it, kept as it was whatever becomes of the PFS itself: it can be read for as long as {@link OpenPfss} holds it.
 *
 * @param root its root directory's inode
 * @param snapshotTid newer than all that it shares with the PFS, which knows it (format section 15.1)
 */
public record FrozenPfs(InodeContent root, long snapshotTid) implements HeldTables {
    @Override
    public List<BlockTable> tables() {
        return List.of(root.table());
    }

    /**
     * An inode below the root, or null; on the cpu of {@code topology}.
     *
     * @throws CorruptBlockException where it cannot be read
     */
    public InodeContent find(Topology topology, long inum) {
        try (Cursor cursor = topology.cursor(root.table())) {
            return find(topology, cursor, inum);
        }
    }

    /** As {@link #find(Topology, long)}, by a cursor in the root's table: quick in the order of numbers. */
    static InodeContent find(Topology topology, Cursor cursor, long inum) {
        if (inum < InodeBlock.FIRST_ORDINARY_INUM || !cursor.seek(inum) || cursor.key() != inum) {
            return null;
        }
        if (cursor.type() != BlockType.INODE) {
            throw cursor.unexpected("leaf of the inode index", "INODE");
        }
        CachedBlock block = cursor.load();
        try {
            return InodeContent.of(
                            block.ref(),
                            (InodeBlock) block.block(),
                            topology.io().totalBytes())
                    .requireInum(inum);
        } finally {
            topology.io().release(block);
        }
    }
}
