package io.hammer2.fs.io;

import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.LwktThread;
import io.hammer2.lwkt.Token;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;

/**
 * Off-heap memory of what is changed and not yet on the medium, for all cpus: pieces of 4, 16 and 64 KiB. It grows to the most that
 * was ever in use at once, which its users bound ({@link #usedBytes}), and is freed with the pool.
 */
public final class BufferPool implements AutoCloseable {
    private static final int[] PIECE_BYTES = {4 * Limits.KIB, 16 * Limits.KIB, 64 * Limits.KIB};
    private static final int CHUNK_BYTES = Limits.MIB;
    private static final int ALIGNMENT = 4096;

    private final Arena arena = Arena.ofShared();
    private final Token token = new Token("buffer pool");
    // Under the token.
    private final ArrayDeque<MemorySegment>[] free;
    private long usedBytes;
    private boolean awaited;

    public BufferPool() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        ArrayDeque<MemorySegment>[] queues = new ArrayDeque[PIECE_BYTES.length];
        free = queues;
        for (int i = 0; i < free.length; i++) {
            free[i] = new ArrayDeque<>();
        }
    }

    /** @return a piece of at least {@code bytes}, at most 64 KiB; contents undefined */
    public MemorySegment take(int bytes) {
        int index = indexOf(bytes);
        token.acquire();
        try {
            usedBytes += PIECE_BYTES[index];
            MemorySegment piece = free[index].poll();
            return piece != null ? piece : cut(index);
        } finally {
            token.release();
        }
    }

    /** Gives back what {@link #take} gave. */
    public void give(MemorySegment piece) {
        int index = indexOf((int) piece.byteSize());
        boolean wake;
        token.acquire();
        try {
            usedBytes -= PIECE_BYTES[index];
            free[index].push(piece);
            wake = awaited;
            awaited = false;
        } finally {
            token.release();
        }
        if (wake) {
            wake();
        }
    }

    /** Lets {@link #await} return. */
    public void wake() {
        Cpu.current().lwkt().wakeup(this);
    }

    /** Waits until something is given back or {@link #wake} is called, unless no more than {@code bytes} are in use. */
    public void await(long bytes) {
        LwktThread.interlock(this);
        LwktThread.sleepOn(this, "buffers", isAbove(bytes) ? Long.MAX_VALUE : 0);
    }

    private boolean isAbove(long bytes) {
        token.acquire();
        try {
            awaited = usedBytes > bytes;
            return awaited;
        } finally {
            token.release();
        }
    }

    /** Bytes of the pieces that are taken. */
    public long usedBytes() {
        token.acquireShared();
        try {
            return usedBytes;
        } finally {
            token.release();
        }
    }

    /** Frees all of it; nothing is in use any more. */
    @Override
    public void close() {
        arena.close();
    }

    /** From the next larger piece, or of the largest ones from new memory; all but one of the parts are free then. */
    private MemorySegment cut(int index) {
        MemorySegment whole;
        if (index == PIECE_BYTES.length - 1) {
            whole = arena.allocate(CHUNK_BYTES, ALIGNMENT);
        } else {
            MemorySegment larger = free[index + 1].poll();
            whole = larger != null ? larger : cut(index + 1);
        }
        int size = PIECE_BYTES[index];
        for (long offset = size; offset < whole.byteSize(); offset += size) {
            free[index].add(whole.asSlice(offset, size));
        }
        return whole.asSlice(0, size);
    }

    private static int indexOf(int bytes) {
        for (int i = 0; i < PIECE_BYTES.length; i++) {
            if (bytes <= PIECE_BYTES[i]) {
                return i;
            }
        }
        throw new IllegalArgumentException("a piece of " + bytes + " bytes");
    }
}
