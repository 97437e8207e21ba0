package io.hammer2.fs.chain;

import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.DirectoryEntry;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;

/**
 * A position among the leaves below one block table, in key order. Keeps the indirect blocks on its path pinned, so that a
 * step forward or a seek nearby starts where it stands. From {@link Topology#cursor}; close it on the same cpu.
 *
 * <p>An indirect block may claim a wider range than the one above it: what counts is the intersection of all ranges on the
 * path (section 7, rule 5). This also makes every walk end: a leaf can be met on one path only, and no path is longer than
 * {@link Limits#TREE_DEPTH_MAX}.
 *
 * <p>Moving may block the thread, and throws what {@link BlockIo#load} throws; the cursor is then nowhere, and may seek again.
 */
public final class Cursor implements AutoCloseable {
    private static final int LEVELS_MAX = Limits.TREE_DEPTH_MAX + 1;

    private final Topology topology;
    private final BlockIo io;
    private final Level[] levels = new Level[LEVELS_MAX];

    /** Deepest level of the path; -1 when closed. */
    private int depth = -1;

    private boolean atLeaf;

    /** A table on the path, the slot taken in it, and the keys for which it counts. */
    private static final class Level {
        private BlockTable table;
        /** What keeps the table in the cache; null for the root and for chains. */
        private CachedBlock block;

        private Chain chain;
        private int slot;
        private long low;
        private long high;
    }

    Cursor(Topology topology) {
        this.topology = topology;
        this.io = topology.io();
    }

    Cursor open(Chain root) {
        open(root.table());
        levels[0].chain = root;
        return this;
    }

    Cursor open(BlockTable root) {
        depth = 0;
        Level top = level(0);
        top.table = root;
        top.block = null;
        top.chain = null;
        top.slot = 0;
        top.low = 0;
        top.high = -1L;
        atLeaf = false;
        return this;
    }

    /**
     * Goes to the first leaf whose range ends at or after {@code key} (unsigned): the leaf that covers it, or else the next one.
     *
     * @return false when there is none
     */
    public boolean seek(long key) {
        atLeaf = false;
        while (depth > 0 && !(Key.lessOrEqual(levels[depth].low, key) && Key.lessOrEqual(key, levels[depth].high))) {
            pop();
        }
        levels[depth].slot = levels[depth].table.lowerBound(key);
        return descend(key);
    }

    /**
     * Goes to the next leaf; only from a leaf.
     *
     * @return false when there is none
     */
    public boolean next() {
        requireLeaf();
        atLeaf = false;
        levels[depth].slot++;
        return descend(levels[depth].low);
    }

    /** First key of the leaf. */
    public long key() {
        return table().key(slot());
    }

    /** Whether the leaf's range holds {@code key}. */
    public boolean covers(long key) {
        return Key.lessOrEqual(key(), key) && Key.lessOrEqual(key, table().keyEnd(slot()));
    }

    public BlockType type() {
        return table().type(slot());
    }

    /** The table in which the leaf's reference is; valid until the cursor moves. */
    public BlockTable table() {
        requireLeaf();
        return levels[depth].table;
    }

    /** The slot of the leaf in {@link #table}. */
    public int slot() {
        requireLeaf();
        return levels[depth].slot;
    }

    /** A copy of the leaf's reference. */
    public BlockRef ref() {
        return table().ref(slot());
    }

    /** The leaf as a directory entry, a view that is valid until the cursor moves. */
    public DirectoryEntry entry() {
        return DirectoryEntry.of(table(), slot());
    }

    /** Loads the block that the leaf refers to; the caller releases it. */
    public CachedBlock load() {
        return io.load(table(), slot());
    }

    /** The leaf is not what belongs here. */
    public CorruptBlockException unexpected(String what, String expected) {
        return new CorruptBlockException(ref(), what, expected, type().toString());
    }

    @Override
    public void close() {
        if (depth < 0) {
            return;
        }
        while (depth > 0) {
            pop();
        }
        levels[0].table = null;
        levels[0].chain = null;
        depth = -1;
        atLeaf = false;
        topology.closed(this);
    }

    /** From the slot at which the deepest level stands to the first leaf at or after {@code key}. */
    private boolean descend(long key) {
        while (true) {
            Level level = levels[depth];
            BlockTable table = level.table;
            if (level.slot >= table.entryCount() || Key.less(level.high, table.key(level.slot))) {
                if (depth == 0) {
                    return false;
                }
                pop();
                levels[depth].slot++;
            } else if (table.type(level.slot).isTable()) {
                push(level, key);
            } else {
                atLeaf = true;
                return true;
            }
        }
    }

    private void push(Level parent, long key) {
        BlockTable table = parent.table;
        int slot = parent.slot;
        if (depth + 1 == LEVELS_MAX) {
            throw new CorruptBlockException(
                    table.ref(slot), "depth of indirect blocks", "at most " + Limits.TREE_DEPTH_MAX, "more");
        }
        long low = max(parent.low, table.key(slot));
        long high = min(parent.high, table.keyEnd(slot));
        Chain chain = parent.chain == null ? null : parent.chain.child(slot);
        CachedBlock block = chain != null ? null : io.load(table, slot);
        depth++;
        Level level = level(depth);
        level.chain = chain;
        level.block = block;
        level.table = chain != null ? chain.table() : block.table();
        level.low = low;
        level.high = high;
        level.slot = level.table.lowerBound(max(low, key));
    }

    private void pop() {
        Level level = levels[depth];
        if (level.block != null) {
            io.release(level.block);
        }
        level.block = null;
        level.chain = null;
        level.table = null;
        depth--;
    }

    private Level level(int index) {
        if (levels[index] == null) {
            levels[index] = new Level();
        }
        return levels[index];
    }

    private void requireLeaf() {
        if (!atLeaf) {
            throw new IllegalStateException("the cursor is not at a leaf");
        }
    }

    private static long max(long a, long b) {
        return Key.less(a, b) ? b : a;
    }

    private static long min(long a, long b) {
        return Key.less(a, b) ? a : b;
    }
}
