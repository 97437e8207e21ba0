package io.hammer2.tools;

import io.hammer2.fs.FileSystem;
import io.hammer2.fuse.FuseMount;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

/** A PFS that is mounted; by another connection after a rollback. */
final class ServedMount {
    private final MountRequest request;
    private final String label;
    private final AtomicReference<Connection> connection;
    private final CompletableFuture<ToolException> ended = new CompletableFuture<>();

    /**
     * How it is mounted.
     *
     * @param mark file that is there until its last change is on the media, or null
     */
    record Connection(FileSystem files, FuseMount mount, Path mark) {
        void unmark() {
            try {
                if (mark != null) {
                    Files.deleteIfExists(mark);
                }
            } catch (IOException e) {
                // umount_hammer2 sees that this process has gone.
            }
        }
    }

    ServedMount(MountRequest request, String label, Connection connection) {
        this.request = request;
        this.label = label;
        this.connection = new AtomicReference<>(connection);
    }

    MountRequest request() {
        return request;
    }

    String label() {
        return label;
    }

    Connection connection() {
        return connection.get();
    }

    void reconnected(Connection by) {
        connection.set(by);
    }

    FuseMount mount() {
        return connection().mount;
    }

    Path mark() {
        return connection().mark;
    }

    /** Completed after its last commit, with what went wrong or null. */
    CompletableFuture<ToolException> ended() {
        return ended;
    }

    void awaitEnd(long nanos) {
        try {
            ended.get(nanos, TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // Who waits looks again.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException("interrupted", e);
        }
    }

    /** Whether it has been unmounted: it ends in a moment, or, lazily unmounted, when its last user has gone. */
    boolean isDetached() {
        return MountedVolume.deviceNumberAt(mount().mountPoint()).isEmpty();
    }

    /** Label and place, for a message. */
    String text() {
        return label + " on " + mount().mountPoint() + (isDetached() ? " (unmounted lazily, and in use still)" : "");
    }
}
