package io.hammer2.fuse.kernel;

import io.hammer2.lwkt.Clock;

/**
 * Keeps the processors from deep sleep while requests come in quick succession. A client that waits for each answer, as nearly all do, leaves
 * its processor idle for some microseconds, twenty thousand times a second; to fall asleep and be woken by an interrupt takes longer than the
 * request. So after {@link #REQUESTS_JUDGED} requests at {@link #QUICK_NANOS} or less processors are asked to sleep lightly, until that was not
 * so for {@link #HOLD_NANOS}: a quiet mount costs no power.
 *
 * <p>Belongs to the cpu of its {@link Channel}.
 */
final class PromptWaking implements AutoCloseable {
    static final int REQUESTS_JUDGED = 16;

    /** For so many, 4,000 a second: below that waking is less than a tenth of the time. */
    static final long QUICK_NANOS = 4_000_000;

    static final long HOLD_NANOS = 30_000_000;

    /** What processors are asked for; {@link CpuLatencyQos}. */
    interface Request {
        /** Asks for nothing. */
        Request NONE = new Request() {
            @Override
            public void hold() {}

            @Override
            public void release() {}

            @Override
            public void close() {}
        };

        /** Processors are to wake at once. */
        void hold();

        /** They may sleep as they like. */
        void release();

        /** That, for ever. */
        void close();
    }

    private final Clock clock;
    private final Request request;
    private int taken;
    private long judgedNanos;
    private boolean held;
    private long holdEndNanos;

    PromptWaking(Clock clock, Request request) {
        this.clock = clock;
        this.request = request;
        this.judgedNanos = clock.nanoTime();
    }

    /** A request was taken. */
    void took() {
        if (++taken < REQUESTS_JUDGED) {
            return;
        }
        taken = 0;
        long now = clock.nanoTime();
        if (now - judgedNanos <= QUICK_NANOS) {
            holdEndNanos = now + HOLD_NANOS;
            if (!held) {
                held = true;
                request.hold();
            }
        } else {
            releaseAtEnd(now);
        }
        judgedNanos = now;
    }

    /** The cpu is going to sleep. @return nanoseconds after which it is to ask again; {@code Long.MAX_VALUE}: no need to */
    long untilReleaseNanos(long nowNanos) {
        releaseAtEnd(nowNanos);
        return held ? holdEndNanos - nowNanos : Long.MAX_VALUE;
    }

    private void releaseAtEnd(long nowNanos) {
        if (held && holdEndNanos - nowNanos <= 0) {
            held = false;
            request.release();
        }
    }

    /** Asks for nothing any more. */
    @Override
    public void close() {
        held = false;
        request.close();
    }
}
