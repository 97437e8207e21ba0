package io.hammer2.fs.chain;

import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.Key;
import java.util.ArrayDeque;

/** One cpu's walks through the trees below inodes, and the changes to them. */
public final class Topology {
    private final BlockIo io;
    private final ArrayDeque<Cursor> idleCursors = new ArrayDeque<>();

    public Topology(BlockIo io) {
        this.io = io;
    }

    public BlockIo io() {
        return io;
    }

    /**
     * A position, not yet anywhere, among the leaves below {@code root}; to be closed on this cpu.
     *
     * @param root validated, and unchanged until the cursor is closed
     */
    public Cursor cursor(BlockTable root) {
        io.cpu().assertCurrent();
        Cursor cursor = idleCursors.poll();
        return (cursor != null ? cursor : new Cursor(this)).open(root);
    }

    /** As {@link #cursor(BlockTable)}, below a root that may have changed; with the inode's gate held until it is closed. */
    public Cursor cursor(Chain root) {
        io.cpu().assertCurrent();
        Cursor cursor = idleCursors.poll();
        return (cursor != null ? cursor : new Cursor(this)).open(root);
    }

    /**
     * Puts a leaf into the tree below {@code root}; with the inode's gate held exclusively.
     *
     * @throws IllegalStateException when something has its key already
     */
    public void insert(Chain root, BlockRef leaf) {
        Chain chain = root;
        while (true) {
            BlockTable table = chain.table();
            int slot = table.lowerBound(leaf.key());
            boolean covered = slot < table.entryCount() && Key.lessOrEqual(table.key(slot), leaf.key());
            if (covered && table.type(slot).isTable()) {
                chain = childOf(chain, slot);
            } else if (covered) {
                throw new IllegalStateException("key in use: " + leaf);
            } else if (table.isFull()) {
                chain.split(leaf.key());
            } else {
                chain.insert(slot, leaf);
                return;
            }
        }
    }

    /**
     * Takes the leaf with {@code key} out of the tree below {@code root}, or replaces it; with the inode's gate held exclusively.
     *
     * @param replacement with the same key range, or null to remove
     * @return whether there was such a leaf
     */
    public boolean replace(Chain root, long key, BlockRef replacement) {
        try (Cursor cursor = cursor(root)) {
            // Looked for first: what is not there changes nothing, and so makes no chains.
            if (!cursor.seek(key) || cursor.key() != key) {
                return false;
            }
        }
        Chain chain = root;
        while (true) {
            int slot = chain.table().find(key);
            if (chain.table().type(slot).isTable()) {
                chain = childOf(chain, slot);
            } else if (replacement == null) {
                chain.remove(slot);
                return true;
            } else {
                chain.replace(slot, replacement);
                return true;
            }
        }
    }

    /**
     * Takes out all leaves whose keys are {@code from} or more (unsigned); with the inode's gate held exclusively. A leaf that
     * begins before stays.
     */
    public void truncate(Chain root, long from) {
        // All that must be loaded is, before anything changes.
        Chain chain = root;
        while (true) {
            int slot = chain.table().find(from);
            if (slot < 0 || !chain.table().type(slot).isTable()) {
                break;
            }
            chain = childOf(chain, slot);
        }
        for (chain = root; chain != null; ) {
            BlockTable table = chain.table();
            int slot = table.lowerBound(from);
            boolean reachesBelow = slot < table.entryCount() && Key.less(table.key(slot), from);
            int keep = reachesBelow ? slot + 1 : slot;
            while (table.entryCount() > keep) {
                chain.remove(table.entryCount() - 1);
            }
            chain = reachesBelow ? chain.child(slot) : null;
        }
    }

    private Chain childOf(Chain chain, int slot) {
        if (chain.child(slot) != null) {
            return chain.child(slot);
        }
        CachedBlock block = io.load(chain.table(), slot);
        try {
            return chain.adopt(slot, block.table());
        } finally {
            io.release(block);
        }
    }

    void closed(Cursor cursor) {
        idleCursors.push(cursor);
    }
}
