package io.hammer2.fs.io;

import io.hammer2.lwkt.Token;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/**
 * Blocks that have a reference already and are still on their way to the medium: what a reader of any cpu must not ask the device
 * for.
 */
public final class PendingWrites {
    private final Token token = new Token("pending writes");
    private final Map<Long, MemorySegment> byOffset = new HashMap<>();

    /** @param stored does not change until {@link #remove} */
    void add(long offsetBytes, MemorySegment stored) {
        token.acquire();
        try {
            byOffset.put(offsetBytes, stored);
        } finally {
            token.release();
        }
    }

    void remove(long offsetBytes) {
        token.acquire();
        try {
            byOffset.remove(offsetBytes);
        } finally {
            token.release();
        }
    }

    /** Copies the block at {@code offsetBytes} to {@code into}. @return whether it is one of these */
    boolean read(long offsetBytes, MemorySegment into) {
        token.acquireShared();
        try {
            MemorySegment stored = byOffset.get(offsetBytes);
            if (stored == null) {
                return false;
            }
            MemorySegment.copy(stored, 0, into, 0, into.byteSize());
            return true;
        } finally {
            token.release();
        }
    }
}
