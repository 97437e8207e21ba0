package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.lwkt.Gate;

/**
 * An inode in use, from {@link InodeTable#acquire}. Its gate guards all that lies below it: hold it, shared or exclusive,
 * around every other call.
 */
public final class Inode {
    private final long inum;
    private final Gate gate;
    private InodeContent content;

    // Owned by the shard of the InodeTable, under its token.
    Inode nextInBucket;
    Inode older;
    Inode newer;
    int users;

    Inode(long inum) {
        this.inum = inum;
        this.gate = new Gate(inum);
    }

    Inode(InodeContent content) {
        this(content.block().inum());
        this.content = content;
    }

    public long inum() {
        return inum;
    }

    public Gate gate() {
        return gate;
    }

    /** What was committed. */
    public InodeContent content() {
        gate.assertHeldShared();
        return content;
    }

    public FileData fileData() {
        gate.assertHeldShared();
        return new FileData(content);
    }

    public Directory directory() {
        gate.assertHeldShared();
        return new Directory(content);
    }

    /**
     * Takes the gate shared, and reads the inode first if it is not here yet.
     *
     * @param index table of the PFS root: all inodes by number (section 8.2)
     * @return false, without the gate, when there is no such inode
     */
    public boolean lockShared(Topology topology, BlockTable index) {
        return lockShared(null, topology, index);
    }

    /** As {@link #lockShared}, while the caller holds the gate of {@code parent}, a directory that names this inode. */
    public boolean lockSharedBelow(Inode parent, Topology topology, BlockTable index) {
        return lockShared(parent.gate, topology, index);
    }

    private boolean lockShared(Gate parent, Topology topology, BlockTable index) {
        takeShared(parent);
        while (content == null) {
            gate.unlockShared();
            takeExclusive(parent);
            try {
                if (content == null && !load(topology, index)) {
                    return false;
                }
            } finally {
                gate.unlockExclusive();
            }
            takeShared(parent);
        }
        return true;
    }

    private void takeShared(Gate parent) {
        if (parent == null) {
            gate.lockShared();
        } else {
            gate.lockSharedBelow(parent);
        }
    }

    private void takeExclusive(Gate parent) {
        if (parent == null) {
            gate.lockExclusive();
        } else {
            gate.lockExclusiveBelow(parent);
        }
    }

    private boolean load(Topology topology, BlockTable index) {
        try (Cursor cursor = topology.cursor(index)) {
            if (!cursor.seek(inum) || cursor.key() != inum) {
                return false;
            }
            if (cursor.type() != BlockType.INODE) {
                throw cursor.unexpected("leaf of the inode index", "INODE");
            }
            CachedBlock block = cursor.load();
            try {
                content = InodeContent.of(
                                block.ref(),
                                (InodeBlock) block.block(),
                                topology.io().totalBytes())
                        .requireInum(inum);
            } finally {
                topology.io().release(block);
            }
            return true;
        }
    }
}
