package io.hammer2.fs.chain;

import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.LwktThread;

/**
 * What two trees do not have in common, by walking them side by side in key order. What both refer to alike is the same block, and is
 * passed over unread: of two that share nearly everything only the paths to what differs are read. The trees need not have
 * split at the same keys.
 */
public final class TreeDifference {
    private static final int STEPS_PER_TURN = 256;

    private final BlockIo io;
    private int steps;

    /** Hears of leaves that are not the same in both. */
    @FunctionalInterface
    public interface Visitor {
        /**
         * Called in key order.
         *
         * @param before null where only the other tree has such a leaf
         * @param after likewise
         */
        void differs(BlockRef before, BlockRef after);
    }

    /** @param io of the current cpu */
    public TreeDifference(BlockIo io) {
        this.io = io;
    }

    /**
     * Compares what is below two tables.
     *
     * @throws CorruptBlockException when a table that must be read is damaged
     */
    public void compare(BlockTable before, BlockTable after, Visitor visitor) {
        Side one = new Side(before);
        Side other = new Side(after);
        while (one.isSomewhere() || other.isSomewhere()) {
            if (++steps % STEPS_PER_TURN == 0) {
                LwktThread.yieldNow();
            }
            if (!other.isSomewhere() || (one.isSomewhere() && Key.less(one.last(), other.first()))) {
                BlockRef alone = one.takeOrEnter();
                if (alone != null) {
                    visitor.differs(alone, null);
                }
            } else if (!one.isSomewhere() || Key.less(other.last(), one.first())) {
                BlockRef alone = other.takeOrEnter();
                if (alone != null) {
                    visitor.differs(null, alone);
                }
            } else {
                meet(one, other, visitor);
            }
        }
    }

    /** Both are at something with keys in common. */
    private static void meet(Side one, Side other, Visitor visitor) {
        if (one.isLike(other)) {
            one.advance();
            other.advance();
        } else if (one.isTable() && (!other.isTable() || one.keybits() >= other.keybits())) {
            one.enter();
        } else if (other.isTable()) {
            other.enter();
        } else {
            visitor.differs(one.ref(), other.ref());
            one.advance();
            other.advance();
        }
    }

    /** Where the walk is in one tree: at an entry of a table that has not been entered, or at the end. */
    private final class Side {
        private final BlockTable[] tables = new BlockTable[Limits.TREE_DEPTH_MAX + 1];
        private final int[] slots = new int[Limits.TREE_DEPTH_MAX + 1];

        /** The keys that count at each depth: of an indirect block those that all above it cover, too (section 7, rule 5). */
        private final long[] lows = new long[Limits.TREE_DEPTH_MAX + 1];

        private final long[] highs = new long[Limits.TREE_DEPTH_MAX + 1];
        private int depth;

        Side(BlockTable root) {
            tables[0] = root;
            highs[0] = -1L;
            settle();
        }

        boolean isSomewhere() {
            return depth >= 0;
        }

        private BlockTable table() {
            return tables[depth];
        }

        private int slot() {
            return slots[depth];
        }

        boolean isTable() {
            return table().type(slot()).isTable();
        }

        int keybits() {
            return table().keybits(slot());
        }

        BlockRef ref() {
            return table().ref(slot());
        }

        long first() {
            long key = table().key(slot());
            return Key.less(key, lows[depth]) ? lows[depth] : key;
        }

        long last() {
            long end = table().keyEnd(slot());
            return Key.less(highs[depth], end) ? highs[depth] : end;
        }

        /** Whether both entries lead to the same: all of the references is equal but when they were made. */
        boolean isLike(Side other) {
            if (first() != other.first() || last() != other.last()) {
                return false;
            }
            return ref().isLike(other.ref());
        }

        BlockRef takeOrEnter() {
            if (isTable()) {
                enter();
                return null;
            }
            BlockRef taken = ref();
            advance();
            return taken;
        }

        void advance() {
            slots[depth]++;
            settle();
        }

        void enter() {
            if (depth == Limits.TREE_DEPTH_MAX) {
                throw new CorruptBlockException(
                        ref(), "depth of indirect blocks", "at most " + Limits.TREE_DEPTH_MAX, "more");
            }
            long low = first();
            long high = last();
            CachedBlock block = io.load(table(), slot());
            try {
                // A copy, so that a deep walk pins nothing in the cache.
                tables[depth + 1] = block.table().copy();
            } finally {
                io.release(block);
            }
            depth++;
            slots[depth] = tables[depth].lowerBound(low);
            lows[depth] = low;
            highs[depth] = high;
            settle();
        }

        /** Leaves the tables that have come to an end. */
        private void settle() {
            while (depth >= 0 && (slot() >= table().entryCount() || Key.less(highs[depth], table().key(slot())))) {
                tables[depth] = null;
                depth--;
                if (depth >= 0) {
                    slots[depth]++;
                }
            }
        }
    }
}
