package io.hammer2.fs.freemap;

import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.Limits;

/** Brings one leaf into agreement with a walk of what is in use, as section 14 of the format tells. */
final class LeafMerge {
    private static final int GRANULE = Limits.FREEMAP_GRANULE_BYTES;

    private final FreemapTree.Leaf leaf;
    private final FreemapLeaf map;
    private final GranuleMap referenced;
    private final GranuleMap allocatedSince;
    private final boolean mayFree;
    private final GranuleMap freedNow;
    private MergeCounts counts = MergeCounts.NONE;

    /**
     * @param allocatedSince in use as well, without the walk having met it
     * @param mayFree whether staged granules are freed; else they stay
     * @param freedNow takes those that are
     */
    LeafMerge(
            FreemapTree.Leaf leaf,
            GranuleMap referenced,
            GranuleMap allocatedSince,
            boolean mayFree,
            GranuleMap freedNow) {
        this.leaf = leaf;
        this.map = leaf.map();
        this.referenced = referenced;
        this.allocatedSince = allocatedSince;
        this.mayFree = mayFree;
        this.freedNow = freedNow;
    }

    MergeCounts counts() {
        return counts;
    }

    void segment(int segment) {
        long offset = leaf.key() + (long) segment * Limits.FREEMAP_SEGMENT_BYTES;
        long staged = 0;
        long freed = 0;
        long restored = 0;
        long stagedNow = 0;
        long wereFree = 0;
        for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
            Granule before = map.granule(segment, granule);
            Granule after = after(before, isUsed(offset, granule));
            stagedNow += after == Granule.STAGED ? 1 : 0;
            if (after == before) {
                continue;
            }
            map.setGranule(segment, granule, after);
            if (after == Granule.FREE) {
                freedNow.add(offset + (long) granule * GRANULE, GRANULE);
            }
            switch (before) {
                case ALLOCATED -> staged++;
                case STAGED -> {
                    freed += after == Granule.FREE ? 1 : 0;
                    restored += after == Granule.ALLOCATED ? 1 : 0;
                }
                case FREE -> wereFree++;
                case ILLEGAL -> restored++;
            }
        }
        if (staged + freed + restored + wereFree > 0) {
            settle(segment);
            leaf.changed();
        }
        counts = counts.plus(new MergeCounts(staged, freed, restored, stagedNow, wereFree));
    }

    private Granule after(Granule before, boolean isUsed) {
        return switch (before) {
            case ALLOCATED -> isUsed ? Granule.ALLOCATED : Granule.STAGED;
            case STAGED -> isUsed ? Granule.ALLOCATED : mayFree ? Granule.FREE : Granule.STAGED;
            case FREE -> isUsed ? Granule.ALLOCATED : Granule.FREE;
            // Never written by anyone: not free, and staged if nothing is there.
            case ILLEGAL -> isUsed ? Granule.ALLOCATED : Granule.STAGED;
        };
    }

    private boolean isUsed(long segmentOffset, int granule) {
        int word = granule / Long.SIZE;
        long used = referenced.segmentWord(segmentOffset, word) | allocatedSince.segmentWord(segmentOffset, word);
        return (used >>> granule & 1) != 0;
    }

    /** Packing does not go on in a granule that is on its way to be free, and an empty segment is anybody's. */
    private void settle(int segment) {
        int free = 0;
        for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
            free += map.granule(segment, granule) == Granule.FREE ? 1 : 0;
        }
        map.setAvailBytes(segment, free * GRANULE);
        if (map.availBytes(segment) == Limits.FREEMAP_SEGMENT_BYTES) {
            map.setAllocationClass(segment, 0);
            map.setLinear(segment, 0);
            return;
        }
        int linear = map.linear(segment);
        if (linear > 0
                && linear < FreemapLeaf.LINEAR_FULL
                && linear % GRANULE != 0
                && map.granule(segment, linear / GRANULE) != Granule.ALLOCATED) {
            map.setLinear(segment, (linear / GRANULE + 1) * GRANULE);
        }
    }
}
