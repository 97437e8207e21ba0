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

    /**
     * The same in emergency mode: what a commit of one removal takes, with no more than a granule for each kind of block. Where another
     * implementation has filled a volume to its end, less than the ordinary reserve is left.
     */
    private static final long COMMIT_BYTES_EMERGENCY = 128L * Limits.KIB;

    /** Granules of the freemap in a block of 64 KiB. */
    private static final int GRANULES = Limits.BLOCK_BYTES_MAX / Limits.FREEMAP_GRANULE_BYTES;

    private final Token token = new Token("space");
    // Under the token.
    private long reserveBytes;
    private long freeBytes;
    private long wholeBlockBytes;
    private long reservedBytes;
    private long reservedBlocks;

    /** What was known of in whole blocks when the last change was refused, if it was for want of them; else -1. */
    private long lackedAtBytes = -1;

    private boolean emergency;

    /**
     * @param allocatorSize of the header
     * @param freeBytes that can be allocated
     */
    public SpaceBudget(long allocatorSize, long freeBytes) {
        this.reserveBytes = reserveOf(allocatorSize);
        this.freeBytes = freeBytes;
    }

    /** What is kept back of so many bytes. */
    public static long reserveOf(long allocatorSize) {
        return Math.clamp(allocatorSize / RESERVE_PART, RESERVE_MIN, RESERVE_MAX);
    }

    /** The file system has become larger; before the {@link #settle} that counts what is new. */
    void grow(long allocatorSize) {
        token.acquire();
        try {
            reserveBytes = reserveOf(allocatorSize);
        } finally {
            token.release();
        }
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
            long kept = givesBack ? (emergency ? COMMIT_BYTES_EMERGENCY : COMMIT_BYTES) : reserveBytes;
            long allBytes = reservedBytes + bytes;
            long allBlocks = reservedBlocks + blocks;
            boolean fits = allBytes + allBlocks * Limits.BLOCK_BYTES_MAX <= freeBytes - kept;
            boolean inPieces =
                    allBlocks == 0 || allBlocks * Limits.BLOCK_BYTES_MAX + GRANULES * allBytes <= wholeBlockBytes;
            if (!fits || !inPieces) {
                lackedAtBytes = fits ? wholeBlockBytes : -1;
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

    /**
     * Sets aside what a commit may take yet while changes are accepted again, unless there is not so much that {@link #hasLeft}; until the next
     * {@link #settle}.
     *
     * @param nowFreeBytes that can be allocated by now
     */
    boolean setAside(long nowFreeBytes, long bytes, boolean givesBack) {
        token.acquire();
        try {
            boolean fits = hasLeft(nowFreeBytes - reservedBytes, bytes, givesBack);
            reservedBytes += fits ? bytes : 0;
            return fits;
        } finally {
            token.release();
        }
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

    /** {@code FileSystem.setEmergencyMode}. */
    public void setEmergency(boolean on) {
        token.acquire();
        try {
            emergency = on;
        } finally {
            token.release();
        }
    }

    public boolean isEmergency() {
        token.acquireShared();
        try {
            return emergency;
        } finally {
            token.release();
        }
    }

    /** What users may still write, if a commit took all that is reserved. */
    public long availableBytes() {
        token.acquireShared();
        try {
            return emergency ? 0 : Math.max(0, freeBytes - reserveBytes - reserved());
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

    /** Whether the last change that was refused was so for want of whole blocks alone. */
    public boolean lacksWholeBlocks() {
        token.acquireShared();
        try {
            return lackedAtBytes >= 0;
        } finally {
            token.release();
        }
    }

    /** Whether more whole blocks are known of than then. */
    public boolean knowsOfMore() {
        token.acquireShared();
        try {
            return wholeBlockBytes > lackedAtBytes;
        } finally {
            token.release();
        }
    }

    /** More is known of than before; what was placed since the last commit may be among it, since it is reserved still. */
    void found(long nowWholeBlockBytes) {
        token.acquire();
        try {
            wholeBlockBytes = Math.max(wholeBlockBytes, nowWholeBlockBytes);
        } finally {
            token.release();
        }
    }

    /**
     * Everything that was accepted has its place.
     *
     * @param nowFreeBytes that can be allocated
     * @param nowWholeBlockBytes of these, the free blocks of 64 KiB in their places, as far as they have been counted
     */
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
