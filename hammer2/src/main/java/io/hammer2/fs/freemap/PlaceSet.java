package io.hammer2.fs.freemap;

import io.hammer2.fs.media.Limits;

/** A set of places of blocks, each offset and radix as stored ({@code data_off}), in a bounded amount of memory. */
final class PlaceSet {
    private static final int FIRST_SLOTS = 1024;

    private final long bytesMax;

    /** Open addressing; 0 is an empty slot, and no block lies there. At most half full. */
    private long[] slots = new long[FIRST_SLOTS];

    private int count;

    PlaceSet(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /**
     * @return whether it was not yet in
     * @throws OutOfMemoryBudgetException when there is no room for more
     */
    boolean add(long dataOff) {
        int slot = find(slots, dataOff);
        if (slots[slot] == dataOff) {
            return false;
        }
        if (count >= slots.length / 2) {
            grow();
            slot = find(slots, dataOff);
        }
        slots[slot] = dataOff;
        count++;
        return true;
    }

    private void grow() {
        if (2L * slots.length * Long.BYTES > Math.max(bytesMax, 2L * FIRST_SLOTS * Long.BYTES)) {
            throw new OutOfMemoryBudgetException("more than " + count + " block tables to remember in "
                    + bytesMax / Limits.KIB + " KiB of memory; it needs more");
        }
        long[] larger = new long[2 * slots.length];
        for (long dataOff : slots) {
            if (dataOff != 0) {
                larger[find(larger, dataOff)] = dataOff;
            }
        }
        slots = larger;
    }

    private static int find(long[] slots, long dataOff) {
        int mask = slots.length - 1;
        long mixed = dataOff * 0x9E3779B97F4A7C15L;
        int slot = (int) (mixed >>> 32) & mask;
        while (slots[slot] != 0 && slots[slot] != dataOff) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
