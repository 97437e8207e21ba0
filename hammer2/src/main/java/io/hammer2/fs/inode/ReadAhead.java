package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Topology;

/**
 * One cpu's guess of what will be read next: who reads a file forward gets the blocks that follow started early, the more the
 * longer it goes on. Remembers the last few files; forgetting one costs a little speed.
 */
public final class ReadAhead {
    private static final int STREAMS = 64;
    private static final long WINDOW_MIN = 128 << 10;
    private static final long WINDOW_MAX = 2 << 20;

    /**
     * Requests of one reader spread over the cpus, so a cpu sees gaps: a request that begins up to this far beyond the last is
     * still taken as its continuation.
     */
    private static final long GAP_MAX = 2 << 20;

    private final Topology topology;
    private final Stream[] streams = new Stream[STREAMS];
    private final long windowMax;

    private static final class Stream {
        private long inum;
        private long next;
        private long window;
        private long started;
    }

    /** @param cacheBytes of this cpu; no more than an eighth of it is read ahead */
    public ReadAhead(Topology topology, long cacheBytes) {
        this.topology = topology;
        this.windowMax = Math.min(WINDOW_MAX, cacheBytes / 8);
        for (int i = 0; i < STREAMS; i++) {
            streams[i] = new Stream();
        }
    }

    /** A read of {@code length} bytes at {@code offset} has been answered; starts what will follow it, and waits for nothing. */
    public void afterRead(FileData file, long inum, long offset, int length) {
        long end = offset + length;
        Stream stream = streams[(int) (inum & (STREAMS - 1))];
        boolean forward = stream.inum == inum && offset >= stream.next && offset - stream.next <= GAP_MAX;
        if (!forward) {
            stream.inum = inum;
            stream.window = 0;
            stream.started = end;
        } else {
            stream.window = Math.min(windowMax, Math.max(WINDOW_MIN, stream.window * 2));
            long begin = Math.max(end, stream.started);
            // In pieces of half a window, so that not every small read walks the tree again.
            if (end + stream.window - begin >= stream.window / 2 && begin < file.sizeBytes()) {
                stream.started = end + stream.window;
                file.prefetch(topology, begin, stream.started);
            }
        }
        stream.next = end;
    }
}
