package io.hammer2.fs.io;

import io.hammer2.fs.media.Block;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.lwkt.Message;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A block in a cpu's cache: verified, decompressed, and never changed. It stays where it is while it is pinned, from {@link
 * BlockIo#load} to {@link BlockIo#release}; used on that cpu only.
 */
public final class CachedBlock {
    enum State {
        LOADING,
        READY,
        /** Out of the index; those who wait for it still have it. */
        FAILED
    }

    final BlockRef ref;
    final int hash;

    /** Next in the same bucket of the index. */
    CachedBlock nextInBucket;

    /** Next in the same frame. */
    CachedBlock nextInFrame;

    Frame frame;
    State state = State.LOADING;
    RuntimeException failure;
    int pins;

    /** Of {@link RecentBlocks#beginRead}. */
    long recentBegun;

    private MemorySegment bytes;
    private Block block;
    private BlockTable table;
    private List<Message<Void>> waiters;

    CachedBlock(BlockRef ref) {
        this.ref = ref;
        this.hash = ref.hashCode();
    }

    /** The reference that it was loaded by. */
    public BlockRef ref() {
        return ref;
    }

    /**
     * Its bytes, read-only and off-heap: of file data the decompressed ones, of which what is missing up to 64 KiB is zero; of
     * all others the stored ones.
     */
    public MemorySegment bytes() {
        return bytes;
    }

    /** Whether file data is {@code other}, where the shorter one goes on in zeros. */
    public boolean holds(MemorySegment other) {
        MemorySegment longer = bytes.byteSize() < other.byteSize() ? other : bytes;
        long common = Math.min(bytes.byteSize(), other.byteSize());
        return MemorySegment.mismatch(bytes, 0, common, other, 0, common) < 0 && isZero(longer.asSlice(common));
    }

    private static boolean isZero(MemorySegment bytes) {
        for (long i = 0; i < bytes.byteSize(); i++) {
            if (bytes.get(ValueLayout.JAVA_BYTE, i) != 0) {
                return false;
            }
        }
        return true;
    }

    /** Its bytes as what they are. */
    public Block block() {
        return block;
    }

    /** The validated, packed references of an indirect block or freemap node. */
    public BlockTable table() {
        if (table == null) {
            throw new IllegalStateException("no block table in " + ref);
        }
        return table;
    }

    /** @param writable its place in the cache, filled and verified */
    void ready(MemorySegment writable, long totalBytes) {
        if (ref.type().isTable()) {
            // Packs in place, the last change that these bytes ever see.
            table = BlockTable.of(writable).validate(totalBytes);
        }
        ready(writable);
    }

    /** @param writable its place in the cache, filled with a table that this system has made: valid and packed */
    void readyTable(MemorySegment writable, int entryCount) {
        table = BlockTable.packed(writable, entryCount);
        ready(writable);
    }

    private void ready(MemorySegment writable) {
        bytes = writable.asReadOnly();
        block = Block.of(ref.type(), bytes);
        state = State.READY;
    }

    void addWaiter(Message<Void> waiter) {
        if (waiters == null) {
            waiters = new ArrayList<>(2);
        }
        waiters.add(waiter);
    }

    void wakeWaiters() {
        if (waiters != null) {
            waiters.forEach(waiter -> waiter.reply(null));
            waiters = null;
        }
    }
}
