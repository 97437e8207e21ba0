package io.hammer2.fs.fsck;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.media.BlockRef;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.function.Supplier;

/** Reads blocks and verifies their check codes. */
final class BlockLoader {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** References whose check codes matched lately: a block that many files share is verified once. */
    private static final int RECENT_COUNT = 1 << 16;

    private static final int RECENT_LONGS = 5;

    private final Reporter reporter;
    private final BlockReader reader;
    private final long[] recent = new long[RECENT_COUNT * RECENT_LONGS];
    private long verifiedBytes;
    private long unverifiableCount;

    BlockLoader(Reporter reporter, BlockReader reader) {
        this.reporter = reporter;
        this.reader = reader;
    }

    long verifiedBytes() {
        return verifiedBytes;
    }

    /** Blocks read that have no check code. */
    long unverifiableCount() {
        return unverifiableCount;
    }

    /** Says that these blocks will be loaded soon. */
    void expect(BlockRef ref) {
        if (ref.radix() != 0) {
            reader.expect(ref.offsetBytes(), ref.storedBytes());
        }
    }

    /** As {@link #load(BlockRef, Object, Supplier)}, where no path can be given. */
    MemorySegment load(BlockRef ref, Object where) {
        return load(ref, where, null);
    }

    /**
     * The stored bytes of a block whose place is possible, or null after having reported why there are none to be trusted.
     *
     * @return valid until the next call
     */
    MemorySegment load(BlockRef ref, Object where, Supplier<String> path) {
        MemorySegment bytes = reader.read(ref.offsetBytes(), ref.storedBytes());
        if (bytes == null) {
            reporter.problem(ProblemCode.READ, where + ": cannot read " + Place.label(ref), ref, path);
            return null;
        }
        if (matches(ref, bytes)) {
            return bytes;
        }
        CheckCode method = CheckCode.of(ref.checkMethod());
        reporter.problem(
                ProblemCode.CHECK,
                where + ": check code mismatch (" + method.name().toLowerCase(java.util.Locale.ROOT) + ", expected "
                        + method.format(ref.check()) + ", found " + method.formatCodeOf(bytes) + "): "
                        + Place.label(ref),
                ref,
                path);
        return null;
    }

    /** The stored bytes if they can be trusted, else null, without a report. */
    MemorySegment loadQuietly(BlockRef ref) {
        MemorySegment bytes = reader.read(ref.offsetBytes(), ref.storedBytes());
        return bytes != null && CheckCode.isKnown(ref.checkMethod()) && matches(ref, bytes) ? bytes : null;
    }

    /** The stored bytes of a block whose check code matched before, or null when they cannot be read any more. */
    MemorySegment loadVerified(BlockRef ref) {
        return reader.read(ref.offsetBytes(), ref.storedBytes());
    }

    private boolean matches(BlockRef ref, MemorySegment bytes) {
        CheckCode method = CheckCode.of(ref.checkMethod());
        if (!method.verifies()) {
            unverifiableCount++;
            return true;
        }
        MemorySegment check = ref.check();
        long c0 = check.get(LONG, 0);
        long c1 = method.lengthBytes() > 8 ? check.get(LONG, 8) : 0;
        long c2 = method.lengthBytes() > 8 ? check.get(LONG, 16) : 0;
        int at = (int) (((ref.dataOff() ^ c0) * 0x9E3779B97F4A7C15L) >>> 48) * RECENT_LONGS;
        if (recent[at] == ref.dataOff()
                && recent[at + 1] == ref.methods()
                && recent[at + 2] == c0
                && recent[at + 3] == c1
                && recent[at + 4] == c2) {
            return true;
        }
        if (!method.matches(bytes, check)) {
            return false;
        }
        verifiedBytes += bytes.byteSize();
        reporter.onBytes(bytes.byteSize());
        recent[at] = ref.dataOff();
        recent[at + 1] = ref.methods();
        recent[at + 2] = c0;
        recent[at + 3] = c1;
        recent[at + 4] = c2;
        return true;
    }
}
