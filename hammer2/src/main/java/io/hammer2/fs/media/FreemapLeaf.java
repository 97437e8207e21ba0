package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;

/**
 * The space map of one GiB: 256 entries of 128 bytes, each for a segment of 4 MiB (section 6.4).
 *
 * <pre>
 * 00 linear (4, signed)   04 class (2)   06 reserved (22)   1c avail (4)   20 reserved (32)
 * 40 bitmap (64): two bits for each of 256 granules of 16 KiB, granule g in byte g / 4, bits 2 * (g % 4)
 * </pre>
 */
public record FreemapLeaf(MemorySegment bytes) implements Block {
    /** Entries, and so segments in a GiB. */
    public static final int SEGMENT_COUNT = 256;

    /** Granules of a segment. */
    public static final int GRANULE_COUNT = 256;

    /** {@link #linear} of a segment in which nothing is left. */
    public static final int LINEAR_FULL = Limits.FREEMAP_SEGMENT_BYTES;

    private static final int ENTRY_BYTES = 128;
    private static final int LINEAR = 0x00;
    private static final int CLASS = 0x04;
    private static final int AVAIL = 0x1C;
    private static final int BITMAP = 0x40;

    /** State of one granule. */
    public enum Granule {
        FREE(0b00),
        /** Never written by anyone. */
        ILLEGAL(0b01),
        /** "Possibly free": staged by a bulkfree pass, and counts as allocated. */
        STAGED(0b10),
        ALLOCATED(0b11);

        private static final Granule[] BY_BITS = values();

        private final int bits;

        Granule(int bits) {
            this.bits = bits;
        }
    }

    /** Byte position in the segment where packing of small blocks continues, 0..4 MiB. */
    public int linear(int segment) {
        return Fields.int32(bytes, entry(segment) + LINEAR);
    }

    /** (type of the blocks here &lt;&lt; 8) + 16, or 0 when the segment is unused; named so in the format. */
    public int allocationClass(int segment) {
        return Fields.u16(bytes, entry(segment) + CLASS);
    }

    /** Bytes of the granules that are free. */
    public int availBytes(int segment) {
        return Fields.int32(bytes, entry(segment) + AVAIL);
    }

    public Granule granule(int segment, int granule) {
        int byteOfFour = Fields.u8(bytes, entry(segment) + BITMAP + (granule >>> 2));
        return Granule.BY_BITS[(byteOfFour >>> (2 * (granule & 3))) & 3];
    }

    /** Runs of four granules, from a multiple of four on, that are all free: room for blocks of 64 KiB. */
    public int freeBlocks(int segment) {
        int count = 0;
        for (int fourth = 0; fourth < GRANULE_COUNT / 4; fourth++) {
            count += Fields.u8(bytes, entry(segment) + BITMAP + fourth) == 0 ? 1 : 0;
        }
        return count;
    }

    /** Two bits each of granules 32 * word to 32 * word + 31, granule 32 * word lowest; {@code word} in 0..7. */
    public long bitmapWord(int segment, int word) {
        return Fields.u64(bytes, entry(segment) + BITMAP + 8L * word);
    }

    public void setLinear(int segment, int linear) {
        Fields.putInt(bytes, entry(segment) + LINEAR, linear);
    }

    public void setAllocationClass(int segment, int allocationClass) {
        Fields.putShort(bytes, entry(segment) + CLASS, allocationClass);
    }

    public void setAvailBytes(int segment, int availBytes) {
        Fields.putInt(bytes, entry(segment) + AVAIL, availBytes);
    }

    /** All of a segment, of no class. */
    public void setFree(int segment) {
        bytes.asSlice(entry(segment) + BITMAP, ENTRY_BYTES - BITMAP).fill((byte) 0);
        setLinear(segment, 0);
        setAllocationClass(segment, 0);
        setAvailBytes(segment, Limits.FREEMAP_SEGMENT_BYTES);
    }

    public void setGranule(int segment, int granule, Granule state) {
        long offset = entry(segment) + BITMAP + (granule >>> 2);
        int shift = 2 * (granule & 3);
        int others = Fields.u8(bytes, offset) & ~(3 << shift);
        Fields.putByte(bytes, offset, others | (state.bits << shift));
    }

    /** The 128 bytes of the entry for {@code segment}, which are themselves a map of that one segment. */
    public FreemapLeaf segmentAlone(int segment) {
        return new FreemapLeaf(bytes.asSlice(entry(segment), ENTRY_BYTES));
    }

    private static long entry(int segment) {
        return (long) segment * ENTRY_BYTES;
    }
}
