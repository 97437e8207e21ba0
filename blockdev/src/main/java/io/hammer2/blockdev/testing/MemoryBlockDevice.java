package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.Requests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device in memory, sparse: what was never written takes no space, so one of 1 TiB costs what is written to it. Either
 * empty, or over another device that it reads from and never writes to (copy on write).
 *
 * <p>Completes within the call, on the caller's thread. Pages are off-heap and live until {@link #close}; the JVM counts
 * them against -XX:MaxDirectMemorySize.
 */
public final class MemoryBlockDevice implements BlockDevice {
    private static final int PAGE_BYTES = 4096;

    private final String name;
    private final AtomicLong sizeBytes;
    private final int alignmentBytes;
    private final BlockDevice baseOrNull;
    private final Arena arena = Arena.ofShared();
    private final ConcurrentHashMap<Long, MemorySegment> pages = new ConcurrentHashMap<>();
    private final AtomicBoolean closed = new AtomicBoolean();

    private MemoryBlockDevice(String name, long sizeBytes, int alignmentBytes, BlockDevice baseOrNull) {
        this.name = name;
        this.sizeBytes = new AtomicLong(sizeBytes);
        this.alignmentBytes = alignmentBytes;
        this.baseOrNull = baseOrNull;
    }

    /** An empty device: all zeros. */
    public MemoryBlockDevice(long sizeBytes) {
        this("memory", sizeBytes, 1, null);
    }

    /** A device that begins as the other and keeps all changes to itself; the other must not change, and is not closed. */
    public static MemoryBlockDevice over(BlockDevice base) {
        return new MemoryBlockDevice("memory over " + base.name(), base.sizeBytes(), base.alignmentBytes(), base);
    }

    @Override
    public long sizeBytes() {
        return sizeBytes.get();
    }

    /** Makes it larger, as an administrator does with a disk in use. */
    public void enlarge(long toBytes) {
        sizeBytes.accumulateAndGet(toBytes, Math::max);
    }

    @Override
    public int alignmentBytes() {
        return alignmentBytes;
    }

    @Override
    public boolean readOnly() {
        return false;
    }

    @Override
    public String name() {
        return name;
    }

    /** Memory that its pages take. */
    public long residentBytes() {
        return (long) pages.size() * PAGE_BYTES;
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        Requests.checkLendable(into);
        done.done(outcome(
                "read",
                Requests.outOfRange(this, "read", offsetBytes, into.byteSize()),
                () -> readNow(offsetBytes, into)));
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        Requests.checkLendable(from);
        done.done(outcome(
                "write",
                Requests.notWritable(this, "write", offsetBytes, from.byteSize()),
                () -> writeNow(offsetBytes, from)));
    }

    @Override
    public void flush(IoCompletion done) {
        done.done(outcome("flush", null, () -> {}));
    }

    /** What of the range was written here reads as zeros then. */
    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        done.done(outcome(
                "discard",
                Requests.notWritable(this, "discard", offsetBytes, lengthBytes),
                () -> discardNow(offsetBytes, lengthBytes)));
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            pages.clear();
            arena.close();
        }
    }

    @FunctionalInterface
    private interface Work {
        void run() throws IOException;
    }

    private IOException outcome(String what, IOException refusal, Work work) {
        if (refusal != null || closed.get()) {
            return refusal != null ? refusal : Requests.closed(this, what);
        }
        try {
            work.run();
            return null;
        } catch (IOException e) {
            return e;
        } catch (UncheckedIOException e) {
            return e.getCause();
        } catch (IllegalStateException e) {
            // Closed, or the segment's arena was, while the request ran.
            return new IOException(name + ": " + what + " failed: " + e.getMessage(), e);
        }
    }

    private void readNow(long offset, MemorySegment into) throws IOException {
        for (long at = 0; at < into.byteSize(); ) {
            long position = offset + at;
            long skip = position % PAGE_BYTES;
            long n = Math.min(PAGE_BYTES - skip, into.byteSize() - at);
            MemorySegment page = pages.get(position / PAGE_BYTES);
            if (page != null) {
                MemorySegment.copy(page, skip, into, at, n);
            } else if (baseOrNull == null || position >= baseOrNull.sizeBytes()) {
                into.asSlice(at, n).fill((byte) 0);
            } else {
                n = lengthWithoutPages(position, into.byteSize() - at);
                baseOrNull.readFully(position, into.asSlice(at, n));
            }
            at += n;
        }
    }

    /** How far the base can be read in one go. */
    private long lengthWithoutPages(long position, long lengthMax) {
        long page = position / PAGE_BYTES;
        long end = position + lengthMax;
        do {
            page++;
        } while (page * PAGE_BYTES < end && !pages.containsKey(page));
        return Math.min(Math.min(page * PAGE_BYTES, end), baseOrNull.sizeBytes()) - position;
    }

    private void writeNow(long offset, MemorySegment from) {
        for (long at = 0; at < from.byteSize(); ) {
            long position = offset + at;
            long skip = position % PAGE_BYTES;
            long n = Math.min(PAGE_BYTES - skip, from.byteSize() - at);
            MemorySegment.copy(from, at, page(position / PAGE_BYTES, n == PAGE_BYTES), skip, n);
            at += n;
        }
    }

    /** @param overwritten whether all of it will be, so that the base need not be read */
    private MemorySegment page(long number, boolean overwritten) {
        return pages.computeIfAbsent(number, absent -> {
            MemorySegment page = arena.allocate(PAGE_BYTES);
            long start = absent * PAGE_BYTES;
            if (baseOrNull != null && !overwritten && start < baseOrNull.sizeBytes()) {
                try {
                    baseOrNull.readFully(start, page.asSlice(0, Math.min(PAGE_BYTES, baseOrNull.sizeBytes() - start)));
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
            return page;
        });
    }

    /** Pages that were never written stay as they are: a discard is a hint, and a page of zeros would cost memory. */
    private void discardNow(long offset, long length) {
        long end = offset + length;
        if (length / PAGE_BYTES > pages.size()) {
            pages.forEach((number, page) -> zero(number, page, offset, end));
            return;
        }
        for (long number = offset / PAGE_BYTES; number * PAGE_BYTES < end; number++) {
            MemorySegment page = pages.get(number);
            if (page != null) {
                zero(number, page, offset, end);
            }
        }
    }

    /** Writes zeros; unlike a discard it is no hint. */
    void zero(long offset, long length) throws IOException {
        try (Arena zeros = Arena.ofShared()) {
            MemorySegment page = zeros.allocate(Math.min(PAGE_BYTES, length));
            for (long at = 0; at < length; at += PAGE_BYTES) {
                writeFully(offset + at, page.asSlice(0, Math.min(PAGE_BYTES, length - at)));
            }
        }
    }

    /** Zeroes what of the page lies between two positions of the device. */
    private static void zero(long number, MemorySegment page, long start, long end) {
        long pageStart = number * PAGE_BYTES;
        long from = Math.max(start, pageStart);
        long to = Math.min(end, pageStart + PAGE_BYTES);
        if (from < to) {
            page.asSlice(from - pageStart, to - from).fill((byte) 0);
        }
    }
}
