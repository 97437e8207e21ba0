package io.hammer2.fs.freemap;

import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A segment of 4 MiB, lent by the {@link Freemap} to one cpu, which alone allocates in it until it gives the lease back. Works
 * on a copy of the segment's entry; the freemap takes the copy's state over at each commit.
 *
 * <p>Rules kept (sections 4.1, 6.4, 6.6): blocks of 16 KiB and more are naturally aligned; smaller ones are packed into
 * granules of 16 KiB and never cross one; a granule that is allocated in is 11, whatever it was; {@code avail} counts the
 * granules that are 00.
 *
 * <p>A rule of this project: blocks of two commits never share 4 KiB of the medium, so that a torn write of one commit damages
 * none of an earlier one, whatever the device's sectors are.
 */
public final class SegmentLease {
    /** {@link #allocate} found no room. */
    public static final long NONE = -1;

    private static final int GRANULE = Limits.FREEMAP_GRANULE_BYTES;
    private static final int GRANULE_RADIX = 14;
    private static final int PAGE = 4096;

    private final long offsetBytes;
    private final int allocationClass;
    private final FreemapLeaf map;

    /** A bit for each granule that something was allocated in since {@link #settle}. */
    private final long[] taken = new long[FreemapLeaf.GRANULE_COUNT / Long.SIZE];

    private boolean anyTaken;
    private int granulesTaken;

    /**
     * @param offsetBytes logical offset of the segment
     * @param entry the segment's 128 bytes in the leaf; copied
     */
    SegmentLease(long offsetBytes, int allocationClass, FreemapLeaf entry) {
        this.offsetBytes = offsetBytes;
        this.allocationClass = allocationClass;
        this.map = new FreemapLeaf(MemorySegment.ofArray(entry.bytes().toArray(ValueLayout.JAVA_BYTE)));
        int linear = map.linear(0);
        if (linear < 0 || linear > FreemapLeaf.LINEAR_FULL) {
            map.setLinear(0, FreemapLeaf.LINEAR_FULL);
        } else if (linear % GRANULE != 0 && map.granule(0, linear / GRANULE) == Granule.FREE) {
            // Against the rules, and the rest of a granule that is free as a whole would be given out twice.
            map.setLinear(0, (linear / GRANULE + 1) * GRANULE);
        }
        leavePage();
    }

    /** The class of segments for blocks of {@code type} (section 6.4). */
    public static int classOf(BlockType type) {
        return type.code() << 8 | 16;
    }

    public int allocationClass() {
        return allocationClass;
    }

    /** Logical offset of the segment. */
    public long offsetBytes() {
        return offsetBytes;
    }

    /**
     * Takes a place for a block.
     *
     * @param radix of its size, 10..16
     * @param key of file data, which is laid out in the order of its keys where possible; else 0
     * @return {@code data_off}: logical offset and radix; {@link #NONE} when the segment has no such room
     */
    public long allocate(int radix, long key) {
        if (radix < Limits.RADIX_MIN || radix > Limits.RADIX_MAX) {
            throw new IllegalArgumentException("radix " + radix + " of a block");
        }
        int place = radix < GRANULE_RADIX ? allocateSmall(1 << radix) : allocateLarge(radix, key);
        if (place < 0) {
            return NONE;
        }
        if (map.allocationClass(0) == 0) {
            map.setAllocationClass(0, allocationClass);
        }
        return offsetBytes + place | radix;
    }

    /** Whether {@link #allocate} of this radix would find a place. */
    boolean hasRoom(int radix) {
        if (radix >= GRANULE_RADIX) {
            return findFree(1 << (radix - GRANULE_RADIX), 0) >= 0;
        }
        int inGranule = map.linear(0) & (GRANULE - 1);
        return (inGranule != 0 && inGranule + (1 << radix) <= GRANULE) || findFree(1, 0) >= 0;
    }

    /**
     * Takes the place of a block that is there already, and that the map may not know.
     *
     * @return whether any of it was free
     */
    boolean mark(int inSegment, int size) {
        int before = granulesTaken;
        int end = inSegment + size;
        for (int granule = inSegment / GRANULE; granule <= (end - 1) / GRANULE; granule++) {
            take(granule);
        }
        int linear = map.linear(0);
        if (linear % GRANULE != 0 && linear / GRANULE == inSegment / GRANULE && linear < end) {
            map.setLinear(0, end);
        }
        return granulesTaken > before;
    }

    /** Whether any granule that a block lies in is free. */
    boolean isAnyFree(int inSegment, int size) {
        boolean any = false;
        for (int granule = inSegment / GRANULE; granule <= (inSegment + size - 1) / GRANULE; granule++) {
            any |= map.granule(0, granule) == Granule.FREE;
        }
        return any;
    }

    /** Whether anything was allocated or marked since {@link #settle}. */
    boolean hasTaken() {
        return anyTaken;
    }

    /** In which granules that was, a bit for each. */
    long[] taken() {
        return taken;
    }

    /** Ends a commit's allocations; returns how many granules they took that were free. */
    int settle() {
        int count = granulesTaken;
        granulesTaken = 0;
        anyTaken = false;
        Arrays.fill(taken, 0);
        leavePage();
        return count;
    }

    /** The entry as it is now. */
    FreemapLeaf map() {
        return map;
    }

    /** Packing goes on in the next 4 KiB, of the same granule if there are any (section 6.4 allows rounding up). */
    private void leavePage() {
        map.setLinear(0, (map.linear(0) + PAGE - 1) & -PAGE);
    }

    /** In the granule that is being packed, or else in a new one. */
    private int allocateSmall(int size) {
        int linear = map.linear(0);
        int inGranule = linear & (GRANULE - 1);
        if (inGranule != 0 && inGranule + size <= GRANULE) {
            take(linear / GRANULE);
            map.setLinear(0, linear + size);
            return linear;
        }
        int granule = findFree(1, 0);
        if (granule < 0) {
            return -1;
        }
        take(granule);
        map.setLinear(0, granule * GRANULE + size);
        return granule * GRANULE;
    }

    private int allocateLarge(int radix, long key) {
        int count = 1 << (radix - GRANULE_RADIX);
        int wanted = (int) (key & (Limits.FREEMAP_SEGMENT_BYTES - 1)) / GRANULE & -count;
        int granule = isFree(wanted, count) ? wanted : findFree(count, 0);
        if (granule < 0) {
            return -1;
        }
        for (int i = 0; i < count; i++) {
            take(granule + i);
        }
        return granule * GRANULE;
    }

    /** First of {@code count} free granules, aligned to their count; or -1. */
    private int findFree(int count, int from) {
        for (int granule = from; granule < FreemapLeaf.GRANULE_COUNT; granule += count) {
            if (isFree(granule, count)) {
                return granule;
            }
        }
        return -1;
    }

    private boolean isFree(int granule, int count) {
        for (int i = 0; i < count; i++) {
            if (map.granule(0, granule + i) != Granule.FREE) {
                return false;
            }
        }
        return true;
    }

    private void take(int granule) {
        if (map.granule(0, granule) == Granule.FREE) {
            map.setAvailBytes(0, map.availBytes(0) - GRANULE);
            granulesTaken++;
        }
        map.setGranule(0, granule, Granule.ALLOCATED);
        taken[granule / Long.SIZE] |= 1L << granule;
        anyTaken = true;
    }
}
