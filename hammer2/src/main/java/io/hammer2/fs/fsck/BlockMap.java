package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Limits;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * Which blocks are in use, exactly: start, size and type of each, so that the same block met again (snapshots,
 * deduplication) is told from one that overlaps another. One byte for each granule of 16 KiB in a segment of 4 MiB that holds
 * any, and one for each KiB in a segment that holds blocks below 16 KiB.
 *
 * <pre>
 * byte:  bits 0..4  0 nothing, 1..28 a block begins here (type and radix), 30 see the KiB bytes, 31 inside a block
 *        bit  5     newer than the freemap (in the granule's byte)
 *        bit  6     verified: read, and its check code matched (in the byte where the block begins)
 *        bit  7     walked: everything below it was walked, without a problem (likewise)
 * </pre>
 */
final class BlockMap {
    /** What a claim met. */
    enum Claim {
        FIRST,
        /** The same block: offset, radix and type. */
        AGAIN,
        /** The same place and size, but another type. */
        OTHER_TYPE,
        OVERLAP
    }

    /** Flag of a block: its check code matched. */
    static final int VERIFIED = 0x40;

    /** Flag of a block: everything below was walked without a problem. */
    static final int WALKED = 0x80;

    private static final int CODE_MASK = 0x1F;
    private static final int SMALL = 30;
    private static final int INSIDE = 31;
    private static final int NEWER = 0x20;

    private static final int GRANULE_RADIX = 14;
    private static final int SEGMENT_RADIX = 22;
    private static final int GIB_RADIX = 30;
    private static final int GRANULES_PER_SEGMENT = 1 << (SEGMENT_RADIX - GRANULE_RADIX);
    private static final int UNITS_PER_SEGMENT = 1 << (SEGMENT_RADIX - Limits.RADIX_MIN);
    private static final int SEGMENTS_PER_GIB = 1 << (GIB_RADIX - SEGMENT_RADIX);

    private final Map<Long, Segment[]> byGib = new HashMap<>();
    private final long bytesMax;
    private long bytesHeld;

    /** Granules of one segment, and the KiB units if it holds small blocks. */
    static final class Segment {
        private final byte[] granules = new byte[GRANULES_PER_SEGMENT];
        private byte[] units;

        boolean isUsed(int granule) {
            return granules[granule] != 0;
        }

        boolean isNewer(int granule) {
            return (granules[granule] & NEWER) != 0;
        }
    }

    /** A map that keeps no more than about so many bytes. */
    BlockMap(long bytesMax) {
        this.bytesMax = bytesMax;
    }

    /** Whether the map is full, and claims outside of the segments that it holds are not noted. */
    boolean isFull() {
        return bytesHeld > bytesMax;
    }

    /**
     * Notes that a block is in use. Its place must obey format section 4.1.
     *
     * @param newer written after the freemap was
     */
    Claim claim(long offset, int radix, BlockType type, boolean newer) {
        Segment segment = segment(offset, true);
        if (segment == null) {
            return Claim.FIRST;
        }
        return radix >= GRANULE_RADIX
                ? claimGranules(segment, offset, radix, type, newer)
                : claimUnits(segment, offset, radix, type, newer);
    }

    /** Whether this very block was claimed and has all of {@code flags}. */
    boolean has(long offset, int radix, BlockType type, int flags) {
        Segment segment = segment(offset, false);
        if (segment == null) {
            return false;
        }
        int value = value(segment, offset, radix);
        return (value & CODE_MASK) == code(radix, type) && (value & flags) == flags;
    }

    /** Sets flags of a block that was claimed; ignored for any other. */
    void mark(long offset, int radix, BlockType type, int flags) {
        if (!has(offset, radix, type, 0)) {
            return;
        }
        Segment segment = segment(offset, false);
        if (radix >= GRANULE_RADIX) {
            segment.granules[granule(offset)] |= (byte) flags;
        } else {
            segment.units[unit(offset)] |= (byte) flags;
        }
    }

    /** Forgets all flags: the next walk goes everywhere again. */
    void clearFlags() {
        for (Segment[] segments : byGib.values()) {
            for (Segment segment : segments) {
                if (segment != null) {
                    clearFlags(segment.granules);
                    if (segment.units != null) {
                        clearFlags(segment.units);
                    }
                }
            }
        }
    }

    /** Numbers of the GiBs that hold a block, ascending. */
    long[] gibs() {
        long[] gibs = byGib.keySet().stream().mapToLong(Long::longValue).toArray();
        Arrays.sort(gibs);
        return gibs;
    }

    /** The segment, 0 to 255, of a GiB; null if nothing in it is in use. */
    Segment segment(long gib, int index) {
        Segment[] segments = byGib.get(gib);
        return segments == null ? null : segments[index];
    }

    private Claim claimGranules(Segment segment, long offset, int radix, BlockType type, boolean newer) {
        int first = granule(offset);
        int end = first + (1 << (radix - GRANULE_RADIX));
        int code = code(radix, type);
        int known = segment.granules[first] & CODE_MASK;
        Claim claim = known == code ? Claim.AGAIN : compare(known, radix);
        for (int i = first + 1; i < end && claim == Claim.FIRST; i++) {
            claim = segment.granules[i] == 0 ? Claim.FIRST : Claim.OVERLAP;
        }
        for (int i = first; i < end; i++) {
            if (segment.granules[i] == 0) {
                segment.granules[i] = (byte) (i == first && claim == Claim.FIRST ? code : INSIDE);
            }
            segment.granules[i] |= (byte) (newer ? NEWER : 0);
        }
        return claim;
    }

    private Claim claimUnits(Segment segment, long offset, int radix, BlockType type, boolean newer) {
        int granule = granule(offset);
        int known = segment.granules[granule] & CODE_MASK;
        segment.granules[granule] |= (byte) (newer ? NEWER : 0);
        if (known != 0 && known != SMALL) {
            return Claim.OVERLAP;
        }
        if (segment.units == null) {
            segment.units = new byte[UNITS_PER_SEGMENT];
            bytesHeld += UNITS_PER_SEGMENT;
        }
        segment.granules[granule] |= SMALL;
        int first = unit(offset);
        int end = first + (1 << (radix - Limits.RADIX_MIN));
        int code = code(radix, type);
        known = segment.units[first] & CODE_MASK;
        Claim claim = known == code ? Claim.AGAIN : compare(known, radix);
        for (int i = first + 1; i < end && claim == Claim.FIRST; i++) {
            claim = segment.units[i] == 0 ? Claim.FIRST : Claim.OVERLAP;
        }
        for (int i = first; i < end; i++) {
            if (segment.units[i] == 0) {
                segment.units[i] = (byte) (i == first && claim == Claim.FIRST ? code : INSIDE);
            }
        }
        return claim;
    }

    private static Claim compare(int known, int radix) {
        if (known == 0) {
            return Claim.FIRST;
        }
        return known < SMALL && radixOf(known) == radix ? Claim.OTHER_TYPE : Claim.OVERLAP;
    }

    private static int value(Segment segment, long offset, int radix) {
        if (radix >= GRANULE_RADIX) {
            return segment.granules[granule(offset)];
        }
        return segment.units == null ? 0 : segment.units[unit(offset)];
    }

    private Segment segment(long offset, boolean make) {
        long gib = offset >>> GIB_RADIX;
        int index = (int) (offset >>> SEGMENT_RADIX) & SEGMENTS_PER_GIB - 1;
        Segment[] segments = byGib.get(gib);
        if (segments != null && segments[index] != null) {
            return segments[index];
        }
        if (!make || isFull()) {
            return null;
        }
        if (segments == null) {
            segments = new Segment[SEGMENTS_PER_GIB];
            byGib.put(gib, segments);
            bytesHeld += 4L * SEGMENTS_PER_GIB + 100;
        }
        segments[index] = new Segment();
        bytesHeld += GRANULES_PER_SEGMENT + 50;
        return segments[index];
    }

    private static void clearFlags(byte[] bytes) {
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] &= (byte) ~(VERIFIED | WALKED);
        }
    }

    private static int granule(long offset) {
        return (int) (offset >>> GRANULE_RADIX) & GRANULES_PER_SEGMENT - 1;
    }

    private static int unit(long offset) {
        return (int) (offset >>> Limits.RADIX_MIN) & UNITS_PER_SEGMENT - 1;
    }

    /** Types 1 to 4, radix 10 to 16: 1 to 28. */
    private static int code(int radix, BlockType type) {
        return 1 + (type.code() - 1) * 7 + radix - Limits.RADIX_MIN;
    }

    private static int radixOf(int code) {
        return Limits.RADIX_MIN + (code - 1) % 7;
    }
}
