package io.hammer2.tools;

import java.util.function.IntSupplier;

/** Asks now and then how far something is, on a thread of its own, and shows it, until it is closed. */
final class PercentPoll implements AutoCloseable {
    private static final long INTERVAL_MILLIS = 250;

    private final Thread thread;
    private final Progress progress;

    private PercentPoll(Progress progress, String name, IntSupplier percent) {
        this.progress = progress;
        this.thread = Thread.ofPlatform().daemon().name("progress").unstarted(() -> poll(progress, name, percent));
    }

    /**
     * @param name of the work
     * @param percent may fail, for instance when what it asks has ended; then nothing more is shown
     */
    static PercentPoll start(Progress progress, String name, IntSupplier percent) {
        PercentPoll poll = new PercentPoll(progress, name, percent);
        poll.thread.start();
        return poll;
    }

    private static void poll(Progress progress, String name, IntSupplier percent) {
        try {
            while (true) {
                Thread.sleep(INTERVAL_MILLIS);
                progress.show(name, percent.getAsInt(), 100);
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
