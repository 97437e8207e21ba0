package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.Requests;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A device's contents at every version, over its initial contents: what a page holds at a version is what the last change at
 * or before it left. Changes come from one thread at a time, in order of their versions; views may be read meanwhile.
 */
final class PageHistory {
    private static final int PAGE_BYTES = 4096;

    private final BlockDevice initial;
    private final Arena arena;
    private final MemorySegment zeros;
    private final ConcurrentHashMap<Long, Page> pages = new ConcurrentHashMap<>();

    /** Contents of a page from a version on, until the next; linked from the newest to the oldest. */
    private record Page(int version, MemorySegment bytes, Page older) {}

    PageHistory(BlockDevice initial, Arena arena) {
        this.initial = initial;
        this.arena = arena;
        this.zeros = arena.allocate(PAGE_BYTES);
    }

    /** Changes a range from the version on. The bytes are kept, not copied, where they are a whole page; null means zeros. */
    void change(int version, long offset, long length, MemorySegment bytesOrNull) throws IOException {
        for (long at = 0; at < length; ) {
            long position = offset + at;
            long skip = position % PAGE_BYTES;
            long n = Math.min(PAGE_BYTES - skip, length - at);
            long number = position / PAGE_BYTES;
            MemorySegment change = bytesOrNull == null ? zeros.asSlice(0, n) : bytesOrNull.asSlice(at, n);
            Page newest = pages.get(number);
            pages.put(
                    number, new Page(version, n == PAGE_BYTES ? change : merged(number, newest, skip, change), newest));
            at += n;
        }
    }

    /** The device as it was at a version; read-only. */
    BlockDevice at(int version) {
        return new View(version);
    }

    private MemorySegment merged(long number, Page newestOrNull, long skip, MemorySegment change) throws IOException {
        MemorySegment page = arena.allocate(PAGE_BYTES);
        if (newestOrNull != null) {
            page.copyFrom(newestOrNull.bytes);
        } else {
            long start = number * PAGE_BYTES;
            initial.readFully(start, page.asSlice(0, Math.min(PAGE_BYTES, initial.sizeBytes() - start)));
        }
        MemorySegment.copy(change, 0, page, skip, change.byteSize());
        return page;
    }

    private MemorySegment bytesAt(long number, int version) {
        Page page = pages.get(number);
        while (page != null && page.version > version) {
            page = page.older;
        }
        return page == null ? null : page.bytes;
    }

    /** Contents at one version. */
    private final class View implements BlockDevice {
        private final int version;

        private View(int version) {
            this.version = version;
        }

        @Override
        public long sizeBytes() {
            return initial.sizeBytes();
        }

        @Override
        public int alignmentBytes() {
            return initial.alignmentBytes();
        }

        @Override
        public boolean readOnly() {
            return true;
        }

        @Override
        public String name() {
            return initial.name() + " at flush " + version;
        }

        @Override
        public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
            IOException outcome = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
            if (outcome == null) {
                try {
                    readNow(offsetBytes, into);
                } catch (IOException e) {
                    outcome = e;
                }
            }
            done.done(outcome);
        }

        @Override
        public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
            done.done(Requests.notWritable(this, "write", offsetBytes, from.byteSize()));
        }

        @Override
        public void flush(IoCompletion done) {
            done.done(null);
        }

        @Override
        public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
            done.done(Requests.notWritable(this, "discard", offsetBytes, lengthBytes));
        }

        /** A view holds nothing of its own. */
        @Override
        public void close() {}

        private void readNow(long offset, MemorySegment into) throws IOException {
            for (long at = 0; at < into.byteSize(); ) {
                long position = offset + at;
                long skip = position % PAGE_BYTES;
                long n = Math.min(PAGE_BYTES - skip, into.byteSize() - at);
                MemorySegment page = bytesAt(position / PAGE_BYTES, version);
                if (page != null) {
                    MemorySegment.copy(page, skip, into, at, n);
                } else {
                    n = lengthUnchanged(position, into.byteSize() - at);
                    initial.readFully(position, into.asSlice(at, n));
                }
                at += n;
            }
        }

        /** How far the initial device can be read in one go. */
        private long lengthUnchanged(long position, long lengthMax) {
            long page = position / PAGE_BYTES;
            long end = position + lengthMax;
            do {
                page++;
            } while (page * PAGE_BYTES < end && bytesAt(page, version) == null);
            return Math.min(page * PAGE_BYTES, end) - position;
        }
    }
}
