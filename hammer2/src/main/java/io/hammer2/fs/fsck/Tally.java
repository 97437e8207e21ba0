package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.Key;

/** What the entries of one block table add up to (format section 4.3). */
final class Tally {
    private static final int LEAF_COUNT_MAX = 65535;

    private long dataCount;
    private long inodeCount;
    private long leafCount;
    private boolean partial;
    private long mirrorTidMax;
    private boolean empty = true;
    private long low;
    private long high;

    /** An entry that counts: the space that it takes, and for tables what its reference says of the space below. */
    void add(BlockRef ref) {
        dataCount += ref.storedBytes();
        if (Key.less(mirrorTidMax, ref.mirrorTid())) {
            mirrorTidMax = ref.mirrorTid();
        }
        switch (ref.type()) {
            case INODE -> {
                dataCount += ref.dataCount();
                inodeCount += 1 + ref.inodeCount();
                leafCount++;
            }
            case INDIRECT -> {
                dataCount += ref.dataCount();
                inodeCount += ref.inodeCount();
                leafCount += ref.leafCount();
            }
            case DATA, DIRENT -> leafCount++;
            case EMPTY, FREEMAP_NODE, FREEMAP_LEAF, INVALID -> throw new AssertionError("not in a file system's tree");
        }
    }

    /** Part of the table could not be counted: there is nothing to compare. */
    void markPartial() {
        partial = true;
    }

    boolean isPartial() {
        return partial;
    }

    /** Keys from {@code first} to {@code last}, inclusive, occur below the table. */
    void cover(long first, long last) {
        low = empty || Key.less(first, low) ? first : low;
        high = empty || Key.less(high, last) ? last : high;
        empty = false;
    }

    /** What occurs below a table further down occurs below this one. */
    void cover(Tally below) {
        cover(below.low, below.high);
    }

    /** Whether no key occurs below the table. */
    boolean isEmpty() {
        return empty;
    }

    /** First key that occurs below the table. */
    long low() {
        return low;
    }

    /** Last key that occurs below the table. */
    long high() {
        return high;
    }

    long dataCount() {
        return dataCount;
    }

    /** Highest transaction id of the entries. */
    long mirrorTidMax() {
        return mirrorTidMax;
    }

    /** Compares with what the reference to the table's block says. */
    void compare(BlockRef ref, Object where, Reporter reporter) {
        compare(ref.dataCount(), ref.inodeCount(), where, reporter);
        if (!partial && Math.min(leafCount, LEAF_COUNT_MAX) != ref.leafCount()) {
            // A hint that sticks at its maximum, and that snapshot roots begin without.
            reporter.note("leaf_count", where + ": leaf_count " + ref.leafCount() + ", counted " + leafCount, ref);
        }
    }

    /** Compares with what the reference to the table's block says. */
    void compare(long statedDataCount, long statedInodeCount, Object where, Reporter reporter) {
        if (!partial && (dataCount != statedDataCount || inodeCount != statedInodeCount)) {
            reporter.problem(
                    ProblemCode.COUNTERS,
                    where + ": data_count " + Long.toUnsignedString(statedDataCount) + " and inode_count "
                            + Long.toUnsignedString(statedInodeCount) + ", counted " + dataCount + " and "
                            + inodeCount);
        }
    }
}
