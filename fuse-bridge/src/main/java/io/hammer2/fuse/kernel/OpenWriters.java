package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseOperations;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Which nodes somebody may be writing to: of only these can the kernel have cached pages that it has not handed over yet, since it
 * hands them over before it releases an open file. Counts by a hash of the node: of two nodes that share one, each may be taken for
 * the other. For all cpus.
 */
final class OpenWriters {
    private static final int BITS = 12;

    private final AtomicIntegerArray counts = new AtomicIntegerArray(1 << BITS);

    /** @param flags of open(2) */
    void opened(long node, int flags) {
        if (writes(flags)) {
            counts.getAndIncrement(hash(node));
        }
    }

    /** @param flags that the file was opened with */
    void released(long node, int flags) {
        if (writes(flags)) {
            counts.getAndDecrement(hash(node));
        }
    }

    /** False only when nobody has the node open to write. */
    boolean mayHave(long node) {
        return counts.get(hash(node)) != 0;
    }

    private static boolean writes(int flags) {
        return (flags & FuseOperations.OPEN_ACCESS_MODE) != 0;
    }

    private static int hash(long node) {
        return (int) ((node * 0x9E3779B97F4A7C15L) >>> (Long.SIZE - BITS));
    }
}
