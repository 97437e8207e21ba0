package io.hammer2.fs.chain;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Key;
import java.util.Arrays;

/**
 * A block table that has changed since it was committed, or leads to one that has: the root table of an inode, or an indirect
 * block. Only what changed is in memory as a chain; the rest of the tree stays where it is, on the medium and in caches.
 *
 * <p>Guarded by the gate of the inode: changed with it held exclusively, read with it held shared.
 *
 * <p>The entry of a parent for a child that is a chain has the child's key range, and is otherwise what it was before the
 * child changed (or empty of place and check code, if the child is new) until a flush writes the child and replaces it.
 */
public final class Chain {
    /** What the tree indexes, which decides where a full table is split (section 7.1). */
    public enum Kind {
        FILE,
        /** Directory entries; in a PFS root also inodes, in the super-root PFS roots. */
        DIRECTORY,
        /** Leaves of the freemap: the levels are fixed (section 6.1). */
        FREEMAP
    }

    private static final int FREEMAP_CHILD_SLOTS = 256;
    private static final int FREEMAP_LEVEL_BITS = 8;

    private static final int DIRECTORY_ROOT_CHILD_SLOTS = 32;
    private static final int CHILD_SLOTS = 128;

    private final Kind kind;
    private final boolean isRoot;
    private final BlockTable table;
    private Chain[] children;

    private Chain(Kind kind, boolean isRoot, BlockTable table) {
        this.kind = kind;
        this.isRoot = isRoot;
        this.table = table;
        this.children = new Chain[table.slotCount()];
    }

    /** The root of a tree, beginning with a copy of what was committed. */
    public static Chain root(Kind kind, BlockTable committed) {
        return new Chain(kind, true, committed.copy());
    }

    /** The packed references; to be changed through this class only. */
    public BlockTable table() {
        return table;
    }

    /** The chain that {@code slot} leads to, or null when what is below it did not change. */
    public Chain child(int slot) {
        return children[slot];
    }

    /** Makes a chain of what {@code slot} refers to, from its table as it was loaded. */
    Chain adopt(int slot, BlockTable committed) {
        children[slot] = new Chain(kind, false, committed.copy());
        return children[slot];
    }

    void insert(int slot, BlockRef ref) {
        insert(slot, ref, null);
    }

    private void insert(int slot, BlockRef ref, Chain child) {
        System.arraycopy(children, slot, children, slot + 1, table.entryCount() - slot);
        table.insert(slot, ref);
        children[slot] = child;
    }

    /** Takes {@code slot} out, and what is below it. */
    public void remove(int slot) {
        table.remove(slot);
        System.arraycopy(children, slot + 1, children, slot, table.entryCount() - slot);
        children[table.entryCount()] = null;
    }

    /** Replaces the reference in {@code slot}, which keeps its key range. */
    void replace(int slot, BlockRef ref) {
        table.set(slot, ref);
    }

    /** The child in {@code slot} has been written, by a flush, as {@code ref}, and is no longer in memory. */
    public void written(int slot, BlockRef ref) {
        table.set(slot, ref);
        children[slot] = null;
    }

    /** Whether the entries of the child in {@code slot} fit in here, in place of the child. */
    public boolean canAbsorb(int slot) {
        // Three quarters, as the reference does: a child that is nearly full would soon be split off again (section
        // 7.2).
        BlockTable below = children[slot].table;
        return kind != Kind.FREEMAP
                && table.entryCount() - 1 + below.entryCount() <= table.slotCount()
                && below.entryCount() <= below.slotCount() * 3 / 4
                && staysApart(below);
    }

    /** Takes the entries of the child in {@code slot} up into this table. */
    public void absorb(int slot) {
        Chain child = children[slot];
        remove(slot);
        for (int i = 0; i < child.table.entryCount(); i++) {
            insert(slot + i, child.table.ref(i), child.children[i]);
        }
    }

    /**
     * Makes room in a full table: moves the entries of one aligned key range into a new indirect block below.
     *
     * @param key that is to be inserted, here or below
     */
    void split(long key) {
        Range range = switch (kind) {
            case FILE -> fileRange();
            case DIRECTORY -> directoryRange(key);
            case FREEMAP -> freemapRange();
        };
        int from = table.lowerBound(range.key);
        int to = from;
        while (to < table.entryCount() && Key.lessOrEqual(table.key(to), range.end())) {
            to++;
        }
        // A freemap node above a single block makes room as well: the next split is one level higher.
        if (to - from < (kind == Kind.FREEMAP ? 1 : 2)) {
            throw new IllegalStateException(
                    "a split at " + Key.text(range.key) + "/" + range.keybits + " makes no room");
        }
        Chain child = new Chain(kind, false, BlockTable.empty(childSlots()));
        for (int slot = from; slot < to; slot++) {
            child.insert(slot - from, table.ref(slot), children[slot]);
        }
        for (int slot = to - 1; slot >= from; slot--) {
            remove(slot);
        }
        BlockType type = kind == Kind.FREEMAP ? BlockType.FREEMAP_NODE : BlockType.INDIRECT;
        BlockRef placeholder =
                BlockRef.builder(type).key(range.key, range.keybits).build();
        insert(from, placeholder, child);
    }

    private int childSlots() {
        if (kind == Kind.FREEMAP) {
            return FREEMAP_CHILD_SLOTS;
        }
        int slots = isRoot && kind == Kind.DIRECTORY ? DIRECTORY_ROOT_CHILD_SLOTS : CHILD_SLOTS;
        return Math.max(slots, table.slotCount());
    }

    private record Range(long key, int keybits) {
        long end() {
            return Key.end(key, keybits);
        }
    }

    /**
     * The lowest of the smallest entries, and as much as a block of such entries covers (section 7.1). In a sparse file that may
     * hold too few entries to make room, and the next level all of them: then around the two entries that lie closest.
     */
    private Range fileRange() {
        int smallest = Integer.MAX_VALUE;
        long lowest = 0;
        for (int slot = 0; slot < table.entryCount(); slot++) {
            if (table.keybits(slot) < smallest) {
                smallest = table.keybits(slot);
                lowest = table.key(slot);
            }
        }
        int levelBits = Integer.numberOfTrailingZeros(childSlots());
        for (int keybits = smallest + levelBits; keybits <= Key.BITS_MAX; keybits += levelBits) {
            if (makesRoom(lowest, keybits)) {
                return new Range(Key.base(lowest, keybits), keybits);
            }
        }
        return closestPair();
    }

    /** Of three keys two have more high bits in common than with the third, so this never holds a full table's entries. */
    private Range closestPair() {
        int bits = Key.BITS_MAX;
        int closest = 0;
        for (int slot = 0; slot + 1 < table.entryCount(); slot++) {
            int pairBits = Long.SIZE - Long.numberOfLeadingZeros(table.key(slot) ^ table.keyEnd(slot + 1));
            if (pairBits < bits) {
                bits = pairBits;
                closest = slot;
            }
        }
        return new Range(Key.base(table.key(closest), bits), bits);
    }

    /** Whether moving what lies in the range leaves fewer entries here, and (but for the root) not all of them there. */
    private boolean makesRoom(long key, int keybits) {
        int count = countIn(key, keybits);
        return count >= 2 && (isRoot || count < table.entryCount());
    }

    /** The fuller half of the smallest range that holds all entries and the new key (section 7.1). */
    private Range directoryRange(long newKey) {
        long first = newKey;
        long last = newKey;
        for (int slot = 0; slot < table.entryCount(); slot++) {
            first = Key.less(table.key(slot), first) ? table.key(slot) : first;
            last = Key.less(last, table.keyEnd(slot)) ? table.keyEnd(slot) : last;
        }
        int keybits = Long.SIZE - Long.numberOfLeadingZeros(first ^ last) - 1;
        long low = Key.base(first, keybits);
        long high = Key.base(last, keybits);
        Range half =
                countIn(low, keybits) >= countIn(high, keybits) ? new Range(low, keybits) : new Range(high, keybits);
        int bits = half.keybits;
        while (bits < Integer.numberOfTrailingZeros(childSlots())) {
            bits++;
        }
        return new Range(Key.base(half.key, bits), bits);
    }

    /** The next level above the lowest one here, around the first block of that. */
    private Range freemapRange() {
        int lowestBits = Integer.MAX_VALUE;
        long key = 0;
        for (int slot = 0; slot < table.entryCount(); slot++) {
            if (table.keybits(slot) < lowestBits) {
                lowestBits = table.keybits(slot);
                key = table.key(slot);
            }
        }
        int keybits = lowestBits + FREEMAP_LEVEL_BITS;
        return new Range(Key.base(key, keybits), keybits);
    }

    private int countIn(long key, int keybits) {
        long base = Key.base(key, keybits);
        long end = Key.end(base, keybits);
        int count = 0;
        for (int slot = 0; slot < table.entryCount(); slot++) {
            if (Key.lessOrEqual(base, table.key(slot)) && Key.lessOrEqual(table.keyEnd(slot), end)) {
                count++;
            }
        }
        return count;
    }

    /** An indirect block of another writer may reach beyond its place here (rule 5), and must then stay below it. */
    private boolean staysApart(BlockTable below) {
        for (int slot = 0; slot < below.entryCount(); slot++) {
            if (below.type(slot) == BlockType.INDIRECT) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return "chain of " + table.entryCount() + " entries, "
                + Arrays.stream(children).filter(child -> child != null).count() + " changed below";
    }
}
