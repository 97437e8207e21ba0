package io.hammer2.fs.inode;

import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;

/**
 * A logical block of a file, of up to 64 KiB, as it is to become on the medium. What is beyond its length is zero.
 *
 * <p>While it is being encoded without the gate of its inode it is lent: it is read and not changed, and who wants to change it puts
 * a copy in its place.
 */
final class DirtyBlock {
    private final int storedBefore;
    private MemorySegment memory;
    private int length;
    private boolean lent;

    /** Given up while it was lent. */
    private boolean given;

    /** @param storedBefore bytes that the medium had for the block */
    DirtyBlock(BufferPool buffers, int capacity, int storedBefore) {
        this.memory = buffers.take(capacity);
        this.storedBefore = storedBefore;
    }

    /** Bytes that may differ from zero. */
    int length() {
        return length;
    }

    /** The first bytes of the block, at most {@link #length}. */
    MemorySegment bytes(int count) {
        return memory.asSlice(0, count);
    }

    void read(int from, MemorySegment into) {
        long available = Math.clamp(length - (long) from, 0, into.byteSize());
        // What is read may lie behind the memory altogether, where even a copy of nothing is refused.
        if (available > 0) {
            MemorySegment.copy(memory, from, into, 0, available);
        }
        into.asSlice(available).fill((byte) 0);
    }

    boolean isLent() {
        return lent;
    }

    void lend() {
        lent = true;
    }

    /** Ends {@link #lend}, and frees what was given up meanwhile. */
    void takeBack(BufferPool buffers) {
        lent = false;
        if (given) {
            free(buffers);
        }
    }

    /** One that can be changed, in the place of this one, which is lent. */
    DirtyBlock replacement(BufferPool buffers) {
        DirtyBlock copy = new DirtyBlock(buffers, Math.max(1, length), storedBefore);
        MemorySegment.copy(memory, 0, copy.memory, 0, length);
        copy.length = length;
        free(buffers);
        return copy;
    }

    void write(BufferPool buffers, int at, MemorySegment from) {
        int end = at + (int) from.byteSize();
        grow(buffers, end);
        if (at > length) {
            memory.asSlice(length, at - length).fill((byte) 0);
        }
        memory.asSlice(at, from.byteSize()).copyFrom(from);
        length = Math.max(length, end);
    }

    void zero(int from, int to) {
        int end = Math.min(to, length);
        if (from < end) {
            memory.asSlice(from, end - from).fill((byte) 0);
        }
    }

    /** Makes all from {@code newLength} on zero. */
    void cut(int newLength) {
        length = Math.min(length, newLength);
    }

    /** The first {@code size} bytes, zeros behind the length, to be written; the block changes no more. */
    MemorySegment padded(BufferPool buffers, int size) {
        grow(buffers, size);
        if (length < size) {
            memory.asSlice(length, size - length).fill((byte) 0);
        }
        return memory.asSlice(0, size);
    }

    /** The block is not needed any more; if it is lent, its memory goes when it comes back. */
    void free(BufferPool buffers) {
        if (lent) {
            given = true;
        } else {
            buffers.give(memory);
        }
    }

    /** Bytes by which the file may take more space because of this. */
    long growthBytes() {
        int stored = Math.max(1 << Limits.RADIX_MIN, Integer.highestOneBit(Math.max(1, length - 1)) << 1);
        return Math.max(0, stored - storedBefore);
    }

    private void grow(BufferPool buffers, int capacity) {
        if (capacity > memory.byteSize()) {
            MemorySegment larger = buffers.take(capacity);
            MemorySegment.copy(memory, 0, larger, 0, length);
            buffers.give(memory);
            memory = larger;
        }
    }
}
