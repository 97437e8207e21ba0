package io.hammer2.fs.freemap;

import io.hammer2.fs.media.Limits;

/** Whose each indirect block is, by its place as stored ({@code data_off}), in a bounded amount of memory. */
final class OwnedPlaces {
    private static final int FIRST_SLOTS = 64;
    private static final int BYTES_PER_SLOT = Long.BYTES + Short.BYTES;

    private final long bytesMax;

    /** Open addressing; 0 is an empty slot, and no block lies there. At most half full. */
    private long[] places = new long[FIRST_SLOTS];

    private short[] owners = new short[FIRST_SLOTS];
    private int count;

    OwnedPlaces(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /**
     * @return whose it was; {@code NOBODY} if it was not in
     * @throws OutOfMemoryBudgetException when there is no room for more
     */
    short put(long dataOff, short owner) {
        int slot = find(places, dataOff);
        if (places[slot] == 0) {
            if (count >= places.length / 2) {
                grow();
                slot = find(places, dataOff);
            }
            places[slot] = dataOff;
            count++;
        }
        short before = owners[slot];
        owners[slot] = owner;
        return before;
    }

    private void grow() {
        // Both the old and the new one are there for a moment.
        long needed = 3L * places.length * BYTES_PER_SLOT;
        if (needed > Math.max(bytesMax, 3L * FIRST_SLOTS * BYTES_PER_SLOT)) {
            throw new OutOfMemoryBudgetException("more than " + count + " block tables to remember in "
                    + bytesMax / Limits.KIB + " KiB of memory; it needs more");
        }
        long[] largerPlaces = new long[2 * places.length];
        short[] largerOwners = new short[2 * places.length];
        for (int i = 0; i < places.length; i++) {
            if (places[i] != 0) {
                int slot = find(largerPlaces, places[i]);
                largerPlaces[slot] = places[i];
                largerOwners[slot] = owners[i];
            }
        }
        places = largerPlaces;
        owners = largerOwners;
    }

    private static int find(long[] places, long dataOff) {
        int mask = places.length - 1;
        long mixed = dataOff * 0x9E3779B97F4A7C15L;
        int slot = (int) (mixed >>> 32) & mask;
        while (places[slot] != 0 && places[slot] != dataOff) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
