package io.hammer2.fs;

import io.hammer2.fs.media.PfsType;
import java.lang.foreign.MemorySegment;
import java.util.UUID;

/**
 * A PFS of a volume, as pfs-list shows it (format section 9.2).
 *
 * @param label its name; bytes that are not UTF-8 are shown as replacement characters, {@code labelBytes} has them as they are
 * @param labelBytes read-only
 * @param nameKey its key in the super-root
 * @param subtype 0 none, 1 snapshot, 2 automatic snapshot
 * @param clid cluster
 * @param fsid unique
 * @param lastSnapshotTid modify_tid of its last snapshot
 * @param inodeCount inodes below its root
 * @param dataCount stored bytes below its root
 */
public record PfsInfo(
        String label,
        MemorySegment labelBytes,
        long nameKey,
        PfsType type,
        int subtype,
        UUID clid,
        UUID fsid,
        long lastSnapshotTid,
        long inodeCount,
        long dataCount) {
    public boolean isSnapshot() {
        return subtype != 0;
    }
}
