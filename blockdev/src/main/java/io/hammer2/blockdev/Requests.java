package io.hammer2.blockdev;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** The checks that every device makes before it does anything, and the texts of the refusals. */
public final class Requests {
    /** Belongs to nobody and never runs: only asked whether it could use a segment. */
    private static final Thread ANY_OTHER_THREAD = Thread.ofPlatform().unstarted(() -> {});

    private Requests() {}

    /** Returns why the range is refused, or null when it lies inside the device */
    public static IOException outOfRange(BlockDevice device, String what, long offsetBytes, long lengthBytes) {
        // Written so that no sum can overflow: offset and length may come from a hostile volume.
        long size = device.sizeBytes();
        if (offsetBytes < 0 || lengthBytes < 0 || offsetBytes > size || lengthBytes > size - offsetBytes) {
            return new IOException("%s: %s of %d bytes at offset %d is outside the device of %d bytes"
                    .formatted(device.name(), what, lengthBytes, offsetBytes, size));
        }
        return null;
    }

    /** Returns why a modification is refused, or null */
    public static IOException notWritable(BlockDevice device, String what, long offsetBytes, long lengthBytes) {
        if (device.readOnly()) {
            return new IOException(
                    "%s: %s at offset %d refused: opened read-only".formatted(device.name(), what, offsetBytes));
        }
        return outOfRange(device, what, offsetBytes, lengthBytes);
    }

    /** The answer to a request after {@code close}. */
    public static IOException closed(BlockDevice device, String what) {
        return new IOException(device.name() + ": " + what + " refused: the device is closed");
    }

    /**
     * Refuses a segment that an I/O thread cannot use.
     *
     * @throws IllegalArgumentException for a heap segment or one of a confined arena: a mistake in the program, not in a request
     */
    public static void checkLendable(MemorySegment segment) {
        if (!everyThreadMayUse(segment)) {
            throw new IllegalArgumentException(
                    "a segment lent to a device must be off-heap and of a shared, automatic or global arena: "
                            + segment);
        }
    }

    static boolean everyThreadMayUse(MemorySegment segment) {
        return segment.isNative() && segment.isAccessibleBy(ANY_OTHER_THREAD);
    }
}
