package io.hammer2.fs.freemap;

import java.util.List;

/**
 * Whose the space of a volume is, in bytes of whole granules of 16 KiB; the parts add up to the size.
 *
 * @param sizeBytes of the file system
 * @param reservedBytes header copies, space map, boot and aux areas, what newfs wrote; never to be had
 * @param freeBytes to be had now
 * @param waitingBytes nothing refers to it any more: bulkfree gives it back
 * @param sharedBytes held by several PFSs, snapshots too
 * @param volumeBytes held by the list of PFSs itself
 * @param unmappedBytes in use, and yet free by the space map; the parts count it as in use. Not 0 only on a damaged volume
 * @param pfss what each PFS holds
 * @param damageCount tables that could not be read; what only they lead to seems to wait for bulkfree
 * @param damage the first of them, one line each
 */
public record SpaceReport(
        long sizeBytes,
        long reservedBytes,
        long freeBytes,
        long waitingBytes,
        long sharedBytes,
        long volumeBytes,
        long unmappedBytes,
        List<PfsSpace> pfss,
        long damageCount,
        List<String> damage) {
    public SpaceReport {
        pfss = List.copyOf(pfss);
        damage = List.copyOf(damage);
    }

    /**
     * A PFS.
     *
     * @param nameKey in the super-root
     * @param label for people
     * @param isSnapshot whether it began as one
     * @param dataBytes stored below its root, shared or not, by the count of the format
     * @param onlyBytes held by nothing else: what deleting it would give back
     */
    public record PfsSpace(long nameKey, String label, boolean isSnapshot, long dataBytes, long onlyBytes) {}

    /** In use, by whomever. */
    public long usedBytes() {
        return sharedBytes
                + volumeBytes
                + pfss.stream().mapToLong(PfsSpace::onlyBytes).sum();
    }
}
