package io.hammer2.fs.freemap;

import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.Limits;
import java.util.NavigableMap;
import java.util.TreeMap;

/** A set of the 16 KiB granules of a range of the volume; takes 8 KiB for each GiB that any of them is in. */
public final class GranuleMap {
    /** Memory for each GiB. */
    static final int BYTES_PER_GIB = (int) (Limits.GIB / Limits.FREEMAP_GRANULE_BYTES / Byte.SIZE);

    private static final int GRANULE_RADIX = 14;
    private static final int WORDS_PER_GIB = BYTES_PER_GIB / Long.BYTES;
    private static final int WORDS_PER_SEGMENT = FreemapLeaf.GRANULE_COUNT / Long.SIZE;

    private final long from;
    private final long to;
    private final NavigableMap<Long, long[]> byGib = new TreeMap<>();
    private long count;

    /** @param from first byte of the range, and {@code to} the end, exclusive; multiples of a GiB */
    public GranuleMap(long from, long to) {
        this.from = from;
        this.to = to;
    }

    /** Adds the granules that a block lies in, as far as they are in the range. */
    public void add(long offsetBytes, int sizeBytes) {
        if (offsetBytes < from || offsetBytes >= to) {
            return;
        }
        // No block crosses a GiB, nor a 64 KiB buffer.
        long[] words = words(offsetBytes);
        int first = (int) ((offsetBytes & (Limits.GIB - 1)) >>> GRANULE_RADIX);
        int last = (int) (((offsetBytes + sizeBytes - 1) & (Limits.GIB - 1)) >>> GRANULE_RADIX);
        for (int granule = first; granule <= last; granule++) {
            long bit = 1L << granule;
            count += (words[granule / Long.SIZE] & bit) == 0 ? 1 : 0;
            words[granule / Long.SIZE] |= bit;
        }
    }

    /** Whether any granule of a block in the range is in it. */
    boolean hasAny(long offsetBytes, int sizeBytes) {
        long[] words = byGib.get(gibOf(offsetBytes));
        if (words == null) {
            return false;
        }
        int first = (int) ((offsetBytes & (Limits.GIB - 1)) >>> GRANULE_RADIX);
        int last = (int) (((offsetBytes + sizeBytes - 1) & (Limits.GIB - 1)) >>> GRANULE_RADIX);
        boolean any = false;
        for (int granule = first; granule <= last; granule++) {
            any |= (words[granule / Long.SIZE] >>> granule & 1) != 0;
        }
        return any;
    }

    /** Granules that {@link #add} has brought in. */
    long count() {
        return count;
    }

    /** Adds granules of one segment: one bit for each. */
    void addSegment(long segmentOffset, long[] bits) {
        long[] words = words(segmentOffset);
        int first = wordOf(segmentOffset);
        for (int word = 0; word < WORDS_PER_SEGMENT; word++) {
            words[first + word] |= bits[word];
        }
    }

    /** Bits of granules 64 * word to 64 * word + 63 of the segment, the lowest first; {@code word} in 0..3. */
    long segmentWord(long segmentOffset, int word) {
        long[] words = byGib.get(gibOf(segmentOffset));
        return words == null ? 0 : words[wordOf(segmentOffset) + word];
    }

    /** The first GiB at or after {@code key} that has any, or null. */
    Long gibFrom(long key) {
        return byGib.ceilingKey(key);
    }

    long from() {
        return from;
    }

    long to() {
        return to;
    }

    private long[] words(long offset) {
        return byGib.computeIfAbsent(gibOf(offset), gib -> new long[WORDS_PER_GIB]);
    }

    private static long gibOf(long offset) {
        return offset & -Limits.GIB;
    }

    private static int wordOf(long segmentOffset) {
        return (int) ((segmentOffset & (Limits.GIB - 1)) / Limits.FREEMAP_SEGMENT_BYTES) * WORDS_PER_SEGMENT;
    }
}
