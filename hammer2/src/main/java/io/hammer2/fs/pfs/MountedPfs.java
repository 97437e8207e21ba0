package io.hammer2.fs.pfs;

import io.hammer2.fs.chain.Chain;
import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.inode.InodeContent;
import io.hammer2.fs.inode.InodeFlush;
import io.hammer2.fs.inode.InodeIndex;
import io.hammer2.fs.inode.InodeTable;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.lwkt.LwktThread;
import io.hammer2.lwkt.Token;
import java.util.ArrayList;
import java.util.List;

/**
 * A PFS in use: its inodes, which of them have changed, and the numbers that it gives out. What changes holds the volume's
 * modification gate shared; {@link #flush} runs with that gate held exclusively.
 */
public final class MountedPfs {
    /** A writer may go on as fast as its blocks are written ahead; the commit must come to an end. */
    private static final int WRITE_AHEAD_TURNS_MAX = 256;

    private final Pfs pfs;
    private final Inode root;
    private final InodeTable inodes;
    private final InodeIndex index;
    private final BufferPool buffers;

    private final Token token = new Token("PFS");
    // Under the token.
    private List<Inode> dirty = new ArrayList<>();
    private long nextInum;
    private long modifyTid;

    /** A snapshot is to be of the next commit: what of its root will tell; else 0. */
    private long snapshotTid;

    private boolean retired;

    // Of OpenPfss, on the volume cpu.
    int users;
    int mounts;
    /** Numbers that the index is to lose, whatever stands there. Under the token. */
    private List<Long> dropped = new ArrayList<>();

    /** Open inodes without a name, which no index has. Under the token. */
    private final List<Inode> nameless = new ArrayList<>();

    /** @param inodesMax bound on the inodes that are kept without use */
    public MountedPfs(Topology topology, Pfs pfs, int inodesMax, BufferPool buffers) {
        this.pfs = pfs;
        this.root = new Inode(pfs.root());
        this.inodes = new InodeTable(inodesMax, root);
        this.index = new InodeIndex(pfs.inodeIndex());
        this.buffers = buffers;
        this.modifyTid = pfs.root().ref().modifyTid();
        this.nextInum = Math.max(
                1 + highestInum(topology, pfs.inodeIndex()),
                Math.max(pfs.root().block().pfsInum() + 1, InodeBlock.FIRST_ORDINARY_INUM));
    }

    /** As it was when it was mounted. */
    public Pfs pfs() {
        return pfs;
    }

    /** Where the super-root has it. */
    public long key() {
        return pfs.root().ref().key();
    }

    public Inode root() {
        return root;
    }

    /** The root as the last flush has left it. */
    public InodeContent committedRoot() {
        root.gate().lockShared();
        try {
            return root.committed();
        } finally {
            root.gate().unlockShared();
        }
    }

    /** Lets the next flush note that a snapshot was made of what it writes (format section 15.1). */
    void noteSnapshot() {
        token.acquire();
        try {
            snapshotTid = ++modifyTid;
        } finally {
            token.release();
        }
    }

    /**
     * It was deleted, or its content exchanged: nothing is there any more for whoever still uses it, whatever he has open, since its blocks
     * may be used again. Within a commit that has written what had changed.
     */
    void retire() {
        index.publish(InodeContent.NO_TABLE);
        token.acquire();
        try {
            retired = true;
            nameless.clear();
        } finally {
            token.release();
        }
        // What is taken from now on finds nothing in the index.
        for (Inode inode : inodes.acquireAll()) {
            inode.gate().lockExclusive();
            inode.remove(buffers);
            inode.gate().unlockExclusive();
            inodes.release(inode);
        }
    }

    public boolean isRetired() {
        token.acquireShared();
        try {
            return retired;
        } finally {
            token.release();
        }
    }

    /** Inodes below the root in the last commit. */
    public long inodeCount() {
        root.gate().lockShared();
        try {
            return root.committedRef().inodeCount();
        } finally {
            root.gate().unlockShared();
        }
    }

    public InodeTable inodes() {
        return inodes;
    }

    public InodeIndex index() {
        return index;
    }

    /** A number that no inode has had (format section 8.3). */
    public long takeInum() {
        token.acquire();
        try {
            return nextInum++;
        } finally {
            token.release();
        }
    }

    /**
     * The fields of an inode, to be changed in an operation of now; with its gate held exclusively. The next commit will have
     * what they become.
     */
    public InodeBlock change(Inode inode) {
        return inode.change(noteChange(inode));
    }

    /** As {@link #change}, of an inode that begins to exist. */
    public void begin(Inode inode, InodeBlock fields) {
        inode.begin(fields, noteChange(inode));
    }

    /** Whether a commit would have anything to write for this PFS. */
    public boolean isDirty() {
        token.acquireShared();
        try {
            return !dirty.isEmpty() || !dropped.isEmpty() || snapshotTid != 0;
        } finally {
            token.release();
        }
    }

    /** Has the next commit take an inode that cannot be read out of the index; its entry there can be reached. */
    public void drop(long inum) {
        token.acquire();
        try {
            dropped.add(inum);
        } finally {
            token.release();
        }
    }

    /** Root tables of inodes that are in use and not in the index: what they lead to is in use too. */
    public List<BlockTable> namelessTables() {
        List<BlockTable> tables = new ArrayList<>();
        for (Inode inode : copyOfNameless()) {
            inode.gate().lockShared();
            try {
                tables.add(inode.flushedTable());
            } finally {
                inode.gate().unlockShared();
            }
        }
        return tables;
    }

    private List<Inode> copyOfNameless() {
        token.acquireShared();
        try {
            return List.copyOf(nameless);
        } finally {
            token.release();
        }
    }

    /** Writes whole blocks of file data that are dirty by now; the inodes stay dirty. No gate is held for long. */
    public void writeAhead(InodeFlush flush) {
        for (Inode inode : copyOfDirty()) {
            long next = 0;
            for (int turns = 0; next >= 0 && turns < WRITE_AHEAD_TURNS_MAX; turns++) {
                next = flush.writeAhead(inode, next);
                LwktThread.yieldNow();
            }
        }
    }

    private List<Inode> copyOfDirty() {
        token.acquireShared();
        try {
            return List.copyOf(dirty);
        } finally {
            token.release();
        }
    }

    /**
     * Writes everything that has changed, the root directory last.
     *
     * @return the new reference for the super-root
     */
    public BlockRef flush(InodeFlush flush) {
        List<Inode> changed = takeDirty();
        root.gate().lockExclusive();
        try {
            InodeBlock fields = root.change(lastTid());
            fields.setPfsInum(lastInum());
            long snapshot = takeSnapshotTid();
            if (snapshot != 0) {
                fields.setPfsLsnapTid(snapshot);
            }
            Chain rootChain = root.chain();
            for (Inode inode : changed) {
                if (inode.inum() != root.inum()) {
                    flushBelowRoot(flush, rootChain, inode);
                }
                LwktThread.yieldNow();
            }
            for (long inum : takeDropped()) {
                flush.topology().replace(rootChain, inum, null);
            }
            BlockRef ref = flush.flush(root);
            index.publish(root.flushedTable());
            return ref;
        } finally {
            root.gate().unlockExclusive();
            changed.forEach(inodes::release);
        }
    }

    private void flushBelowRoot(InodeFlush flush, Chain rootChain, Inode inode) {
        inode.gate().lockExclusiveBelow(root.gate());
        try {
            if (!inode.isRemoved() && inode.isChanged()) {
                BlockRef ref = flush.flush(inode);
                if (inode.block().nlinks() > 0) {
                    if (!flush.topology().replace(rootChain, inode.inum(), ref)) {
                        flush.topology().insert(rootChain, ref);
                    }
                    inode.setIndexed(true);
                    return;
                }
            }
            if (inode.isIndexed() && (inode.isRemoved() || inode.block().nlinks() == 0)) {
                flush.topology().replace(rootChain, inode.inum(), null);
                inode.setIndexed(false);
            }
        } finally {
            inode.gate().unlockExclusive();
        }
    }

    /** Remembers, or forgets, an open inode that has no name. */
    public void setNameless(Inode inode, boolean isNameless) {
        token.acquire();
        try {
            nameless.remove(inode);
            if (isNameless) {
                nameless.add(inode);
            }
        } finally {
            token.release();
        }
    }

    public BufferPool buffers() {
        return buffers;
    }

    private long noteChange(Inode inode) {
        inode.gate().assertHeldExclusive();
        token.acquire();
        try {
            if (!inode.isDirty()) {
                inode.setDirty(true);
                dirty.add(inode);
                inodes.retain(inode);
            }
            return ++modifyTid;
        } finally {
            token.release();
        }
    }

    private List<Inode> takeDirty() {
        token.acquire();
        try {
            List<Inode> taken = dirty;
            dirty = new ArrayList<>();
            taken.forEach(inode -> inode.setDirty(false));
            return taken;
        } finally {
            token.release();
        }
    }

    private long takeSnapshotTid() {
        token.acquire();
        try {
            long taken = snapshotTid;
            snapshotTid = 0;
            return taken;
        } finally {
            token.release();
        }
    }

    private List<Long> takeDropped() {
        token.acquire();
        try {
            List<Long> taken = dropped;
            dropped = new ArrayList<>();
            return taken;
        } finally {
            token.release();
        }
    }

    private long lastTid() {
        token.acquireShared();
        try {
            return modifyTid;
        } finally {
            token.release();
        }
    }

    private long lastInum() {
        token.acquireShared();
        try {
            return nextInum;
        } finally {
            token.release();
        }
    }

    /** By bisection of the numbers: the index can be sought forwards only. 0 when there is none. */
    private static long highestInum(Topology topology, BlockTable index) {
        long low = 0;
        long high = Long.MAX_VALUE;
        try (Cursor cursor = topology.cursor(index)) {
            while (low < high) {
                long middle = low + (high - low + 1) / 2;
                if (cursor.seek(middle) && !Key.less(Long.MAX_VALUE, cursor.key())) {
                    low = cursor.key();
                } else {
                    high = middle - 1;
                }
            }
        }
        return low;
    }
}
