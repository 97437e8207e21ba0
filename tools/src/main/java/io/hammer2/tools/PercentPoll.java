package io.hammer2.tools;

import java.util.function.IntSupplier;

/** Asks now and then how far something is, on a thread of its own, and shows it, until it is closed. */
final class PercentPoll implements AutoCloseable {
    private static final long INTERVAL_MILLIS = 250;

    private final Thread thread;
    private final PercentProgress progress;

    private PercentPoll(PercentProgress progress, IntSupplier percent) {
        this.progress = progress;
        this.thread = Thread.ofPlatform().daemon().name("progress").unstarted(() -> poll(progress, percent));
    }

    /** @param percent may fail, for instance when what it asks has ended; then nothing more is shown */
    static PercentPoll start(PercentProgress progress, IntSupplier percent) {
        PercentPoll poll = new PercentPoll(progress, percent);
        poll.thread.start();
        return poll;
    }

    private static void poll(PercentProgress progress, IntSupplier percent) {
        try {
            while (true) {
                Thread.sleep(INTERVAL_MILLIS);
                progress.show(percent.getAsInt());
            }
        } catch (InterruptedException | RuntimeException e) {
            // The end; who started what is shown here hears of its errors.
        }
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        progress.clear();
    }
}
