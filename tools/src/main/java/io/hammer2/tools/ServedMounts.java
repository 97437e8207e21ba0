package io.hammer2.tools;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.media.NameText;
import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.jnr.JnrTransport;
import io.hammer2.fuse.kernel.KernelTransport;
import io.hammer2.tools.ServedMount.Connection;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;

/** What of a volume is mounted now, and what has been and is in use still. It belongs to the keeper: only its thread calls here. */
final class ServedMounts {
    private final ServedVolume volume;
    private final Function<MountWords, FuseTransport> transports;
    private final Optional<RuntimeFolder> folder;
    private final Consumer<String> log;
    private final BiConsumer<ServedMount, Connection> whenUnmounted;
    private final List<ServedMount> mounts = new ArrayList<>();

    /** What was rolled back while it was in use: taken out of the tree, and answered with ESTALE until its last user has gone. */
    private final List<Connection> stale = new ArrayList<>();

    private int mountCount;

    /**
     * @param transports for the options of a mount
     * @param folder for the marks that umount_hammer2 waits for
     * @param whenUnmounted told of each connection that has come to its end, by a thread of its own
     */
    ServedMounts(
            ServedVolume volume,
            Function<MountWords, FuseTransport> transports,
            Optional<RuntimeFolder> folder,
            Consumer<String> log,
            BiConsumer<ServedMount, Connection> whenUnmounted) {
        this.volume = volume;
        this.transports = transports;
        this.folder = folder;
        this.log = log;
        this.whenUnmounted = whenUnmounted;
    }

    boolean isEmpty() {
        return mounts.isEmpty();
    }

    List<ServedMount> copy() {
        return List.copyOf(mounts);
    }

    Optional<ServedMount> find(String label) {
        return mounts.stream().filter(served -> served.label().equals(label)).findFirst();
    }

    /** What has been unmounted and has not ended yet; umount(2) returns before the server hears of it. */
    Optional<ServedMount> findLeaving(String label) {
        return mounts.stream()
                .filter(served -> served.label().equals(label) && served.isDetached())
                .findFirst();
    }

    /** For a message. */
    String text() {
        return String.join(", ", mounts.stream().map(ServedMount::text).toList());
    }

    ServedMount add(MountRequest request) throws IOException, Hammer2Exception {
        FileSystem files = volume.volume().mount(request.label());
        String label = NameText.of(files.pfs().labelBytes().toArray(ValueLayout.JAVA_BYTE));
        ServedMount served = new ServedMount(request, label, connect(request, label, files));
        mounts.add(served);
        watch(served);
        return served;
    }

    /**
     * Mounts anew, at the same place, what has been rolled back. The kernel keeps sizes and times of files by itself while it caches writes: only
     * a new connection knows nothing old.
     *
     * @throws ToolException when it could not be mounted again
     */
    void exchange(ServedMount served) {
        Connection old = served.connection();
        stale.add(old);
        try {
            old.mount().detach();
            MountRequest request = served.request();
            served.reconnected(connect(request, served.label(), volume.volume().mount(served.label())));
            watch(served);
        } catch (IOException | Hammer2Exception | RuntimeException e) {
            String why = e instanceof IOException io ? IoText.of(io) : e.getMessage();
            log.accept(served.label() + " was rolled back, and could not be mounted again: " + why);
            stale.remove(old);
            old.mount().close();
            throw new ToolException(
                    served.label() + " was rolled back, but could not be mounted again: " + why + "; mount it", e);
        }
    }

    /**
     * After the end of a connection.
     *
     * @return whether the mount has ended with it, which is not so where it was exchanged for another
     */
    boolean remove(ServedMount served, Connection connection) {
        if (served.connection().equals(connection)) {
            mounts.remove(served);
            return true;
        }
        if (stale.remove(connection)) {
            endStale(connection);
        }
        return false;
    }

    private static void endStale(Connection connection) {
        try {
            connection.files().unmount();
        } catch (Hammer2Exception e) {
            // Nothing of it could have been changed.
        } finally {
            connection.unmark();
        }
    }

    /** Who still uses what was rolled back has nothing there, and keeps nothing from ending. */
    void endAllStale() {
        stale.forEach(each -> each.mount().close());
        stale.forEach(Connection::unmark);
        stale.clear();
    }

    private Connection connect(MountRequest request, String label, FileSystem files)
            throws IOException, Hammer2Exception {
        MountWords wanted = request.words();
        FuseMount mount = null;
        try {
            String source = MountedVolume.resolve(volume.special()) + "@" + label;
            mount = transports
                    .apply(wanted)
                    .mount(volume.lwkt(), request.node(), wanted.operations(files), wanted.fuse(source, log));
            return new Connection(files, mount, mark(mount.mountPoint()));
        } finally {
            if (mount == null) {
                files.unmount();
            }
        }
    }

    /** What the options name. */
    static FuseTransport transport(MountWords words) {
        return words.transport().equals("jnr") ? new JnrTransport() : new KernelTransport();
    }

    /** Null where nobody could look for it. */
    private Path mark(Path mountPoint) {
        mountCount++;
        Optional<String> device = MountedVolume.deviceNumberAt(mountPoint);
        if (folder.isEmpty() || device.isEmpty()) {
            return null;
        }
        try {
            return folder.get().mark(device.get(), mountCount);
        } catch (IOException e) {
            log.accept("umount_hammer2 cannot wait for this mount: " + IoText.of(e));
            return null;
        }
    }

    private void watch(ServedMount served) {
        Connection connection = served.connection();
        Keeper.daemonThread("mount-end-" + mountCount, () -> awaitEnd(served, connection))
                .start();
    }

    private void awaitEnd(ServedMount served, Connection connection) {
        try {
            connection.mount().awaitUnmounted();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        whenUnmounted.accept(served, connection);
    }
}
