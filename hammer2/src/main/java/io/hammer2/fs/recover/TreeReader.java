package io.hammer2.fs.recover;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;

/**
 * What is left of a tree of blocks. A walk ends on any medium: entries of a table are taken in ascending order only, and what is below one lies in
 * its range only, so no key is met twice; and the depth is bounded.
 */
final class TreeReader {
    private final RawMedium medium;

    TreeReader(RawMedium medium) {
        this.medium = medium;
    }

    /** Takes the leaves of a tree, in the order of their keys. */
    @FunctionalInterface
    interface Leaves {
        void leaf(BlockRef ref);
    }

    /**
     * Walks the leaves of {@code wanted} type in a range of keys, both ends included.
     *
     * @return how many entries were damaged or led to damaged blocks: what they covered was left out
     */
    long walk(BlockTable table, long low, long high, BlockType wanted, Leaves leaves) {
        return walk(table, low, high, wanted, leaves, 0);
    }

    private long walk(BlockTable table, long low, long high, BlockType wanted, Leaves leaves, int depth) {
        long damaged = 0;
        boolean any = false;
        long previousEnd = 0;
        for (int slot = 0; slot < table.slotCount(); slot++) {
            if (table.isEmpty(slot)) {
                continue;
            }
            BlockRef ref = medium.plausible(table.segment(), table.offset(slot), wanted, BlockType.INDIRECT);
            if (ref == null) {
                // The root of a PFS holds inodes and names: the others are no damage.
                damaged += isOfOtherKind(table, slot, wanted) ? 0 : 1;
                continue;
            }
            if (any && !Key.less(previousEnd, ref.key())) {
                damaged++;
                continue;
            }
            any = true;
            previousEnd = ref.keyEnd();
            if (Key.less(high, ref.key()) || Key.less(ref.keyEnd(), low)) {
                continue;
            }
            if (ref.type() == wanted) {
                leaves.leaf(ref);
            } else {
                BlockTable below = depth < Limits.TREE_DEPTH_MAX ? table(ref) : null;
                damaged += below == null
                        ? 1
                        : walk(
                                below,
                                Key.less(low, ref.key()) ? ref.key() : low,
                                Key.less(ref.keyEnd(), high) ? ref.keyEnd() : high,
                                wanted,
                                leaves,
                                depth + 1);
            }
        }
        return damaged;
    }

    private static boolean isOfOtherKind(BlockTable table, int slot, BlockType wanted) {
        int type = table.typeCode(slot);
        return (wanted == BlockType.DIRENT && type == BlockType.INODE.code())
                || (wanted == BlockType.INODE && type == BlockType.DIRENT.code());
    }

    /** @return the leaf of {@code wanted} type with exactly this key, or null */
    BlockRef find(BlockTable root, long key, BlockType wanted) {
        BlockTable table = root;
        for (int depth = 0; table != null && depth <= Limits.TREE_DEPTH_MAX; depth++) {
            BlockRef covering = null;
            for (int slot = 0; slot < table.slotCount() && covering == null; slot++) {
                if (!table.isEmpty(slot)) {
                    BlockRef ref = medium.plausible(table.segment(), table.offset(slot), wanted, BlockType.INDIRECT);
                    covering = ref != null && ref.covers(key) ? ref : null;
                }
            }
            if (covering == null || covering.type() == wanted) {
                return covering;
            }
            table = table(covering);
        }
        return null;
    }

    private BlockTable table(BlockRef indirect) {
        byte[] bytes = medium.load(indirect);
        return bytes == null ? null : BlockTable.of(MemorySegment.ofArray(bytes));
    }
}
