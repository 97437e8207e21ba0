package io.hammer2.fs.freemap;

import io.hammer2.fs.media.Limits;
import java.util.BitSet;

/**
 * GiBs in which a search found nothing, and nothing became free since, so that a full volume is not searched from end to end for
 * each segment. One set for each class of segments and size of blocks; a bit for each GiB.
 */
final class RoomHints {
    /** Classes are small numbers in the upper byte (format section 6.4); 0 stands for "any class". */
    private static final int CLASSES = 5;

    /** Blocks below 16 KiB, and of 16, 32 and 64 KiB. */
    private static final int SIZES = 4;

    private static final int GRANULE_RADIX = 14;

    private final BitSet[] exhausted = new BitSet[CLASSES * SIZES];

    RoomHints() {
        for (int i = 0; i < exhausted.length; i++) {
            exhausted[i] = new BitSet();
        }
    }

    /** Nothing in the GiB has room for such blocks, nor therefore for larger ones. */
    void noRoom(int allocationClass, int radix, long gib) {
        if (gib <= Integer.MAX_VALUE) {
            for (int size = sizeOf(radix); size < SIZES; size++) {
                set(allocationClass, size).set((int) gib);
            }
        }
    }

    /** As {@link #noRoom} of blocks of 64 KiB, in segments of any class. */
    void noWholeBlock(long gib) {
        noRoom(Limits.RADIX_MAX, gib);
    }

    /** Nothing can be had there. */
    void unusable(long gib) {
        noRoom(Limits.RADIX_MIN, gib);
    }

    private void noRoom(int radix, long gib) {
        for (int number = 0; number < CLASSES; number++) {
            noRoom(number << 8, radix, gib);
        }
    }

    /** Something in the GiB became free. */
    void room(long offsetBytes) {
        long gib = offsetBytes / Limits.GIB;
        if (gib <= Integer.MAX_VALUE) {
            for (BitSet set : exhausted) {
                set.clear((int) gib);
            }
        }
    }

    /** The first GiB from this one on that may have room. */
    long next(int allocationClass, int radix, long gib) {
        return gib > Integer.MAX_VALUE
                ? gib
                : set(allocationClass, sizeOf(radix)).nextClearBit((int) gib);
    }

    private BitSet set(int allocationClass, int size) {
        int number = allocationClass >>> 8;
        if (number >= CLASSES) {
            throw new IllegalArgumentException("class " + Integer.toHexString(allocationClass));
        }
        return exhausted[number * SIZES + size];
    }

    private static int sizeOf(int radix) {
        return Math.max(0, radix - GRANULE_RADIX + 1);
    }
}
