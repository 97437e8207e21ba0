package io.hammer2.tools;

import io.hammer2.fs.Hammer2Exception;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;

/** The one thread to which belongs what a server has mounted: others have it do what they want to know or to change. */
final class Keeper {
    private final ExecutorService thread =
            Executors.newSingleThreadExecutor(body -> daemonThread("mount-keeper", body));

    static Thread daemonThread(String name, Runnable body) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        return thread;
    }

    /**
     * Waits for its turn and the outcome, and throws here what is thrown there.
     *
     * @throws NotHereException after the {@link #end}
     */
    <T> T call(Callable<T> body) throws NotHereException, IOException, Hammer2Exception {
        try {
            return thread.submit(body).get();
        } catch (RejectedExecutionException e) {
            throw new NotHereException("at its end");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException("interrupted", e);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case NotHereException elsewhere -> throw elsewhere;
                case IOException cause -> throw cause;
                case Hammer2Exception cause -> throw cause;
                case ToolException cause -> throw cause;
                case null, default -> throw new IllegalStateException(e.getCause());
            }
        }
    }

    /** Waits for nothing; after the {@link #end} it is not done any more. */
    void execute(Runnable body) {
        try {
            thread.execute(body);
        } catch (RejectedExecutionException e) {
            // What it was about has ended with all else.
        }
    }

    /** Of its own thread: nothing comes after what is being done. */
    void end() {
        thread.shutdown();
    }
}
