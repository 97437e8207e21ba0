package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;

/** Where blocks may lie (format section 4.1), and which do. */
final class Storage {
    /** Natural alignment from this radix on; smaller blocks stay inside a granule. */
    private static final int ALIGNED_RADIX = 14;

    private final Reporter reporter;
    private final BlockReader reader;
    private final BlockMap map;
    private final long totalBytes;
    private final long auxEnd;
    private final long freemapTid;
    private boolean fullReported;

    Storage(Reporter reporter, BlockReader reader, BlockMap map, long totalBytes, long auxEnd, long freemapTid) {
        this.reporter = reporter;
        this.reader = reader;
        this.map = map;
        this.totalBytes = totalBytes;
        this.auxEnd = auxEnd;
        this.freemapTid = freemapTid;
    }

    BlockMap map() {
        return map;
    }

    /**
     * Notes the storage of a reference as in use.
     *
     * @return whether the block can be read: its place is a possible one
     */
    boolean claim(BlockRef ref, Object where) {
        String defect = defect(ref);
        if (defect != null) {
            reporter.problem(ProblemCode.BREF, where + ": " + defect + ": " + Place.label(ref), ref);
            return false;
        }
        if (!reader.isPresent(ref.offsetBytes(), ref.storedBytes())) {
            // A volume that is not there cannot overlap or leak; whoever reads the block reports it.
            return true;
        }
        BlockMap.Claim claim =
                map.claim(ref.offsetBytes(), ref.radix(), ref.type(), Key.less(freemapTid, ref.mirrorTid()));
        switch (claim) {
            case FIRST, AGAIN -> {}
            case OTHER_TYPE ->
                reporter.problem(
                        ProblemCode.OVERLAP,
                        where + ": the block is also used as another type: " + Place.label(ref),
                        ref);
            case OVERLAP ->
                reporter.problem(
                        ProblemCode.OVERLAP, where + ": the block overlaps another one: " + Place.label(ref), ref);
        }
        if (map.isFull() && !fullReported) {
            fullReported = true;
            reporter.problem(
                    ProblemCode.LIMIT,
                    "the heap is too small to note every block: overlaps and the freemap are verified in part only");
        }
        return true;
    }

    boolean has(BlockRef ref, int flags) {
        return map.has(ref.offsetBytes(), ref.radix(), ref.type(), flags);
    }

    void mark(BlockRef ref, int flags) {
        map.mark(ref.offsetBytes(), ref.radix(), ref.type(), flags);
    }

    private String defect(BlockRef ref) {
        int radix = ref.radix();
        if (radix < Limits.RADIX_MIN || radix > Limits.RADIX_MAX) {
            return "radix " + radix;
        }
        long offset = ref.offsetBytes();
        int size = ref.storedBytes();
        if (offset < Limits.RESERVED_SEGMENT_BYTES || offset > totalBytes - size) {
            return "storage outside of the volume";
        }
        if (offset % Limits.GIB < Limits.RESERVED_SEGMENT_BYTES) {
            return "storage inside a reserved segment";
        }
        if (Key.less(offset, auxEnd)) {
            return "storage inside the boot or aux area";
        }
        boolean aligned = radix >= ALIGNED_RADIX
                ? offset % size == 0
                : offset % Limits.KIB == 0
                        && offset / Limits.FREEMAP_GRANULE_BYTES == (offset + size - 1) / Limits.FREEMAP_GRANULE_BYTES;
        return aligned ? null : "storage misaligned";
    }
}
