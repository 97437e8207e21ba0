package io.hammer2.tools;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/**
 * Where the lines of a mount go: to standard error while it starts and in the foreground; once it runs in the background to the
 * system's log by logger(1), or to a file where there is no system log or {@code -o log=} names one.
 *
 * <p>Lines come from the cpus, which must not wait for a slow disk or a full pipe: a thread of its own writes them, and a line
 * that finds a thousand others waiting is dropped.
 */
final class MountLog implements Consumer<String> {
    private static final int QUEUE_LINES = 1000;
    private static final long DRAIN_SECONDS = 2;
    private static final String TAG = "mount_hammer2";
    private static final Path SYSTEM_LOG = Path.of("/dev/log");

    private final ThreadPoolExecutor writer = new ThreadPoolExecutor(
            1,
            1,
            0,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(QUEUE_LINES),
            body -> {
                Thread thread = new Thread(body, "mount-log");
                thread.setDaemon(true);
                return thread;
            },
            new ThreadPoolExecutor.DiscardPolicy());

    /** Belongs to the writer's thread. */
    private Sink sink;

    /** Takes a line, on the writer's thread. */
    @FunctionalInterface
    private interface Sink {
        void line(String line) throws IOException;
    }

    private MountLog(Sink sink) {
        this.sink = sink;
    }

    static MountLog to(PrintWriter err) {
        return new MountLog(line -> err.println(TAG + ": " + line));
    }

    @Override
    public void accept(String line) {
        writer.execute(() -> write(line));
    }

    /** Waits until all lines so far are written, but not for ever. */
    void drain() {
        await(() -> {});
    }

    /**
     * Leaves standard error.
     *
     * @param fileOrNull of {@code -o log=}, absolute
     * @return the file that the log is in now; null when it is in the system's log
     */
    Path moveToBackground(Path fileOrNull) throws IOException {
        if (fileOrNull == null && Files.exists(SYSTEM_LOG)) {
            try {
                Sink system = systemLog();
                await(() -> sink = system);
                return null;
            } catch (IOException e) {
                // No logger(1): the file, then.
            }
        }
        Path file = fileOrNull == null ? defaultFile() : fileOrNull;
        makeWritable(file);
        await(() -> sink = line -> append(file, line));
        return file;
    }

    /** Tries it now, so that a mistake is told to who mounts. */
    private static void makeWritable(Path file) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)
                .close();
    }

    private static Sink systemLog() throws IOException {
        Process logger = new ProcessBuilder("logger", "-t", TAG, "-p", "daemon.warning")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        var input = logger.outputWriter(StandardCharsets.UTF_8);
        return line -> {
            input.write(line.replace('\n', ' '));
            input.newLine();
            input.flush();
        };
    }

    /** Opened for each line: whoever rotates logs need not tell us. */
    private static void append(Path file, String line) throws IOException {
        String text = Instant.now().truncatedTo(ChronoUnit.MILLIS) + " " + TAG + "["
                + ProcessHandle.current().pid() + "]: " + line + "\n";
        Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    /** The first of the usual places that lets us write; a user without a home has the folder for temporary files. */
    private static Path defaultFile() throws IOException {
        String state = System.getenv("XDG_STATE_HOME");
        String home = System.getenv("HOME");
        List<Path> folders = new ArrayList<>(List.of(Path.of("/var/log")));
        if (state != null && !state.isEmpty()) {
            folders.add(Path.of(state));
        }
        if (home != null && !home.isEmpty()) {
            folders.add(Path.of(home, ".local", "state"));
        }
        for (Path folder : folders) {
            try {
                Path file = folder.resolve(TAG + ".log");
                makeWritable(file);
                return file;
            } catch (IOException e) {
                // The next one, then.
            }
        }
        return Files.createTempFile(TAG + "-", ".log");
    }

    private void write(String line) {
        try {
            sink.line(line);
        } catch (IOException e) {
            // Nobody is left to tell.
        }
    }

    private void await(Runnable body) {
        try {
            writer.submit(body).get(DRAIN_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException | TimeoutException e) {
            // A log that is stuck keeps nobody.
        }
    }
}
