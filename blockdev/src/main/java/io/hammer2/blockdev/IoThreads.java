package io.hammer2.blockdev;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** The process's threads that wait in blocking system calls for every device. */
final class IoThreads {
    /** Depth is what makes a device fast; from eight blocking threads on, more bring little. */
    private static final int THREADS = 8;

    private static final long IDLE_SECONDS = 30;

    private static final AtomicInteger STARTED = new AtomicInteger();
    private static final ThreadPoolExecutor POOL = pool();

    private IoThreads() {}

    static void execute(Runnable request) {
        POOL.execute(request);
    }

    private static ThreadPoolExecutor pool() {
        ThreadPoolExecutor pool = new ThreadPoolExecutor(
                THREADS,
                THREADS,
                IDLE_SECONDS,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(),
                task -> Thread.ofPlatform()
                        .daemon()
                        .name("block-io-" + STARTED.incrementAndGet())
                        .unstarted(task));
        pool.allowCoreThreadTimeOut(true);
        return pool;
    }
}
