package io.hammer2.tools;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** A mount that is served by the process which had the volume mounted already. */
final class JoinedMount implements Mounted {
    private static final long CLOSE_WAIT_SECONDS = 600;

    /** Until the user is told that a server takes long, and until it counts as hanging. It may be at its last commit, to a slow disk. */
    private static final long NOTE_SECONDS = 5;

    private static final long ANSWER_SECONDS = 630;

    private final SocketChannel connection;
    private final boolean isForeground;
    private final CountDownLatch over = new CountDownLatch(1);
    private final AtomicReference<ToolException> failure = new AtomicReference<>();

    private JoinedMount(SocketChannel connection, boolean isForeground) {
        this.connection = connection;
        this.isForeground = isForeground;
    }

    /**
     * Asks whoever serves the volume to mount it.
     *
     * @param places where it may be found
     * @param isForeground the mount is to end with this process, and can be waited for
     * @param log takes what the user should know
     * @return empty when nobody serves it, or nobody who could mount this
     * @throws ToolException when it is refused
     */
    static Optional<JoinedMount> ask(
            MountRequest request, List<Path> places, boolean isForeground, Consumer<String> log) {
        for (Path socket : RuntimeFolder.sockets(places, request.special())) {
            try {
                Optional<JoinedMount> joined = ask(socket, request, isForeground, log);
                if (joined.isPresent()) {
                    return joined;
                }
            } catch (IOException e) {
                // Nobody listens there any more.
            }
        }
        return Optional.empty();
    }

    private static Optional<JoinedMount> ask(
            Path socket, MountRequest request, boolean isForeground, Consumer<String> log) throws IOException {
        SocketChannel connection = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        JoinedMount joined = null;
        Future<?> note = after(
                NOTE_SECONDS,
                () -> log.accept("waiting for the process that has " + request.special()
                        + " mounted; it is committing, or it hangs, and then it can be killed"));
        Future<?> deadline = after(ANSWER_SECONDS, () -> closeQuietly(connection));
        try {
            MountMessages.ask(connection, new MountMessages.Mount(MountMessages.namespace(), isForeground, request));
            for (String line = MountMessages.readLine(connection);
                    line != null;
                    line = MountMessages.readLine(connection)) {
                int blank = line.indexOf(' ');
                String word = line.substring(0, Math.max(0, blank));
                String text = line.substring(blank + 1);
                switch (word) {
                    case MountMessages.NOTE -> log.accept(text);
                    case MountMessages.REFUSED -> throw new ToolException(text);
                    case MountMessages.READY -> {
                        joined = new JoinedMount(connection, isForeground);
                        if (isForeground) {
                            joined.startListening();
                        }
                        return Optional.of(joined);
                    }
                    default -> {
                        return Optional.empty();
                    }
                }
            }
            return Optional.empty();
        } finally {
            note.cancel(false);
            deadline.cancel(false);
            if (joined == null || !isForeground) {
                connection.close();
            }
        }
    }

    private static Future<?> after(long seconds, Runnable body) {
        return CompletableFuture.runAsync(body, CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS));
    }

    private static void closeQuietly(SocketChannel connection) {
        try {
            connection.close();
        } catch (IOException e) {
            // Who reads from it finds out.
        }
    }

    private void startListening() {
        Thread thread = new Thread(this::listen, "mount-end");
        thread.setDaemon(true);
        thread.start();
    }

    private void listen() {
        try {
            String line = MountMessages.readLine(connection);
            if (line == null) {
                failure.set(new ToolException("the process that served this mount has ended without a word"));
            } else if (line.length() > MountMessages.ENDED.length() + 1) {
                failure.set(new ToolException(line.substring(MountMessages.ENDED.length() + 1)));
            }
            connection.close();
        } catch (IOException e) {
            failure.set(new ToolException("the process that served this mount: " + e.getMessage(), e));
        }
        over.countDown();
    }

    @Override
    public boolean needsThisProcess() {
        return isForeground;
    }

    /** Only of what stays in the foreground. */
    @Override
    public void awaitEnd() throws InterruptedException {
        over.await();
        throwFailure();
    }

    @Override
    public void close() {
        try {
            if (connection.isOpen()) {
                // The server unmounts, and says when it is done.
                connection.shutdownOutput();
                over.await(CLOSE_WAIT_SECONDS, TimeUnit.SECONDS);
            }
        } catch (IOException e) {
            // It has gone.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throwFailure();
    }

    @Override
    public void closeAtExit() {
        close();
    }

    private void throwFailure() {
        if (failure.get() != null) {
            throw failure.get();
        }
    }
}
