package io.hammer2.lwkt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * What other threads look at and do to a cpu besides putting events into its queues: whether it is asleep, waking it, and shutting it
 * down. On cache lines of its own, because every sender reads it and the cpu writes its other fields all the time.
 *
 * <p>Rule: a sender puts its event first and rings then; the cpu says first that it falls asleep and looks at its queues then. Both have
 * a full fence in between, so that at least one of the two sees the other, and no event lies in a queue of a cpu that sleeps.
 */
final class Doorbell extends DoorbellFields {
    private static final VarHandle ASLEEP;

    static {
        try {
            ASLEEP = MethodHandles.lookup().findVarHandle(DoorbellFields.class, "asleep", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused")
    private long q00, q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15;

    /** By the cpu, which looks at its queues once more before it sleeps. */
    void fallAsleep() {
        asleep = true;
        VarHandle.fullFence();
    }

    /** By the cpu, when it does not sleep, or not any more. */
    void wakeUp() {
        asleep = false;
    }

    /** By any thread that has put an event where the cpu will find it. @return whether the cpu was asleep */
    boolean ring() {
        VarHandle.fullFence();
        if (asleep && ASLEEP.compareAndSet(this, true, false)) {
            sleeper.wake();
            return true;
        }
        return false;
    }

    /** By any thread: the cpu handles nothing more. */
    void shutDown() {
        shutDown = true;
        ring();
    }

    boolean isShutDown() {
        return shutDown;
    }

    Sleeper sleeper() {
        return sleeper;
    }

    /** By the cpu, while it is awake. */
    void setSleeper(Sleeper replacement) {
        sleeper = replacement;
    }
}

/** Space in front. */
@SuppressWarnings("unused")
class DoorbellPadding {
    private long p00, p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15;
}

/** The fields that other threads read. */
class DoorbellFields extends DoorbellPadding {
    volatile boolean asleep;
    volatile boolean shutDown;
    volatile Sleeper sleeper = new ParkSleeper();
}
