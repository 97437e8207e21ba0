package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.Key;

/**
 * Indirect blocks of files below which everything was walked without a problem, and what another reference to the same block
 * needs to be right as well without a second walk: files of a snapshot that changed since share most of their tree.
 *
 * <p>A hash table of {@code long}s, keyed by data_off (never 0): five for each block.
 */
final class SubtreeMemo {
    private static final int ENTRY_LONGS = 5;
    private static final int DATA_OFF = 0;
    private static final int LOW = 1;
    private static final int HIGH = 2;
    private static final int MIRROR_TID = 3;
    private static final int DATA_COUNT = 4;

    private final long bytesMax;
    private long[] entries = new long[1024 * ENTRY_LONGS];
    private int count;

    /** A memo that takes no more than about so many bytes. */
    SubtreeMemo(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    void clear() {
        entries = new long[1024 * ENTRY_LONGS];
        count = 0;
    }

    void put(BlockRef ref, Tally tally) {
        if (2 * (count + 1) * ENTRY_LONGS > entries.length && !grow()) {
            return;
        }
        int at = slot(entries, ref.dataOff());
        count += entries[at] == 0 ? 1 : 0;
        entries[at + DATA_OFF] = ref.dataOff();
        entries[at + LOW] = tally.low();
        entries[at + HIGH] = tally.high();
        entries[at + MIRROR_TID] = tally.mirrorTidMax();
        entries[at + DATA_COUNT] = tally.dataCount();
    }

    /**
     * Whether a walk below {@code ref}, here, would find no problem if the block is the one that was walked.
     *
     * @param sizeBytes size of the file: no block may begin behind it
     * @param tally covers what is below, if so
     */
    boolean isRightFor(BlockRef ref, Place place, long sizeBytes, Tally tally) {
        int at = slot(entries, ref.dataOff());
        if (entries[at] == 0) {
            return false;
        }
        Place below = place.below(ref);
        long low = entries[at + LOW];
        long high = entries[at + HIGH];
        boolean right = Key.lessOrEqual(below.low(), low)
                && Key.lessOrEqual(high, below.high())
                && Key.less(high & -65536L, sizeBytes)
                && Key.lessOrEqual(entries[at + MIRROR_TID], ref.mirrorTid())
                && entries[at + DATA_COUNT] == ref.dataCount()
                && ref.inodeCount() == 0;
        if (right) {
            tally.cover(low, high);
        }
        return right;
    }

    private boolean grow() {
        if (entries.length > Integer.MAX_VALUE / 2 || 2L * entries.length * Long.BYTES > bytesMax) {
            // Without a place for it a block is walked once more: slower, and not wrong.
            return false;
        }
        long[] larger = new long[entries.length * 2];
        for (int from = 0; from < entries.length; from += ENTRY_LONGS) {
            if (entries[from] != 0) {
                System.arraycopy(entries, from, larger, slot(larger, entries[from]), ENTRY_LONGS);
            }
        }
        entries = larger;
        return true;
    }

    private static int slot(long[] table, long dataOff) {
        int slots = table.length / ENTRY_LONGS;
        int slot = (int) (((dataOff * 0x9E3779B97F4A7C15L) >>> 33) % slots);
        while (table[slot * ENTRY_LONGS] != 0 && table[slot * ENTRY_LONGS] != dataOff) {
            slot = slot + 1 == slots ? 0 : slot + 1;
        }
        return slot * ENTRY_LONGS;
    }
}
