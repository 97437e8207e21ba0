package io.hammer2.fs.sweep;

/** A set of numbers other than 0 in a bounded amount of memory. */
final class LongSet {
    private static final int FIRST_SLOTS = 1024;

    private final long bytesMax;

    /** Open addressing; 0 is an empty slot. At most half full. */
    private long[] slots = new long[FIRST_SLOTS];

    private int count;

    LongSet(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** What became of a number. */
    enum Added {
        NEW,
        KNOWN,
        /** There is no room for it. */
        FULL
    }

    Added add(long number) {
        int slot = find(slots, number);
        if (slots[slot] == number) {
            return Added.KNOWN;
        }
        if (count >= slots.length / 2) {
            // While it grows, both are there.
            if (3L * slots.length * Long.BYTES > bytesMax) {
                return Added.FULL;
            }
            grow();
            slot = find(slots, number);
        }
        slots[slot] = number;
        count++;
        return Added.NEW;
    }

    private void grow() {
        long[] larger = new long[2 * slots.length];
        for (long number : slots) {
            if (number != 0) {
                larger[find(larger, number)] = number;
            }
        }
        slots = larger;
    }

    private static int find(long[] slots, long number) {
        int mask = slots.length - 1;
        int slot = (int) ((number * 0x9E3779B97F4A7C15L) >>> 32) & mask;
        while (slots[slot] != 0 && slots[slot] != number) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }
}
