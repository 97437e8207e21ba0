package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.zip.CRC32C;

/** Little-endian accessors, so that each field of a view is one line; unsigned unless the name says otherwise. */
final class Fields {
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    static int u8(MemorySegment segment, long offset) {
        return segment.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }

    static int u16(MemorySegment segment, long offset) {
        return segment.get(SHORT, offset) & 0xFFFF;
    }

    static long u32(MemorySegment segment, long offset) {
        return segment.get(INT, offset) & 0xFFFF_FFFFL;
    }

    static int int32(MemorySegment segment, long offset) {
        return segment.get(INT, offset);
    }

    static long u64(MemorySegment segment, long offset) {
        return segment.get(LONG, offset);
    }

    static void putByte(MemorySegment segment, long offset, int value) {
        segment.set(ValueLayout.JAVA_BYTE, offset, (byte) value);
    }

    static void putShort(MemorySegment segment, long offset, int value) {
        segment.set(SHORT, offset, (short) value);
    }

    static void putInt(MemorySegment segment, long offset, int value) {
        segment.set(INT, offset, value);
    }

    static void putLong(MemorySegment segment, long offset, long value) {
        segment.set(LONG, offset, value);
    }

    static byte[] bytes(MemorySegment segment, long offset, int count) {
        return segment.asSlice(offset, count).toArray(ValueLayout.JAVA_BYTE);
    }

    /** CRC-32C as in section 5.1. */
    static int crc32c(MemorySegment segment, long offset, long byteCount) {
        CRC32C crc = new CRC32C();
        crc.update(segment.asSlice(offset, byteCount).asByteBuffer());
        return (int) crc.getValue();
    }

    private Fields() {}
}
