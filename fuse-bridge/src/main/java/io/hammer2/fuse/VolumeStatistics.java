package io.hammer2.fuse;

/** What statfs shows: filled in by the operation, read by the transport, reused. */
public final class VolumeStatistics {
    private int blockSizeBytes;
    private long blocks;
    private long blocksFree;
    private long blocksAvailable;
    private long nodes;
    private long nodesFree;
    private int nameBytesMax;

    /** Space, in blocks of {@code blockBytes}; available is what an unprivileged user may still take. */
    public VolumeStatistics space(int blockBytes, long total, long free, long available) {
        this.blockSizeBytes = blockBytes;
        this.blocks = total;
        this.blocksFree = free;
        this.blocksAvailable = available;
        return this;
    }

    /** Inodes, in use and free together, and free. */
    public VolumeStatistics nodes(long total, long free) {
        this.nodes = total;
        this.nodesFree = free;
        return this;
    }

    public VolumeStatistics nameBytesMax(int bytes) {
        this.nameBytesMax = bytes;
        return this;
    }

    public int blockSizeBytes() {
        return blockSizeBytes;
    }

    public long blocks() {
        return blocks;
    }

    public long blocksFree() {
        return blocksFree;
    }

    public long blocksAvailable() {
        return blocksAvailable;
    }

    public long nodes() {
        return nodes;
    }

    public long nodesFree() {
        return nodesFree;
    }

    public int nameBytesMax() {
        return nameBytesMax;
    }
}
