package io.hammer2.fs.freemap;

import java.util.List;

/**
 * What a run of bulkfree did. Bytes are of whole granules of 16 KiB.
 *
 * @param passes over the whole volume: 2, or 1 when nothing was left for the second
 * @param stagedBytes unused space found, which the next pass frees if it is unused still
 * @param freedBytes can be allocated again
 * @param restoredBytes were staged, and are in use
 * @param corruptBytes were marked free although in use: the space map was wrong there
 * @param damageCount tables that could not be read; if there are any, nothing was staged or freed
 * @param damage the first of them, one line each
 */
public record BulkFreeResult(
        int passes,
        long stagedBytes,
        long freedBytes,
        long restoredBytes,
        long corruptBytes,
        long damageCount,
        List<String> damage) {
    /** Memory for a run unless somebody wants otherwise: enough for 4 TiB in one part. */
    public static final long MEMORY_BYTES_DEFAULT = 64L << 20;

    public BulkFreeResult {
        damage = List.copyOf(damage);
    }
}
