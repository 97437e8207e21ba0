package io.hammer2.fs.io;

import io.hammer2.fs.media.Limits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The physical buffers (64 KiB, naturally aligned: format section 1) that were read last, as they are on the device. Inodes
 * and names lie packed in them, so that one read serves dozens of blocks. What is in here may be older than the medium, and
 * is good only for a block whose check code it matches.
 */
final class Clusters {
    static final int BYTES = Limits.BLOCK_BYTES_MAX;
    private static final int COUNT = 16;

    static final class Cluster {
        final MemorySegment memory;

        /** Device offset, or -1 for none. */
        long offsetBytes = -1;

        boolean loading;
        long lastUse;

        /** Blocks to take from here once it is read. */
        final List<CachedBlock> waiting = new ArrayList<>();

        private Cluster(MemorySegment memory) {
            this.memory = memory;
        }
    }

    private final Cluster[] clusters = new Cluster[COUNT];
    private long uses;

    Clusters(Arena arena) {
        for (int i = 0; i < COUNT; i++) {
            clusters[i] = new Cluster(arena.allocate(BYTES, 4096));
        }
    }

    static long base(long offsetBytes) {
        return offsetBytes & -BYTES;
    }

    /** The cluster that begins at {@code base}, read or being read; or null. */
    Cluster find(long base) {
        for (Cluster cluster : clusters) {
            if (cluster.offsetBytes == base) {
                cluster.lastUse = ++uses;
                return cluster;
            }
        }
        return null;
    }

    /** The least recently used cluster, to be read anew; null when all are being read. */
    Cluster claim(long base) {
        Cluster oldest = null;
        for (Cluster cluster : clusters) {
            if (!cluster.loading && (oldest == null || cluster.lastUse < oldest.lastUse)) {
                oldest = cluster;
            }
        }
        if (oldest != null) {
            oldest.offsetBytes = base;
            oldest.loading = true;
            oldest.lastUse = ++uses;
        }
        return oldest;
    }
}
