package io.hammer2.fuse.kernel;

/**
 * Whether a cpu that sleeps is to be woken by requests. The kernel wakes the next sleeping cpu for a request that comes while the
 * others are at work, and mostly they have taken it before the new one is awake: one client who makes files wakes two cpus for
 * each of them, on whose cores he would like to run. So a cpu that was woken for little sleeps on for a while, longer each time
 * until it was worth it. One cpu of a connection always listens, so no request waits for longer than that one is busy.
 *
 * <p>Times are nanoseconds of one clock. Belongs to its cpu.
 */
final class Standby {
    /** Wake-ups after which it is asked whether they were worth it. */
    static final int WAKES_JUDGED = 8;

    /** Requests taken for each wake-up that make it worth it: the first would have waited no longer for the others. */
    static final int WORTH = 2;

    static final long PAUSE_NANOS_MIN = 2_000_000;
    static final long PAUSE_NANOS_MAX = 16_000_000;

    private final boolean always;
    private int wakes;
    private int taken;
    private long pauseNanos = PAUSE_NANOS_MIN;
    private boolean pausing;
    private long pauseEndNanos;

    /** @param always for the one cpu that never pauses */
    Standby(boolean always) {
        this.always = always;
    }

    /** A request has woken the cpu. */
    void woken() {
        wakes++;
    }

    /** A request was taken. */
    void took() {
        taken++;
    }

    /** The cpu is going to sleep. @return how long it is to sleep on whatever is asked for, 0 when it listens */
    long pauseNanos(long nowNanos) {
        if (always) {
            return 0;
        }
        if (wakes >= WAKES_JUDGED) {
            judge(nowNanos);
        }
        if (pausing && pauseEndNanos - nowNanos <= 0) {
            pausing = false;
        }
        return pausing ? pauseEndNanos - nowNanos : 0;
    }

    private void judge(long nowNanos) {
        pausing = taken < WORTH * wakes;
        if (pausing) {
            pauseEndNanos = nowNanos + pauseNanos;
            pauseNanos = Math.min(PAUSE_NANOS_MAX, pauseNanos * 2);
        } else {
            pauseNanos = PAUSE_NANOS_MIN;
        }
        wakes = 0;
        taken = 0;
    }
}
