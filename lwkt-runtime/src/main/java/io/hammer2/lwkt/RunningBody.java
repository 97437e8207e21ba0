package io.hammer2.lwkt;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/** What {@link Lwkt#run} has a cpu do, with its outcome for the thread outside that waits for it. */
final class RunningBody<T> implements Runnable {
    private final Callable<T> body;
    private final CountDownLatch ended = new CountDownLatch(1);
    private T result;
    private Throwable thrown;

    RunningBody(Callable<T> body) {
        this.body = body;
    }

    @Override
    public void run() {
        try {
            result = body.call();
        } catch (ShutdownError closing) {
            thrown = new IllegalStateException("the runtime was closed while " + LwktThread.current() + " ran");
            throw closing;
        } catch (Throwable t) {
            thrown = t;
        } finally {
            ended.countDown();
        }
    }

    boolean hasEnded() {
        return ended.getCount() == 0;
    }

    /** The body will never be run; does nothing if it was. */
    void abandon(RuntimeException why) {
        if (!hasEnded()) {
            thrown = why;
            ended.countDown();
        }
    }

    T await() throws Exception {
        Uninterruptibly.await(ended);
        return switch (thrown) {
            case null -> result;
            case Exception e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(thrown);
        };
    }
}
