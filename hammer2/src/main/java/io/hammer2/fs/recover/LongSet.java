package io.hammer2.fs.recover;

import java.util.Arrays;

/** A set of numbers that takes at most so much memory: when it is full, it knows no more than before. */
final class LongSet {
    private static final int SLOTS_MIN = 1 << 10;

    private final int slotsMax;
    private long[] slots = new long[SLOTS_MIN];
    private boolean hasZero;
    private int size;

    /** @param bytesMax of memory, rounded down to a power of two */
    LongSet(long bytesMax) {
        this.slotsMax =
                (int) Long.highestOneBit(Math.clamp(bytesMax / Long.BYTES, SLOTS_MIN, (long) Integer.MAX_VALUE / 2));
    }

    /** @return whether the number was not in the set */
    boolean add(long number) {
        if (number == 0) {
            boolean isNew = !hasZero;
            hasZero = true;
            return isNew;
        }
        int slot = find(number);
        if (slots[slot] == number) {
            return false;
        }
        if (isFull()) {
            return true;
        }
        slots[slot] = number;
        size++;
        if (size > slots.length / 2 && slots.length < slotsMax) {
            grow();
        }
        return true;
    }

    /** Whether numbers are not taken any more. */
    boolean isFull() {
        return size > slotsMax / 4 * 3;
    }

    void clear() {
        Arrays.fill(slots, 0);
        hasZero = false;
        size = 0;
    }

    private int find(long number) {
        int mask = slots.length - 1;
        int slot = (int) (mix(number) & mask);
        while (slots[slot] != 0 && slots[slot] != number) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private void grow() {
        long[] old = slots;
        slots = new long[old.length * 2];
        for (long number : old) {
            if (number != 0) {
                slots[find(number)] = number;
            }
        }
    }

    /** Of splitmix64: keys of media are anything but random. */
    static long mix(long number) {
        long mixed = (number ^ number >>> 30) * 0xbf58476d1ce4e5b9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
        return mixed ^ mixed >>> 31;
    }
}
