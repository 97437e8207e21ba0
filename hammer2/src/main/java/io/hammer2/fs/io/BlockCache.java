package io.hammer2.fs.io;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory and index of one cpu's blocks. Keyed by the whole reference, not by device offset: offsets are used again after
 * bulkfree. Memory comes in frames of 64 KiB, each for places of one size; the second-chance clock evicts whole frames, so
 * memory never fragments and goes from one size to another as the load asks.
 */
final class BlockCache implements AutoCloseable {
    private static final int CHUNK_FRAMES = 16;
    private static final int BUCKETS_MIN = 1 << 10;
    /** Device buffers and O_DIRECT want this alignment, and the largest blocks are read straight into their frame. */
    private static final int FRAME_ALIGNMENT = 4096;

    private final Arena arena = Arena.ofShared();
    private final int framesMax;
    private final List<Frame> frames = new ArrayList<>();
    private final ArrayDeque<Frame> free = new ArrayDeque<>();

    /** By radix: the frame that is being filled. */
    private final Frame[] filling = new Frame[17];

    /** Of no block yet, and pinned so that it stays; null until one is decoded. */
    private Frame draft;

    private int hand;
    private CachedBlock[] buckets = new CachedBlock[BUCKETS_MIN];
    private int blockCount;
    private long evictedBlocks;

    BlockCache(long bytesMax) {
        framesMax = (int) Math.min(Integer.MAX_VALUE / 2, bytesMax / Frame.BYTES);
    }

    /** The block whose reference lies at {@code offset} of {@code table}, or null. */
    CachedBlock find(MemorySegment table, long offset) {
        return find(BlockRef.hashAt(table, offset), table, offset);
    }

    private CachedBlock find(int hash, MemorySegment table, long offset) {
        for (CachedBlock block = buckets[hash & (buckets.length - 1)]; block != null; block = block.nextInBucket) {
            if (block.hash == hash && block.ref.isAt(table, offset)) {
                return block;
            }
        }
        return null;
    }

    void insert(CachedBlock block) {
        if (blockCount == buckets.length) {
            grow();
        }
        int bucket = block.hash & (buckets.length - 1);
        block.nextInBucket = buckets[bucket];
        buckets[bucket] = block;
        blockCount++;
    }

    void remove(CachedBlock block) {
        int bucket = block.hash & (buckets.length - 1);
        if (buckets[bucket] == block) {
            buckets[bucket] = block.nextInBucket;
        } else {
            CachedBlock before = buckets[bucket];
            while (before.nextInBucket != block) {
                before = before.nextInBucket;
            }
            before.nextInBucket = block.nextInBucket;
        }
        blockCount--;
    }

    void pin(CachedBlock block) {
        if (block.pins++ == 0 && block.frame != null) {
            block.frame.pinnedBlocks++;
        }
        if (block.frame != null) {
            block.frame.referenced = true;
        }
    }

    void unpin(CachedBlock block) {
        if (block.pins <= 0) {
            throw new IllegalStateException("released more often than loaded: " + block.ref);
        }
        if (--block.pins == 0 && block.frame != null) {
            block.frame.pinnedBlocks--;
        }
    }

    /** A place of {@code 1 << radix} bytes for {@code block}, contents undefined; evicts others when the cache is full. */
    MemorySegment place(CachedBlock block, int radix) {
        Frame frame = filling[radix];
        if (frame == null || !frame.hasPlace()) {
            frame = takeFrame();
            frame.radix = radix;
            filling[radix] = frame;
        }
        return put(block, frame);
    }

    /**
     * 64 KiB, contents undefined, for a block whose size is known only when it is decoded. The same ones until {@link #placeDraft}.
     */
    MemorySegment draft() {
        if (draft == null) {
            draft = takeFrame();
            draft.pinnedBlocks = 1;
        }
        return draft.memory;
    }

    /**
     * A place of {@code 1 << radix} bytes for {@code block}, with as many of the draft. Of 64 KiB, as most blocks of compressed files have,
     * the draft is the place, since to copy them costs a fifth of what LZ4 takes.
     */
    MemorySegment placeDraft(CachedBlock block, int radix) {
        if (radix < Limits.RADIX_MAX) {
            return place(block, radix).copyFrom(draft.memory.asSlice(0, 1L << radix));
        }
        Frame frame = draft;
        draft = null;
        frame.pinnedBlocks = 0;
        frame.radix = radix;
        return put(block, frame);
    }

    private static MemorySegment put(CachedBlock block, Frame frame) {
        block.frame = frame;
        block.nextInFrame = frame.blocks;
        frame.blocks = block;
        frame.referenced = true;
        if (block.pins > 0) {
            frame.pinnedBlocks++;
        }
        return frame.takePlace();
    }

    /** Memory of all frames in bytes. */
    long memoryBytes() {
        return (long) frames.size() * Frame.BYTES;
    }

    int blockCount() {
        return blockCount;
    }

    long evictedBlocks() {
        return evictedBlocks;
    }

    @Override
    public void close() {
        arena.close();
    }

    private Frame takeFrame() {
        if (free.isEmpty() && frames.size() < framesMax) {
            allocateChunk();
        }
        if (free.isEmpty()) {
            evict();
        }
        if (free.isEmpty()) {
            // Every frame is in use right now: readers hold a few each, so this overshoots by what their number asks
            // for.
            allocateChunk();
        }
        return free.poll();
    }

    private void allocateChunk() {
        MemorySegment chunk = arena.allocate((long) CHUNK_FRAMES * Frame.BYTES, FRAME_ALIGNMENT);
        for (int i = 0; i < CHUNK_FRAMES; i++) {
            Frame frame = new Frame(chunk.asSlice((long) i * Frame.BYTES, Frame.BYTES));
            frames.add(frame);
            free.add(frame);
        }
    }

    /** Second chance: the first frame that is neither pinned nor used since the hand last passed. */
    private void evict() {
        for (int i = 0; i < 2 * frames.size(); i++) {
            Frame frame = frames.get(hand);
            hand = (hand + 1) % frames.size();
            if (frame.pinnedBlocks > 0) {
                continue;
            }
            if (frame.referenced) {
                frame.referenced = false;
                continue;
            }
            empty(frame);
            return;
        }
    }

    private void empty(Frame frame) {
        for (CachedBlock block = frame.blocks; block != null; block = block.nextInFrame) {
            if (block.state != CachedBlock.State.FAILED) {
                remove(block);
                evictedBlocks++;
            }
        }
        if (filling[frame.radix] == frame) {
            filling[frame.radix] = null;
        }
        frame.blocks = null;
        frame.used = 0;
        free.add(frame);
    }

    private void grow() {
        CachedBlock[] old = buckets;
        buckets = new CachedBlock[old.length * 2];
        for (CachedBlock head : old) {
            for (CachedBlock block = head; block != null; ) {
                CachedBlock next = block.nextInBucket;
                int bucket = block.hash & (buckets.length - 1);
                block.nextInBucket = buckets[bucket];
                buckets[bucket] = block;
                block = next;
            }
        }
    }
}
