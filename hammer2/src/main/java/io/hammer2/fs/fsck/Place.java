package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.Key;

/**
 * Where a block table is, and what that asks of its entries.
 *
 * @param where what the tree belongs to, for messages
 * @param container the indirect block whose table it is; null for the table that the tree begins with
 * @param low first key that may occur, unsigned
 * @param high last key that may occur, inclusive
 * @param depth 1 for the table that the tree begins with
 * @param mirrorTidMax transaction id of the reference to the block that holds the table
 */
record Place(Object where, BlockRef container, long low, long high, int depth, long mirrorTidMax) {
    /** The table that a tree begins with. */
    static Place root(Object where, long low, long high, long mirrorTidMax) {
        return new Place(where, null, low, high, 1, mirrorTidMax);
    }

    /** The table of an indirect block here: keys are limited by every range on the path (section 7, rule 5). */
    Place below(BlockRef indirect) {
        long from = Key.less(low, indirect.key()) ? indirect.key() : low;
        long to = Key.less(indirect.keyEnd(), high) ? indirect.keyEnd() : high;
        return new Place(where, indirect, from, to, depth + 1, indirect.mirrorTid());
    }

    @Override
    public String toString() {
        return container == null ? where.toString() : where + " in " + label(container);
    }

    /** Type, key range and place of a reference, short. */
    static String label(BlockRef ref) {
        return String.format(
                "%s %016x/%d at %x/%d", ref.type(), ref.key(), ref.keybits(), ref.offsetBytes(), ref.radix());
    }
}
