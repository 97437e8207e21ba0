package io.hammer2.fs.fsck;

import io.hammer2.fs.fsck.HeaderCheck.Extent;
import io.hammer2.fs.media.Limits;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Blocks by logical offset, through a small cache of physical buffers: no block crosses a 64 KiB boundary, and small ones
 * lie side by side in one. Reads ahead when it is told what comes.
 */
final class BlockReader implements AutoCloseable {
    private static final int FRAME_BYTES = Limits.BLOCK_BYTES_MAX;
    private static final int FRAME_COUNT = 128;

    private final List<Extent> extents;
    private final Arena arena = Arena.ofShared();
    private final Frame[] frames = new Frame[FRAME_COUNT];
    private final Map<Long, Frame> byOffset = new HashMap<>();
    private final MemorySegment single;
    private int hand;
    private Frame lent;

    /** A physical buffer; {@code loaded} completes with true, or with false when the device refused. */
    private static final class Frame {
        /** Allocated when it is first used: a small volume fills few. */
        private MemorySegment bytes;

        private long offsetBytes = -1;
        private int lengthBytes;
        private CompletableFuture<Boolean> loaded = CompletableFuture.completedFuture(false);
        private boolean usedSince;
    }

    BlockReader(List<Extent> extents) {
        this.extents = extents;
        for (int i = 0; i < FRAME_COUNT; i++) {
            frames[i] = new Frame();
        }
        single = arena.allocate(FRAME_BYTES, FRAME_BYTES / 16);
    }

    /** Whether the device that holds these bytes is there and long enough. */
    boolean isPresent(long offsetBytes, int lengthBytes) {
        return present(offsetBytes, lengthBytes) != null;
    }

    /**
     * The stored bytes of a block, or null when no device gives them.
     *
     * @return valid until the next call
     */
    MemorySegment read(long offsetBytes, int lengthBytes) {
        Extent extent = present(offsetBytes, lengthBytes);
        if (extent == null) {
            return null;
        }
        long at = offsetBytes - extent.baseBytes();
        int within = (int) (at & (FRAME_BYTES - 1));
        if (within + lengthBytes <= FRAME_BYTES) {
            Frame frame = frame(extent, offsetBytes - within, at - within);
            lent = frame;
            frame.usedSince = true;
            if (await(frame) && within + lengthBytes <= frame.lengthBytes) {
                return frame.bytes.asSlice(within, lengthBytes);
            }
            forget(frame);
        }
        // A neighbour of the block may be what cannot be read; and volumes of a damaged geometry may begin anywhere.
        MemorySegment into = single.asSlice(0, lengthBytes);
        try {
            extent.device().readFully(at, into);
        } catch (IOException e) {
            return null;
        }
        return into;
    }

    /** Begins to read a block that will be asked for soon. */
    void expect(long offsetBytes, int lengthBytes) {
        Extent extent = present(offsetBytes, lengthBytes);
        if (extent != null) {
            long at = offsetBytes - extent.baseBytes();
            long within = at & (FRAME_BYTES - 1);
            frame(extent, offsetBytes - within, at - within);
        }
    }

    @Override
    public void close() {
        for (Frame frame : frames) {
            await(frame);
        }
        arena.close();
    }

    private Extent present(long offsetBytes, int lengthBytes) {
        for (Extent extent : extents) {
            long at = offsetBytes - extent.baseBytes();
            if (at >= 0 && at <= extent.sizeBytes() - lengthBytes) {
                return at <= extent.device().sizeBytes() - lengthBytes ? extent : null;
            }
        }
        return null;
    }

    private Frame frame(Extent extent, long offsetBytes, long deviceOffsetBytes) {
        Frame known = byOffset.get(offsetBytes);
        if (known != null) {
            return known;
        }
        Frame frame = victim();
        forget(frame);
        if (frame.bytes == null) {
            frame.bytes = arena.allocate(FRAME_BYTES, FRAME_BYTES / 16);
        }
        long left = Math.min(extent.sizeBytes(), extent.device().sizeBytes()) - deviceOffsetBytes;
        frame.offsetBytes = offsetBytes;
        frame.lengthBytes = (int) Math.min(FRAME_BYTES, left);
        frame.usedSince = true;
        CompletableFuture<Boolean> loaded = new CompletableFuture<>();
        frame.loaded = loaded;
        byOffset.put(offsetBytes, frame);
        extent.device()
                .read(
                        deviceOffsetBytes,
                        frame.bytes.asSlice(0, frame.lengthBytes),
                        error -> loaded.complete(error == null));
        return frame;
    }

    /** Second chance; never the frame whose bytes are in the caller's hands. */
    private Frame victim() {
        while (true) {
            Frame frame = frames[hand];
            hand = (hand + 1) % FRAME_COUNT;
            if (frame != lent && !frame.usedSince) {
                await(frame);
                return frame;
            }
            frame.usedSince = false;
        }
    }

    private void forget(Frame frame) {
        if (frame.offsetBytes >= 0) {
            byOffset.remove(frame.offsetBytes);
            frame.offsetBytes = -1;
        }
    }

    private static boolean await(Frame frame) {
        try {
            return frame.loaded.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Reporter.GivenUp(true);
        } catch (ExecutionException e) {
            throw new AssertionError("a frame's load completes with a value", e);
        }
    }
}
