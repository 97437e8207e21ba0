package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.UUID;

/**
 * UUIDs in their media form: DCE little-endian, that is the first three fields (4, 2 and 2 bytes) little-endian and the other
 * eight bytes in order (section 1).
 */
public final class MediaUuid {
    /** Bytes on the medium. */
    public static final int BYTES = 16;

    /** fstype of every HAMMER2 volume (section 3). */
    public static final UUID FSTYPE_HAMMER2 = UUID.fromString("5cbb9ad1-862d-11dc-a94d-01301bb8a9f5");

    private static final ValueLayout.OfLong BIG_ENDIAN_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

    public static UUID read(MemorySegment segment, long offset) {
        long timeLow = Fields.u32(segment, offset);
        long timeMid = Fields.u16(segment, offset + 4);
        long timeHigh = Fields.u16(segment, offset + 6);
        return new UUID(timeLow << 32 | timeMid << 16 | timeHigh, segment.get(BIG_ENDIAN_LONG, offset + 8));
    }

    public static void write(MemorySegment segment, long offset, UUID uuid) {
        long high = uuid.getMostSignificantBits();
        Fields.putInt(segment, offset, (int) (high >>> 32));
        Fields.putShort(segment, offset + 4, (int) (high >>> 16));
        Fields.putShort(segment, offset + 6, (int) high);
        segment.set(BIG_ENDIAN_LONG, offset + 8, uuid.getLeastSignificantBits());
    }

    private MediaUuid() {}
}
