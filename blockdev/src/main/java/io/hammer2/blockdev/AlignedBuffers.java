package io.hammer2.blockdev;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ArrayBlockingQueue;

/** The process's pool of aligned buffers through which misaligned requests to raw devices are copied. */
final class AlignedBuffers {
    /** A multiple of any sector size; a longer request goes through it in pieces. */
    static final int BUFFER_BYTES = 256 << 10;

    /** What direct I/O asks of an address on any device met so far. */
    static final int ADDRESS_ALIGNMENT = 4096;

    private static final int POOLED_MAX = 16;
    private static final ArrayBlockingQueue<MemorySegment> POOL = new ArrayBlockingQueue<>(POOLED_MAX);

    private AlignedBuffers() {}

    static MemorySegment take() {
        MemorySegment buffer = POOL.poll();
        return buffer != null ? buffer : Arena.ofAuto().allocate(BUFFER_BYTES, ADDRESS_ALIGNMENT);
    }

    /** A buffer that finds the pool full is left to the collector. */
    static void give(MemorySegment buffer) {
        boolean pooled = POOL.offer(buffer);
        assert pooled || POOL.size() <= POOLED_MAX;
    }
}
