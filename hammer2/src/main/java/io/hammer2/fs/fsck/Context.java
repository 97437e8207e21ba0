package io.hammer2.fs.fsck;

/**
 * What every part of a verification works with.
 *
 * @param extensions of the volume, a mask
 * @param memo file subtrees that were walked without a problem
 */
record Context(
        FsckOptions options,
        int extensions,
        Reporter reporter,
        TableCheck tables,
        Storage storage,
        BlockLoader loader,
        TreeWalker walker,
        SubtreeMemo memo,
        Totals totals) {

    /** Sums over all PFSs. */
    static final class Totals {
        long inodes;
        long dataBlocks;
        long dirents;
        long shared;
    }
}
