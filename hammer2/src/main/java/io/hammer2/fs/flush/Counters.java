package io.hammer2.fs.flush;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;

/**
 * What a reference says about all that is below it (format section 4.3), computed from the table that it leads to.
 *
 * @param dataCount stored bytes
 * @param inodeCount inodes
 * @param leafCount leaves, at most 65535
 * @param modifyTid the newest change
 */
public record Counters(long dataCount, long inodeCount, int leafCount, long modifyTid) {
    private static final int LEAF_COUNT_MAX = 0xFFFF;

    /** Sums up a packed table whose references are all written. */
    public static Counters of(BlockTable table) {
        long data = 0;
        long inodes = 0;
        int leaves = 0;
        long modifyTid = 0;
        for (int slot = 0; slot < table.entryCount(); slot++) {
            BlockRef ref = table.ref(slot);
            data += ref.storedBytes();
            modifyTid = Math.max(modifyTid, ref.modifyTid());
            switch (ref.type()) {
                case INODE -> {
                    data += ref.dataCount();
                    inodes += 1 + ref.inodeCount();
                    leaves++;
                }
                case INDIRECT -> {
                    data += ref.dataCount();
                    inodes += ref.inodeCount();
                    leaves += ref.leafCount();
                }
                case DATA, DIRENT -> leaves++;
                case FREEMAP_NODE, FREEMAP_LEAF -> {}
                case EMPTY, INVALID -> throw new IllegalStateException("not in a packed table: " + ref);
            }
        }
        return new Counters(data, inodes, Math.min(leaves, LEAF_COUNT_MAX), modifyTid);
    }
}
