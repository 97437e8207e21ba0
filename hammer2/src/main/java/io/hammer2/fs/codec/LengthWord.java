package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * What LZ4 streams and zstd frames have in front of them in a block: how many bytes they have, since what is behind is padding (format section
 * 11.3).
 */
final class LengthWord {
    static final int BYTES = 4;

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private LengthWord() {}

    /** @param length of what is in {@code block} behind the word */
    static void put(MemorySegment block, int length) {
        block.set(INT, 0, length);
    }

    /**
     * @param what the method's name for what follows
     * @param lengthMin fewer bytes are none of these
     * @return a length that lies within {@code block}
     * @throws CodecException when there is no such
     */
    static int get(String what, MemorySegment block, int lengthMin) {
        long room = block.byteSize() - BYTES;
        // Compared as an unsigned number, or a length with the top bit set would count as a small one.
        long length = room < 0 ? 0 : Integer.toUnsignedLong(block.get(INT, 0));
        if (length < lengthMin || length > room) {
            throw new CodecException(
                    what + " length word of a block of " + block.byteSize() + " bytes",
                    lengthMin + " to " + room,
                    Long.toString(length));
        }
        return (int) length;
    }
}
