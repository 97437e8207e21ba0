package io.hammer2.fs.fsck;

import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * What a verification found.
 *
 * @param outcome the verdict
 * @param unusable why nothing, or not everything, could be verified; null unless the outcome is UNUSABLE
 * @param problemCounts problems of each kind that occurred, in the order of {@link ProblemCode}; notes are not counted
 * @param volumes the volumes in the order of their ids, as far as their headers were read
 * @param fileSystem what the chosen header says; null without one
 * @param pfses the PFSs that were verified, in the order of their keys
 * @param counts what was seen
 * @param freemap the space map; null when the verification did not come so far
 */
public record FsckResult(
        Outcome outcome,
        String unusable,
        Map<ProblemCode, Long> problemCounts,
        List<VolumeReport> volumes,
        FileSystemReport fileSystem,
        List<PfsReport> pfses,
        Counts counts,
        FreemapReport freemap) {

    /** Verdicts. */
    public enum Outcome {
        /** Everything asked for was verified, and no problem found. */
        CLEAN,
        /** There is at least one problem. */
        PROBLEMS,
        /** The volumes cannot be verified at all: no valid header, a volume missing, no super-root. */
        UNUSABLE,
        /** The listener gave up. */
        CANCELLED
    }

    public long problemCount() {
        return problemCounts.values().stream().mapToLong(Long::longValue).sum();
    }

    /**
     * One copy of a volume header.
     *
     * @param copy 0 to 3
     * @param valid magic and CRCs match
     * @param defect why it is not valid, else null
     * @param mirrorTid the commit that it is of, if valid
     */
    public record HeaderCopy(int copy, boolean valid, String defect, long mirrorTid) {}

    /**
     * A volume.
     *
     * @param chosen the copy that was used
     */
    public record VolumeReport(int id, String name, long sizeBytes, List<HeaderCopy> headers, int chosen) {}

    /**
     * What the chosen header says, as in section 3 of the format; sizes in bytes.
     *
     * @param extensions what the file system may have that no version of the format knows, a mask
     */
    public record FileSystemReport(
            int version,
            UUID fsid,
            long totalSize,
            long allocatorSize,
            long allocatorFree,
            long allocatorBeg,
            long mirrorTid,
            long freemapTid,
            int extensions) {}

    /**
     * A PFS.
     *
     * @param name printable
     * @param inodeNext allocator state of the root inode
     * @param fileBytes sum of the sizes of regular files
     * @param problemCount problems inside it
     */
    public record PfsReport(
            String name,
            int typeCode,
            int subtype,
            UUID clid,
            UUID fsid,
            long inodeNext,
            long snapshotTid,
            long inodeCount,
            long fileCount,
            long directoryCount,
            long otherCount,
            long fileBytes,
            long problemCount) {}

    /**
     * What was seen. What snapshots share is seen once, unless each PFS is verified alone.
     *
     * @param zstdCount of the data blocks, those compressed with zstd, which DragonFly cannot read
     * @param emptyCount empty slots of block tables
     * @param verifiedBytes bytes whose check code matched
     * @param unverifiableCount blocks without a check code
     * @param sharedCount subtrees that were reached again and not walked again
     */
    public record Counts(
            long inodeCount,
            long indirectCount,
            long dataCount,
            long zstdCount,
            long direntCount,
            long emptyCount,
            long verifiedBytes,
            long unverifiableCount,
            long sharedCount) {}

    /**
     * The space map, in granules of 16 KiB outside of the reserved areas.
     *
     * @param allocatedCount granules marked allocated
     * @param stagedCount granules that a bulkfree pass has staged for release
     * @param unreferencedCount allocated, and referenced by nothing; -1 when not all PFSs were verified
     * @param unreferencedStagedCount staged, and referenced by nothing; -1 likewise
     * @param referencedStagedCount staged, and in use again
     */
    public record FreemapReport(
            long nodeCount,
            long leafCount,
            long allocatedCount,
            long stagedCount,
            long unreferencedCount,
            long unreferencedStagedCount,
            long referencedStagedCount) {}
}
