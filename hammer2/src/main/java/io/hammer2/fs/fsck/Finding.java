package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;

/**
 * Something to report about a volume.
 *
 * @param severity whether it makes the volume unclean
 * @param code its kind; null for some notes
 * @param text where and what, complete in itself
 * @param pfs the PFS in which it is, printable; null outside of any
 * @param path path in the PFS, printable, where it is known; else null
 * @param ref the block reference concerned; null where there is none
 */
public record Finding(Severity severity, ProblemCode code, String text, String pfs, String path, BlockRef ref) {
    /** How bad it is. */
    public enum Severity {
        /** The volume is not clean. */
        PROBLEM,
        /** Worth knowing; no influence on the verdict. */
        NOTE
    }
}
