package io.hammer2.lwkt;

import java.util.concurrent.CountDownLatch;

/** Waiting of threads outside for cpus that use their data and have to have let go of it first. */
final class Uninterruptibly {
    private Uninterruptibly() {}

    /** Waits; an interrupt meanwhile is kept for the caller to see afterwards. */
    static void await(CountDownLatch latch) {
        boolean interrupted = false;
        while (true) {
            try {
                latch.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
