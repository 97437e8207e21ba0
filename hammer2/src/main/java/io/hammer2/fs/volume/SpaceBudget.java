package io.hammer2.fs.volume;

import io.hammer2.lwkt.Token;

/**
 * How much may still be accepted: what is free, less what accepted changes will take when they are flushed. A part of the volume is
 * kept back for what gives space back, so that a full volume can still delete.
 *
 * <p>For each change the most that its flush can take is reserved, which is far more than it does take; a commit
 * replaces the reservations by what was taken.
 */
public final class SpaceBudget {
    private static final long RESERVE_MIN = 2L << 20;
    private static final long RESERVE_MAX = 256L << 20;

    /** One part of so many of the volume is kept back, within the two bounds; DragonFly keeps a twentieth. */
    private static final int RESERVE_PART = 40;

    private final Token token = new Token("space");
    private final long reserveBytes;
    // Under the token.
    private long freeBytes;
    private long reservedBytes;

    /** @param allocatorSize of the header */
    public SpaceBudget(long allocatorSize, long freeBytes) {
        this.reserveBytes = Math.clamp(allocatorSize / RESERVE_PART, RESERVE_MIN, RESERVE_MAX);
        this.freeBytes = freeBytes;
    }

    /**
     * Reserves space for a change.
     *
     * @param givesBack whether the change gives space back, or is needed to; then it may take from the part kept back
     * @return false when there is not so much
     */
    public boolean reserve(long bytes, boolean givesBack) {
        token.acquire();
        try {
            long kept = givesBack ? 0 : reserveBytes;
            if (freeBytes - kept - reservedBytes < bytes) {
                return false;
            }
            reservedBytes += bytes;
            return true;
        } finally {
            token.release();
        }
    }

    /** Reserved since the last commit. */
    public long reservedBytes() {
        token.acquireShared();
        try {
            return reservedBytes;
        } finally {
            token.release();
        }
    }

    /** What users may still write, if a commit took all that is reserved. */
    public long availableBytes() {
        token.acquireShared();
        try {
            return Math.max(0, freeBytes - reserveBytes - reservedBytes);
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

    /** Everything that was accepted has its place. */
    public void settle(long nowFreeBytes) {
        token.acquire();
        try {
            freeBytes = nowFreeBytes;
            reservedBytes = 0;
        } finally {
            token.release();
        }
    }
}
