package io.hammer2.tools;

import java.util.Arrays;

/** A set of device offsets, eight to sixteen bytes each: large volumes have millions of blocks. */
final class OffsetSet {
    private static final long EMPTY = -1;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private long[] slots = emptySlots(1 << 12);
    private int count;

    /** @return whether it was not in the set */
    boolean add(long offset) {
        if (2 * (count + 1) > slots.length) {
            grow();
        }
        int slot = find(slots, offset);
        if (slots[slot] == offset) {
            return false;
        }
        slots[slot] = offset;
        count++;
        return true;
    }

    private void grow() {
        long[] larger = emptySlots(Math.multiplyExact(slots.length, 2));
        for (long offset : slots) {
            if (offset != EMPTY) {
                larger[find(larger, offset)] = offset;
            }
        }
        slots = larger;
    }

    private static int find(long[] slots, long offset) {
        int slot = (int) ((offset * MIX) >>> 32) & (slots.length - 1);
        while (slots[slot] != EMPTY && slots[slot] != offset) {
            slot = (slot + 1) & (slots.length - 1);
        }
        return slot;
    }

    private static long[] emptySlots(int slotCount) {
        long[] slots = new long[slotCount];
        Arrays.fill(slots, EMPTY);
        return slots;
    }
}
