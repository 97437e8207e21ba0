package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.media.NameText;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.jnr.JnrTransport;
import io.hammer2.fuse.kernel.KernelTransport;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.tools.ServedMount.Connection;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Serves the mounts of one volume, from its devices to the mount points, and ends with the last of them. What is mounted is the business
 * of one thread, the keeper; the other methods ask it.
 */
final class VolumeServer implements Mounted {
    /**
     * Commits when it is quiet: fusermount3 tells the server of an unmounting only afterwards, and what was done a moment
     * before is on the media then.
     */
    private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long QUIET_COMMITS_DISTANCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** A last commit to a slow disk may take its time, and nobody is in a hurry that would rather lose it. */
    private static final long CLOSE_WAIT_SECONDS = 600;

    private static final long EXIT_WAIT_SECONDS = 60;

    /** umount(2) returns before the server of what it unmounted hears of it, and a script may mount it again at once. */
    private static final long LEAVING_WAIT_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final String special;
    private final MountWords words;
    private final Lwkt lwkt;
    private final Hammer2 volume;
    private final Consumer<String> log;
    private final Optional<RuntimeFolder> folder;
    private final Keeper keeper = new Keeper();
    private final CountDownLatch over = new CountDownLatch(1);
    private final AtomicReference<ToolException> failure = new AtomicReference<>();

    // The keeper's.
    private final List<ServedMount> mounts = new ArrayList<>();

    /** What was rolled back while it was in use: taken out of the tree, and answered with ESTALE until its last user has gone. */
    private final List<Connection> stale = new ArrayList<>();

    private int mountCount;
    private MountSocket socket;

    private VolumeServer(
            MountRequest first, Lwkt lwkt, Hammer2 volume, Optional<RuntimeFolder> folder, Consumer<String> log) {
        this.special = first.special();
        this.words = first.words();
        this.lwkt = lwkt;
        this.volume = volume;
        this.folder = folder;
        this.log = log;
    }

    /**
     * What came of mounting.
     *
     * @param made the mount, or null
     * @param leaving else: what is in the way, and has been unmounted; it ends in a moment, or is held by who uses it still
     * @param refusal what to say if it stays
     */
    private record Attempt(ServedMount made, ServedMount leaving, String refusal) {}

    /**
     * Opens a volume and mounts one PFS of it.
     *
     * @param places for the folder in which other commands find this server
     * @param log takes what an administrator should know, now and later, from any thread
     * @throws DeviceBusyException when somebody else has the devices, perhaps for a moment only
     * @throws ToolException with what else is wrong and what to do
     */
    static VolumeServer start(MountRequest request, List<Path> places, Consumer<String> log)
            throws DeviceBusyException {
        MountWords words = request.words();
        List<BlockDevice> devices = MountDevices.open(request.special(), words.writable());
        Lwkt lwkt = null;
        Hammer2 volume = null;
        try {
            lwkt = Lwkt.dedicated(words.cpus());
            volume = Hammer2.open(lwkt, devices, words.volume(log));
            volume.commitWhenQuiet(QUIET_NANOS, QUIET_COMMITS_DISTANCE_NANOS);
            VolumeServer server = new VolumeServer(request, lwkt, volume, RuntimeFolder.open(places), log);
            server.keeper.call(() -> server.mountFirst(request));
            return server;
        } catch (Hammer2Exception e) {
            undo(lwkt, volume, devices);
            throw new ToolException(e.getMessage(), e);
        } catch (IOException e) {
            undo(lwkt, volume, devices);
            throw new ToolException(IoText.of(e), e);
        } catch (NotHereException e) {
            undo(lwkt, volume, devices);
            throw new AssertionError(e);
        } catch (RuntimeException | Error e) {
            undo(lwkt, volume, devices);
            throw e;
        }
    }

    private ServedMount mountFirst(MountRequest request) throws IOException, Hammer2Exception {
        ServedMount first = serve(request);
        // Nobody may ask before there is a mount: with none, the server would be at its end.
        socket = folder.map(this::listen).orElse(null);
        return first;
    }

    /** Without a socket each PFS is served by a process of its own, which is possible as long as all only read. */
    private MountSocket listen(RuntimeFolder at) {
        try {
            return MountSocket.listen(at.newSocket(special), this, log);
        } catch (IOException e) {
            log.accept("a further PFS of " + special + " cannot be mounted meanwhile: " + IoText.of(e));
            return null;
        }
    }

    /**
     * Mounts another PFS of the volume.
     *
     * @throws NotHereException when the process that asks should serve it: this one is at its end, or both only read
     * @throws ToolException with what is wrong and what to do
     */
    ServedMount mount(MountRequest request) throws NotHereException {
        long deadline = System.nanoTime() + LEAVING_WAIT_NANOS;
        try {
            Attempt attempt = keeper.call(() -> mountAnother(request));
            while (attempt.made == null) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    throw new ToolException(attempt.refusal);
                }
                attempt.leaving.awaitEnd(left);
                attempt = keeper.call(() -> mountAnother(request));
            }
            return attempt.made;
        } catch (IOException | Hammer2Exception e) {
            throw new AssertionError(e);
        }
    }

    private Attempt mountAnother(MountRequest request) throws NotHereException {
        if (mounts.isEmpty()) {
            throw new NotHereException("at its end");
        }
        if (request.words().writable() && !words.writable()) {
            throw new ToolException(special + ": in use by process "
                    + ProcessHandle.current().pid() + ", which only reads it (" + mountsText()
                    + "); unmount that first, or mount this with -o ro, too");
        }
        try {
            return new Attempt(serve(request), null, null);
        } catch (Hammer2Exception e) {
            if (!words.writable()) {
                // The same PFS may be mounted twice by two who only read.
                throw new NotHereException(e.getMessage());
            }
            String why = e.getMessage() + "; mounted are " + mountsText();
            // umount(2) returns before the server hears of it.
            for (ServedMount served : mounts) {
                if (served.label().equals(request.label()) && served.isDetached()) {
                    return new Attempt(null, served, why);
                }
            }
            throw new ToolException(why, e);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
    }

    private ServedMount serve(MountRequest request) throws IOException, Hammer2Exception {
        FileSystem files = volume.mount(request.label());
        String label = NameText.of(files.pfs().labelBytes().toArray(ValueLayout.JAVA_BYTE));
        ServedMount served = new ServedMount(request, label, connect(request, label, files));
        mounts.add(served);
        watch(served);
        return served;
    }

    private Connection connect(MountRequest request, String label, FileSystem files)
            throws IOException, Hammer2Exception {
        MountWords wanted = request.words();
        FuseMount mount = null;
        try {
            String source = MountedVolume.resolve(special) + "@" + label;
            mount = transport(wanted).mount(lwkt, request.node(), wanted.operations(files), wanted.fuse(source, log));
            return new Connection(files, mount, mark(mount.mountPoint()));
        } finally {
            if (mount == null) {
                files.unmount();
            }
        }
    }

    private void watch(ServedMount served) {
        Connection connection = served.connection();
        Keeper.daemonThread("mount-end-" + mountCount, () -> awaitEndOf(served, connection))
                .start();
    }

    /**
     * Gives a PFS that is mounted here the content of another in one commit, and mounts it anew where it was. Whatever is open in it is
     * stale then.
     *
     * @param keep name of a snapshot of what it held, or null
     * @return the time in core, in ns
     * @throws NotHereException when it is not mounted here
     * @throws ToolException with what is wrong, and whether it was rolled back all the same
     */
    long rollback(String label, String source, String keep) throws NotHereException {
        try {
            return keeper.call(() -> rollbackHere(label, source, keep));
        } catch (IOException | Hammer2Exception e) {
            throw new AssertionError(e);
        }
    }

    private long rollbackHere(String label, String source, String keep) throws NotHereException {
        ServedMount served = mounts.stream()
                .filter(mounted -> mounted.label().equals(label))
                .findFirst()
                .orElseThrow(() -> new NotHereException(label + " is not mounted"));
        if (!served.request().words().writable()) {
            throw new ToolException(label + " is mounted read-only; unmount it first");
        }
        Label target = LabelText.parse(label);
        List<PfsChange> changes = new ArrayList<>();
        if (keep != null) {
            PfsChange.Ids ids = new PfsChange.Ids(UUID.randomUUID(), UUID.randomUUID());
            changes.add(new PfsChange.Snapshot(target, LabelText.parse(keep), false, ids));
        }
        changes.add(new PfsChange.Rollback(target, LabelText.parse(source), true));
        long coreNanos = change(changes);
        exchange(served);
        return coreNanos;
    }

    private long change(List<PfsChange> changes) {
        try {
            return lwkt.run(0, () -> volume.pfss().change(changes).coreNanos());
        } catch (FsException e) {
            throw new ToolException(e.what(), e);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The kernel keeps sizes and times of files by itself while it caches writes: only a new connection knows nothing old. */
    private void exchange(ServedMount served) {
        Connection old = served.connection();
        stale.add(old);
        try {
            old.mount().detach();
            MountRequest request = served.request();
            served.reconnected(connect(request, served.label(), volume.mount(served.label())));
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

    private void awaitEndOf(ServedMount served, Connection connection) {
        try {
            connection.mount().awaitUnmounted();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // Of what was rolled back, the end may have come with that of the last mount.
        keeper.execute(() -> end(served, connection));
    }

    private void end(ServedMount served, Connection connection) {
        if (!served.connection().equals(connection)) {
            if (stale.remove(connection)) {
                endStale(connection);
            }
            return;
        }
        mounts.remove(served);
        boolean isLast = mounts.isEmpty();
        ToolException lost = null;
        try {
            if (isLast) {
                endAllStale();
                closeVolume();
            } else {
                connection.files().unmount();
            }
        } catch (Hammer2Exception e) {
            lost = new ToolException("what was changed last is lost: " + e.getMessage(), e);
            failure.set(lost);
            log.accept(lost.getMessage());
        } finally {
            if (isLast) {
                lwkt.close();
            }
            connection.unmark();
            served.ended().complete(lost);
            if (isLast) {
                over.countDown();
                keeper.end();
            }
        }
    }

    private void endStale(Connection connection) {
        try {
            connection.files().unmount();
        } catch (Hammer2Exception e) {
            // Nothing of it could have been changed.
        } finally {
            connection.unmark();
        }
    }

    /** Who still uses what was rolled back has nothing there, and keeps nothing from ending. */
    private void endAllStale() {
        stale.forEach(each -> each.mount().close());
        stale.forEach(Connection::unmark);
        stale.clear();
    }

    /**
     * The last commit may take its time. Who asks meanwhile waits for the keeper, and so for its end, instead of finding devices in use. Only
     * then the socket goes, and after it the devices: whoever opens them next finds the place free.
     */
    private void closeVolume() throws Hammer2Exception {
        try {
            volume.sync();
        } finally {
            if (socket != null) {
                socket.close();
            }
            volume.close();
        }
    }

    /** How those who ask are told which options take effect for the whole volume only. */
    List<String> passedOver(MountRequest request) {
        return request.words().volumeWordsThatDifferFrom(words);
    }

    @Override
    public boolean needsThisProcess() {
        return true;
    }

    @Override
    public void awaitEnd() throws InterruptedException {
        over.await();
        throwFailure();
    }

    @Override
    public void close() {
        try {
            if (over.getCount() > 0) {
                copyOfMounts().forEach(served -> served.mount().close());
                over.await(CLOSE_WAIT_SECONDS, TimeUnit.SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        throwFailure();
    }

    @Override
    public void closeAtExit() throws InterruptedException {
        // The transports unmount at the JVM's end by themselves, just now; two who do it get in each other's way.
        over.await(EXIT_WAIT_SECONDS, TimeUnit.SECONDS);
        close();
    }

    private void throwFailure() {
        if (failure.get() != null) {
            throw failure.get();
        }
    }

    /** What is mounted now. */
    List<ServedMount> copyOfMounts() {
        try {
            return keeper.call(() -> List.copyOf(mounts));
        } catch (NotHereException e) {
            return List.of();
        } catch (IOException | Hammer2Exception e) {
            throw new AssertionError(e);
        }
    }

    /** On the keeper. */
    private String mountsText() {
        return String.join(", ", mounts.stream().map(ServedMount::text).toList());
    }

    private static void undo(Lwkt lwkt, Hammer2 volume, List<BlockDevice> devices) {
        try {
            if (volume != null) {
                // The devices are the volume's now; nothing was changed in it.
                volume.close();
            } else {
                devices.forEach(InspectedVolume::closeQuietly);
            }
        } catch (Hammer2Exception e) {
            // What led here says more.
        }
        if (lwkt != null) {
            lwkt.close();
        }
    }

    private static FuseTransport transport(MountWords words) {
        return words.transport().equals("jnr") ? new JnrTransport() : new KernelTransport();
    }
}
