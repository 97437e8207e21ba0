package io.hammer2.fs.fsck;

import io.hammer2.fs.fsck.FsckResult.FreemapReport;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;

/**
 * The freemap against the blocks that were found to be in use. A block that is in use and free will be overwritten; one that is
 * marked and not in use is space that only a bulkfree gives back.
 */
final class FreemapComparison {
    private static final long LOW_BITS = 0x5555555555555555L;
    private static final int WORD_GRANULES = 32;

    private final Reporter reporter;
    private final FreemapCheck freemap;
    private final BlockMap blocks;
    private final VolumeHeader header;
    private long allocated;
    private long staged;
    private long unreferenced;
    private long unreferencedStaged;
    private long referencedStaged;
    private long lagging;
    private long firstLagging = -1;

    FreemapComparison(Context context, FreemapCheck freemap, VolumeHeader header) {
        this.reporter = context.reporter();
        this.freemap = freemap;
        this.blocks = context.storage().map();
        this.header = header;
    }

    /**
     * Compares.
     *
     * @param complete whether all PFSs were walked, so that a granule in which no block was found is unreferenced
     */
    FreemapReport compare(boolean complete) {
        for (long gib : blocks.gibs()) {
            if (freemap.leafOf(gib) < 0 && !freemap.isLost(gib)) {
                withoutLeaf(gib);
            }
        }
        for (int index = 0; index < freemap.leafCount(); index++) {
            FreemapLeaf leaf = freemap.leaf(index);
            if (leaf == null) {
                reporter.problem(
                        ProblemCode.READ, "freemap: cannot read again the leaf of GiB " + freemap.leafGib(index));
                continue;
            }
            for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
                segment(leaf, freemap.leafGib(index), segment);
            }
        }
        if (lagging != 0) {
            reporter.problem(
                    ProblemCode.FREEMAP_LAG,
                    String.format(
                            "%d granules of 16 KiB with blocks newer than freemap_tid are in use and free, the first at"
                                    + " %x: a read-write mount has to mark them before it allocates",
                            lagging, firstLagging));
        }
        return new FreemapReport(
                freemap.nodeCount(),
                freemap.leafCount(),
                allocated,
                staged,
                complete ? unreferenced : -1,
                complete ? unreferencedStaged : -1,
                referencedStaged);
    }

    private void withoutLeaf(long gib) {
        for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            BlockMap.Segment used = blocks.segment(gib, segment);
            for (int granule = 0; used != null && granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                long offset = offset(gib, segment, granule);
                // What newfs placed is there before any freemap is.
                if (used.isUsed(granule) && offset >= header.allocatorBeg()) {
                    free(used, granule, offset, " (there is no leaf)");
                }
            }
        }
    }

    private void segment(FreemapLeaf leaf, long gib, int segment) {
        BlockMap.Segment used = blocks.segment(gib, segment);
        boolean counts = !freemap.isStatic(gib, segment);
        for (int word = 0; word < FreemapLeaf.GRANULE_COUNT / WORD_GRANULES; word++) {
            long bits = leaf.bitmapWord(segment, word);
            if (counts && bits != 0) {
                long low = bits & LOW_BITS;
                long high = (bits >>> 1) & LOW_BITS;
                allocated += Long.bitCount(low & high);
                staged += Long.bitCount(high & ~low);
                long free = unused(used, word);
                unreferenced += Long.bitCount(low & high & free);
                unreferencedStaged += Long.bitCount(high & ~low & free);
            }
        }
        for (int granule = 0; used != null && granule < FreemapLeaf.GRANULE_COUNT; granule++) {
            if (used.isUsed(granule)) {
                Granule state = leaf.granule(segment, granule);
                if (state == Granule.FREE) {
                    free(used, granule, offset(gib, segment, granule), "");
                } else if (state == Granule.STAGED) {
                    referencedStaged++;
                }
            }
        }
    }

    /** The low bit of each granule of a bitmap word in which no block is. */
    private static long unused(BlockMap.Segment used, int word) {
        long bits = 0;
        for (int i = 0; i < WORD_GRANULES; i++) {
            if (used == null || !used.isUsed(word * WORD_GRANULES + i)) {
                bits |= 1L << (2 * i);
            }
        }
        return bits;
    }

    private void free(BlockMap.Segment used, int granule, long offset, String suffix) {
        if (used.isNewer(granule)) {
            lagging++;
            firstLagging = firstLagging < 0 || offset < firstLagging ? offset : firstLagging;
        } else {
            reporter.problem(
                    ProblemCode.FREEMAP_FREE,
                    String.format("the granule at %x is in use, but the freemap says free%s", offset, suffix));
        }
    }

    private static long offset(long gib, int segment, int granule) {
        return (gib << Limits.FREEMAP_LEAF_KEYBITS)
                | (long) segment * Limits.FREEMAP_SEGMENT_BYTES
                | (long) granule * Limits.FREEMAP_GRANULE_BYTES;
    }
}
