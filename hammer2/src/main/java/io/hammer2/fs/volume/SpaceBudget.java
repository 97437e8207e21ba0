package io.hammer2.fs.volume;

import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.Token;

/**
 * How much may still be accepted: what is free, less what accepted changes will take when they are flushed. A part of the volume is
 * kept back for what gives space back, so that a full volume can still delete.
 *
 * <p>For each change the most that its flush can take is reserved, which is far more than it does take; a commit
 * replaces the reservations by what was taken.
 *
 * <p>A block of file data needs 64 KiB in one piece, and free space may be scattered. Such pieces are counted apart, and it is assumed
 * that every small block breaks one of them.
 */
public final class SpaceBudget {
    /** More in whole blocks than this can never be reserved between two commits. */
    public static final long PLENTY_BYTES = 4 * Limits.GIB;

    private static final long RESERVE_MIN = 2L << 20;
    private static final long RESERVE_MAX = 256L << 20;

    /** One part of so many of the volume is kept back, within the two bounds; DragonFly keeps a twentieth. */
    private static final int RESERVE_PART = 40;

    /**
     * Never reserved by anyone: what a commit takes besides, for the roots above the inodes, and for the granules that each kind of block
     * begins. When it is reached, bulkfree gives back what earlier commits have left.
     */
    private static final long COMMIT_BYTES = 512L * Limits.KIB;

    /** Granules of the freemap in a block of 64 KiB. */
    private static final int GRANULES = Limits.BLOCK_BYTES_MAX / Limits.FREEMAP_GRANULE_BYTES;

    private final Token token = new Token("space");
    private final long reserveBytes;
    // Under the token.
    private long freeBytes;
    private long wholeBlockBytes;
    private long reservedBytes;
    private long reservedBlocks;

    /**
     * @param allocatorSize of the header
     * @param freeBytes that can be allocated
     * @param wholeBlockBytes of these, the free blocks of 64 KiB in their places; or fewer, if there are plenty
     */
    public SpaceBudget(long allocatorSize, long freeBytes, long wholeBlockBytes) {
        this.reserveBytes = Math.clamp(allocatorSize / RESERVE_PART, RESERVE_MIN, RESERVE_MAX);
        this.freeBytes = freeBytes;
        this.wholeBlockBytes = wholeBlockBytes;
    }

    /**
     * Reserves space for a change.
     *
     * @param bytes of metadata and small blocks
     * @param blocks of 64 KiB
     * @param givesBack whether the change gives space back, or is needed to; then it may take from the part kept back
     * @return false when there is not so much
     */
    public boolean reserve(long bytes, long blocks, boolean givesBack) {
        token.acquire();
        try {
            long kept = givesBack ? COMMIT_BYTES : reserveBytes;
            long allBytes = reservedBytes + bytes;
            long allBlocks = reservedBlocks + blocks;
            boolean fits = allBytes + allBlocks * Limits.BLOCK_BYTES_MAX <= freeBytes - kept;
            boolean inPieces =
                    allBlocks == 0 || allBlocks * Limits.BLOCK_BYTES_MAX + GRANULES * allBytes <= wholeBlockBytes;
            if (!fits || !inPieces) {
                return false;
            }
            reservedBytes = allBytes;
            reservedBlocks = allBlocks;
            return true;
        } finally {
            token.release();
        }
    }

    /**
     * Whether a commit itself may take so much when it has placed all that was reserved.
     *
     * @param nowFreeBytes that can be allocated by now
     * @param givesBack as of {@link #reserve}; then also from what is kept for commits, which this saves the next ones
     */
    public boolean hasLeft(long nowFreeBytes, long bytes, boolean givesBack) {
        return bytes <= nowFreeBytes - (givesBack ? COMMIT_BYTES / 2 : reserveBytes);
    }

    /** Reserved since the last commit. */
    public long reservedBytes() {
        token.acquireShared();
        try {
            return reserved();
        } finally {
            token.release();
        }
    }

    /** What users may still write, if a commit took all that is reserved. */
    public long availableBytes() {
        token.acquireShared();
        try {
            return Math.max(0, freeBytes - reserveBytes - reserved());
        } finally {
            token.release();
        }
    }

    /** Free at the last commit. */
    public long freeBytes() {
        token.acquireShared();
        try {
            return freeBytes;
        } finally {
            token.release();
        }
    }

    /** Everything that was accepted has its place; the parameters are those of the constructor, as they are now. */
    public void settle(long nowFreeBytes, long nowWholeBlockBytes) {
        token.acquire();
        try {
            freeBytes = nowFreeBytes;
            wholeBlockBytes = nowWholeBlockBytes;
            reservedBytes = 0;
            reservedBlocks = 0;
        } finally {
            token.release();
        }
    }

    private long reserved() {
        return reservedBytes + reservedBlocks * Limits.BLOCK_BYTES_MAX;
    }
}
