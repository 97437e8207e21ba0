package io.hammer2.tools;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Sees to it that a signal which ends the process unmounts and commits first, and that the process then ends with status 0: it is the usual
 * way of ending a service, and no failure. The JVM would end with 143. Only until it is closed: when the mount is over, the end of the JVM is the
 * business of whoever runs it.
 */
final class MountEnd implements AutoCloseable {
    /** A signal may come while the mount is being made. */
    private static final long START_WAIT_SECONDS = 10;

    private final MountLog log;
    private final CountDownLatch started = new CountDownLatch(1);
    private final AtomicReference<Mounted> session = new AtomicReference<>();
    private final AtomicBoolean ending = new AtomicBoolean();
    private final AtomicInteger status = new AtomicInteger();
    private final Thread atExit = new Thread(this::onExit, "mount-end");

    private MountEnd(MountLog log) {
        this.log = log;
    }

    static MountEnd watch(MountLog log) {
        MountEnd end = new MountEnd(log);
        Runtime.getRuntime().addShutdownHook(end.atExit);
        return end;
    }

    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // A signal came, and the process ends as it has to: the hook runs or has run.
        }
    }

    void mounted(Mounted mounted) {
        session.set(mounted);
        started.countDown();
    }

    /** The process ends by itself, with this status. */
    void failed(int failure) {
        status.set(failure);
        started.countDown();
    }

    /** Whether a signal came before there was a mount. */
    boolean isEndingEarly() {
        return ending.get() && session.get() == null;
    }

    private void onExit() {
        ending.set(true);
        try {
            started.await(START_WAIT_SECONDS, TimeUnit.SECONDS);
            Mounted mounted = session.get();
            if (mounted != null) {
                mounted.closeAtExit();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ToolException e) {
            // It is in the log.
            status.set(MountCommand.EXIT_FAILURE);
        }
        log.drain();
        Runtime.getRuntime().halt(status.get());
    }
}
