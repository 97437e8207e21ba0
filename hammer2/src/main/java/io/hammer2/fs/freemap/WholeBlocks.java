package io.hammer2.fs.freemap;

import io.hammer2.fs.media.Limits;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongToIntFunction;

/**
 * Free blocks of 64 KiB, each in its natural place, as far as they have been counted: a GiB is looked at when somebody needs more than
 * is known of, and again after it changed. So nobody waits for the whole map of a large volume to be read.
 */
final class WholeBlocks {
    private final LongToIntFunction counter;
    private final Map<Long, Integer> byGib = new HashMap<>();
    private final Set<Long> changed = new HashSet<>();
    private long cursor;
    private long count;

    /**
     * @param counter counts those of a GiB, given by its number
     * @param firstGib where to begin
     */
    WholeBlocks(LongToIntFunction counter, long firstGib) {
        this.counter = counter;
        this.cursor = firstGib;
    }

    /** Of the GiBs that have been counted. */
    long knownBytes() {
        for (long gib : changed) {
            count -= byGib.get(gib);
            count += recount(gib);
        }
        changed.clear();
        return count * Limits.BLOCK_BYTES_MAX;
    }

    /** The map of a GiB is no longer what was counted, if it was. */
    void changed(long gib) {
        if (byGib.containsKey(gib)) {
            changed.add(gib);
        }
    }

    /** Whether all of the first {@code gibs} have been counted. */
    boolean isComplete(long gibs) {
        return byGib.size() >= gibs;
    }

    /** Counts some more GiBs of {@code gibs}. */
    void countMore(long gibs, int more) {
        for (int i = 0; i < more && !isComplete(gibs); i++) {
            cursor %= gibs;
            while (byGib.containsKey(cursor)) {
                cursor = (cursor + 1) % gibs;
            }
            count += recount(cursor);
        }
    }

    private int recount(long gib) {
        int blocks = counter.applyAsInt(gib);
        byGib.put(gib, blocks);
        return blocks;
    }
}
