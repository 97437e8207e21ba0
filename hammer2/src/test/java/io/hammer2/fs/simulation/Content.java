package io.hammer2.fs.simulation;

import java.util.Arrays;
import java.util.NavigableMap;
import java.util.TreeMap;

/** What a file holds, sparse. Immutable: a change makes another that shares the pages that stayed. */
final class Content {
    static final Content EMPTY = new Content(0, new TreeMap<>(), 0);

    private static final int PAGE_BYTES = 4096;

    private final long size;

    /** By number; one that holds only zeros is left out, and behind the size there are only zeros. */
    private final NavigableMap<Long, byte[]> pages;

    private final long hash;

    private Content(long size, NavigableMap<Long, byte[]> pages, long hash) {
        this.size = size;
        this.pages = pages;
        this.hash = hash;
    }

    static Content of(byte[] bytes) {
        return EMPTY.write(0, bytes, 0, bytes.length);
    }

    long size() {
        return size;
    }

    /** Of all bytes; holes are zeros. */
    long hash() {
        return Hash.mix(size, hash);
    }

    byte[] read(long offset, int lengthMax) {
        int length = Math.clamp(size - offset, 0, lengthMax);
        byte[] into = new byte[length];
        for (int at = 0; at < length; ) {
            int skip = (int) ((offset + at) % PAGE_BYTES);
            int n = Math.min(PAGE_BYTES - skip, length - at);
            byte[] page = pages.get((offset + at) / PAGE_BYTES);
            if (page != null) {
                System.arraycopy(page, skip, into, at, n);
            }
            at += n;
        }
        return into;
    }

    Content write(long offset, byte[] from, int start, int length) {
        Change change = new Change();
        for (int at = 0; at < length; ) {
            int skip = (int) ((offset + at) % PAGE_BYTES);
            int n = Math.min(PAGE_BYTES - skip, length - at);
            byte[] page = change.page((offset + at) / PAGE_BYTES);
            System.arraycopy(from, start + at, page, skip, n);
            change.put((offset + at) / PAGE_BYTES, page);
            at += n;
        }
        return change.done(length == 0 ? size : Math.max(size, offset + length));
    }

    /** Zeros from {@code begin} to {@code end}, exclusive; the size stays. */
    Content zero(long begin, long end) {
        Change change = new Change();
        change.zero(begin, end);
        return change.done(size);
    }

    Content resize(long newSize) {
        Change change = new Change();
        change.zero(newSize, Long.MAX_VALUE);
        return change.done(newSize);
    }

    /** Of another content {@code length} bytes, all of which it has. */
    Content copy(Content source, long fromOffset, long offset, long length) {
        Content result = zero(offset, offset + length);
        long end = fromOffset + length;
        for (var page : source.pages
                .subMap(fromOffset / PAGE_BYTES, true, (end - 1) / PAGE_BYTES, true)
                .entrySet()) {
            long pageStart = page.getKey() * PAGE_BYTES;
            long begin = Math.max(pageStart, fromOffset);
            long stop = Math.min(pageStart + PAGE_BYTES, end);
            result = result.write(
                    offset + begin - fromOffset, page.getValue(), (int) (begin - pageStart), (int) (stop - begin));
        }
        return result.size < offset + length ? result.resize(offset + length) : result;
    }

    /** The first byte that is not zero from {@code offset} on, or -1. */
    long nextNonZero(long offset) {
        for (var page : pages.tailMap(offset / PAGE_BYTES, true).entrySet()) {
            long start = page.getKey() * PAGE_BYTES;
            for (int i = (int) Math.max(0, offset - start); i < PAGE_BYTES; i++) {
                if (page.getValue()[i] != 0) {
                    return start + i;
                }
            }
        }
        return -1;
    }

    /** The first zero from {@code offset} on; the end of the file counts. */
    long nextZero(long offset) {
        for (long at = offset; at < size; at++) {
            byte[] page = pages.get(at / PAGE_BYTES);
            if (page == null || page[(int) (at % PAGE_BYTES)] == 0) {
                return at;
            }
        }
        return size;
    }

    /** The next content while it is made. */
    private final class Change {
        private final NavigableMap<Long, byte[]> changed = new TreeMap<>(pages);
        private long changedHash = hash;

        /** A copy. */
        private byte[] page(long number) {
            byte[] page = changed.get(number);
            return page == null ? new byte[PAGE_BYTES] : page.clone();
        }

        private void put(long number, byte[] page) {
            remove(number);
            if (Arrays.mismatch(page, ZEROS) >= 0) {
                changed.put(number, page);
                changedHash += Hash.mix(number, Hash.of(page));
            }
        }

        private void remove(long number) {
            byte[] old = changed.remove(number);
            if (old != null) {
                changedHash -= Hash.mix(number, Hash.of(old));
            }
        }

        private void zero(long begin, long end) {
            if (begin >= end) {
                return;
            }
            Long first = changed.ceilingKey(begin / PAGE_BYTES);
            while (first != null && first <= (end - 1) / PAGE_BYTES) {
                long start = first * PAGE_BYTES;
                byte[] page = page(first);
                Arrays.fill(page, (int) Math.max(0, begin - start), (int) Math.min(PAGE_BYTES, end - start), (byte) 0);
                put(first, page);
                first = changed.higherKey(first);
            }
        }

        private Content done(long newSize) {
            return new Content(newSize, changed, changedHash);
        }
    }

    private static final byte[] ZEROS = new byte[PAGE_BYTES];
}
