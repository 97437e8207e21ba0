package io.hammer2.lwkt;

import java.util.concurrent.locks.LockSupport;

/** Parks the thread that idles. */
final class ParkSleeper implements Sleeper {
    // Not the carrier: with the baton fallback every worker is a thread of its own. The permit to park belongs to the
    // thread, so
    // a wake that comes between the store and the park is not lost; the event loop looks at its queues after it has
    // stored "sleeping".
    private volatile Thread sleeping;
    private volatile boolean woken;

    @Override
    public void sleep(long nanosMax) {
        sleeping = Thread.currentThread();
        if (!woken) {
            if (nanosMax == Long.MAX_VALUE) {
                LockSupport.park(this);
            } else {
                LockSupport.parkNanos(this, nanosMax);
            }
        }
        sleeping = null;
        woken = false;
    }

    @Override
    public void wake() {
        woken = true;
        LockSupport.unpark(sleeping);
    }
}
