package io.hammer2.blockdev;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;

/**
 * The requests of one device that were accepted and have not ended: runs each on an I/O thread, or on the caller's, and lets
 * {@code close} wait for the last.
 */
final class DeviceRequests {
    private static final int CLOSED = Integer.MIN_VALUE;

    private final BlockDevice device;

    /** Number of requests that run; the sign bit says that no more are accepted. */
    private final AtomicInteger running = new AtomicInteger();

    private final CountDownLatch drained = new CountDownLatch(1);

    DeviceRequests(BlockDevice device) {
        this.device = device;
    }

    @FunctionalInterface
    interface Work {
        void run() throws IOException;
    }

    /** Runs the work on an I/O thread and completes. */
    void submit(String what, Work work, IoCompletion done) {
        if (!enter()) {
            done.done(Requests.closed(device, what));
            return;
        }
        try {
            IoThreads.execute(() -> {
                IOException error = outcome(what, work);
                // Before the completion, so that the completion may close the device.
                exit();
                done.done(error);
            });
        } catch (OutOfMemoryError e) {
            exit();
            done.done(new IOException(device.name() + ": " + what + " refused: no thread to do it", e));
        }
    }

    /** Tries something short on the calling thread. Returns false also when the device is closed. */
    boolean now(BooleanSupplier attempt) {
        if (!enter()) {
            return false;
        }
        try {
            return attempt.getAsBoolean();
        } finally {
            exit();
        }
    }

    /** Runs the work on the calling thread. */
    void call(String what, Work work) throws IOException {
        if (!enter()) {
            throw Requests.closed(device, what);
        }
        try {
            work.run();
        } finally {
            exit();
        }
    }

    /** Refuses new requests and waits for the last. Returns whether this was the first call, which then releases what is held. */
    boolean close() {
        int before = running.getAndUpdate(n -> n | CLOSED);
        if (before == 0) {
            drained.countDown();
        }
        boolean interrupted = false;
        while (true) {
            try {
                drained.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return before >= 0;
    }

    /** What the work ends in; its request has begun. */
    IOException outcome(String what, Work work) {
        try {
            work.run();
            return null;
        } catch (IOException e) {
            return e;
        } catch (RuntimeException | Error e) {
            // Such as the arena of the segment closed meanwhile; the requester must hear of it all the same.
            return new IOException(device.name() + ": " + what + " failed: " + e, e);
        }
    }

    /** Begins a request whose work is done elsewhere and that {@link #end}s then. Returns false, completed, when the device is closed. */
    boolean begin(String what, IoCompletion done) {
        boolean open = enter();
        if (!open) {
            done.done(Requests.closed(device, what));
        }
        return open;
    }

    void end() {
        exit();
    }

    private boolean enter() {
        int n;
        do {
            n = running.get();
            if (n < 0) {
                return false;
            }
        } while (!running.compareAndSet(n, n + 1));
        return true;
    }

    private void exit() {
        if (running.decrementAndGet() == CLOSED) {
            drained.countDown();
        }
    }
}
