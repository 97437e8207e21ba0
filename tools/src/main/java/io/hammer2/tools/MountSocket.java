package io.hammer2.tools;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Where other mount_hammer2 commands of the same user ask a {@link VolumeServer} for a further PFS. One question and its answer for each
 * connection, see {@link MountMessages}; who stays in the foreground keeps the connection, and its end unmounts.
 */
final class MountSocket implements AutoCloseable {
    private static final int CONNECTIONS_MAX = 256;

    /** A command says everything at once. */
    private static final long QUESTION_SECONDS = 10;

    private final Path path;
    private final ServerSocketChannel listening;
    private final VolumeServer server;
    private final Consumer<String> log;
    private final ExecutorService connections = new ThreadPoolExecutor(
            0, CONNECTIONS_MAX, 1, TimeUnit.SECONDS, new SynchronousQueue<>(), body -> daemon(body, "mount-request"));
    private final ScheduledExecutorService deadlines =
            new ScheduledThreadPoolExecutor(1, body -> daemon(body, "mount-deadline"));

    private MountSocket(Path path, ServerSocketChannel listening, VolumeServer server, Consumer<String> log) {
        this.path = path;
        this.listening = listening;
        this.server = server;
        this.log = log;
    }

    /**
     * @param path in a folder that only this user can enter
     * @throws IOException when something is there, or it cannot be made
     */
    static MountSocket listen(Path path, VolumeServer server, Consumer<String> log) throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(path);
        ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            listening.bind(address);
        } catch (IOException | RuntimeException e) {
            listening.close();
            throw e;
        }
        MountSocket socket = new MountSocket(path, listening, server, log);
        daemon(socket::accept, "mount-socket").start();
        return socket;
    }

    private static Thread daemon(Runnable body, String name) {
        Thread thread = new Thread(body, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Nobody can ask any more; who has a mount in the foreground still hears of its end. */
    @Override
    public void close() {
        try {
            listening.close();
            Files.deleteIfExists(path);
        } catch (IOException e) {
            // Who starts after the end of this process removes it.
        }
        connections.shutdown();
        deadlines.shutdown();
    }

    private void accept() {
        while (listening.isOpen()) {
            SocketChannel connection;
            try {
                connection = listening.accept();
            } catch (IOException e) {
                return;
            }
            try {
                connections.execute(() -> answer(connection));
            } catch (RejectedExecutionException e) {
                close(connection);
            }
        }
    }

    private static void close(SocketChannel connection) {
        try {
            connection.close();
        } catch (IOException e) {
            // It is of no use in any case.
        }
    }

    private void answer(SocketChannel connection) {
        try (connection) {
            MountMessages.Question question = question(connection);
            if (!question.namespace().equals(MountMessages.namespace())) {
                MountMessages.say(connection, MountMessages.NOT_HERE, "in another mount namespace");
                return;
            }
            switch (question) {
                case MountMessages.Mount mount -> mount(connection, mount);
                case MountMessages.Rollback rollback -> rollback(connection, rollback);
            }
        } catch (IOException e) {
            // Whoever asked has gone, or was not one of ours.
        } catch (RuntimeException e) {
            log.accept("a request to mount failed: " + e);
        }
    }

    private void mount(SocketChannel connection, MountMessages.Mount question) throws IOException {
        ServedMount served;
        try {
            served = server.mount(question.request());
        } catch (NotHereException e) {
            MountMessages.say(connection, MountMessages.NOT_HERE, e.getMessage());
            return;
        } catch (ToolException e) {
            MountMessages.say(connection, MountMessages.REFUSED, e.getMessage());
            return;
        }
        attend(connection, question, served);
    }

    private void rollback(SocketChannel connection, MountMessages.Rollback asked) throws IOException {
        String word = MountMessages.READY;
        String text;
        try {
            text = Long.toString(server.rollback(asked.label(), asked.source(), asked.keep()));
        } catch (NotHereException e) {
            word = MountMessages.NOT_HERE;
            text = e.getMessage();
        } catch (ToolException e) {
            word = MountMessages.REFUSED;
            text = e.getMessage();
        }
        MountMessages.say(connection, word, text);
    }

    private MountMessages.Question question(SocketChannel connection) throws IOException {
        ScheduledFuture<?> deadline = deadlines.schedule(() -> close(connection), QUESTION_SECONDS, TimeUnit.SECONDS);
        try {
            return MountMessages.readQuestion(connection);
        } finally {
            deadline.cancel(false);
        }
    }

    /** Says that it is mounted, and in the foreground waits for the end of the mount or of the command, whichever comes first. */
    private void attend(SocketChannel connection, MountMessages.Mount question, ServedMount served) {
        boolean isWanted = false;
        // Waited for, and not the end itself: who waits for that may go on before it is told, and hang up.
        CompletableFuture<Void> told = served.ended().thenAccept(lost -> {});
        try {
            List<String> passedOver = server.passedOver(question.request());
            if (!passedOver.isEmpty()) {
                MountMessages.say(
                        connection,
                        MountMessages.NOTE,
                        "the volume is mounted already; of its options these stay as they are: "
                                + String.join(", ", passedOver));
            }
            MountMessages.say(connection, MountMessages.READY, "");
            if (question.isForeground()) {
                told = served.ended().thenAccept(lost -> sayEnd(connection, lost));
                MountMessages.awaitHangUp(connection);
            }
            isWanted = !question.isForeground();
        } catch (IOException e) {
            // Who interrupts the command does not want the mount.
        }
        if (!isWanted) {
            served.mount().close();
            told.join();
        }
    }

    private static void sayEnd(SocketChannel connection, ToolException lost) {
        try {
            MountMessages.say(connection, MountMessages.ENDED, lost == null ? "" : lost.getMessage());
        } catch (IOException e) {
            // It has gone.
        }
    }
}
