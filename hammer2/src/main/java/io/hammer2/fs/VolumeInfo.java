package io.hammer2.fs;

import java.util.List;
import java.util.UUID;

/**
 * An opened volume set.
 *
 * @param version 1 or 2 (format section 2.5)
 * @param headerCopy which copy of the root volume's header is the newest valid one, 0..3
 * @param sizeBytes of all volumes
 */
public record VolumeInfo(
        int version,
        UUID fsid,
        int headerCopy,
        long mirrorTid,
        long freemapTid,
        long sizeBytes,
        long allocatorSize,
        long allocatorFree,
        List<Member> members) {
    /** One device of the set. */
    public record Member(int id, String device, long logicalOffset, long sizeBytes) {}
}
