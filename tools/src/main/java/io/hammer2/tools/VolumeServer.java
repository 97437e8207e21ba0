package io.hammer2.tools;

import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.tools.ServedMount.Connection;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Serves the mounts of one volume, from its devices to the mount points, and ends with the last of them. What is mounted is the business
 * of one thread, the keeper; the other methods ask it.
 */
final class VolumeServer implements Mounted {
    /** A last commit to a slow disk may take its time, and nobody is in a hurry that would rather lose it. */
    private static final long CLOSE_WAIT_SECONDS = 600;

    private static final long EXIT_WAIT_SECONDS = 60;

    /** umount(2) returns before the server of what it unmounted hears of it, and a script may mount it again at once. */
    private static final long LEAVING_WAIT_NANOS = TimeUnit.SECONDS.toNanos(3);

    private final ServedVolume volume;
    private final MountWords words;
    private final Consumer<String> log;
    private final Keeper keeper = new Keeper();
    private final CountDownLatch over = new CountDownLatch(1);
    private final AtomicReference<ToolException> failure = new AtomicReference<>();

    // The keeper's.
    private final ServedMounts mounts;
    private MountSocket socket;

    private VolumeServer(
            ServedVolume volume,
            MountWords words,
            Function<MountWords, FuseTransport> transports,
            Optional<RuntimeFolder> folder,
            Consumer<String> log) {
        this.volume = volume;
        this.words = words;
        this.log = log;
        // Of what was rolled back, the end may have come with that of the last mount.
        this.mounts = new ServedMounts(
                volume, transports, folder, log, (served, connection) -> keeper.execute(() -> end(served, connection)));
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
        return start(request, ServedMounts::transport, places, log);
    }

    /** As the other, with transports of its own for what the options name. */
    static VolumeServer start(
            MountRequest request,
            Function<MountWords, FuseTransport> transports,
            List<Path> places,
            Consumer<String> log)
            throws DeviceBusyException {
        ServedVolume volume = ServedVolume.open(request, log);
        boolean isServed = false;
        try {
            Optional<RuntimeFolder> folder = RuntimeFolder.open(places);
            VolumeServer server = new VolumeServer(volume, request.words(), transports, folder, log);
            server.keeper.call(() -> server.mountFirst(request, folder));
            isServed = true;
            return server;
        } catch (Hammer2Exception e) {
            throw new ToolException(e.getMessage(), e);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        } catch (NotHereException e) {
            throw new AssertionError(e);
        } finally {
            if (!isServed) {
                volume.abandon();
            }
        }
    }

    private ServedMount mountFirst(MountRequest request, Optional<RuntimeFolder> folder)
            throws IOException, Hammer2Exception {
        ServedMount first = mounts.add(request);
        // Nobody may ask before there is a mount: with none, the server would be at its end.
        socket = folder.map(this::listen).orElse(null);
        return first;
    }

    /** Without a socket each PFS is served by a process of its own, which is possible as long as all only read. */
    private MountSocket listen(RuntimeFolder at) {
        try {
            return MountSocket.listen(at.newSocket(volume.special()), this, log);
        } catch (IOException e) {
            log.accept("a further PFS of " + volume.special() + " cannot be mounted meanwhile: " + IoText.of(e));
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
            throw new ToolException(volume.special() + ": in use by process "
                    + ProcessHandle.current().pid() + ", which only reads it (" + mounts.text()
                    + "); unmount that first, or mount this with -o ro, too");
        }
        try {
            return new Attempt(mounts.add(request), null, null);
        } catch (Hammer2Exception e) {
            if (!words.writable()) {
                // The same PFS may be mounted twice by two who only read.
                throw new NotHereException(e.getMessage());
            }
            String why = e.getMessage() + "; mounted are " + mounts.text();
            return new Attempt(
                    null, mounts.findLeaving(request.label()).orElseThrow(() -> new ToolException(why, e)), why);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
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
        ServedMount served = mounts.find(label).orElseThrow(() -> new NotHereException(label + " is not mounted"));
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
        long coreNanos = volume.change(changes);
        mounts.exchange(served);
        return coreNanos;
    }

    private void end(ServedMount served, Connection connection) {
        if (!mounts.remove(served, connection)) {
            return;
        }
        boolean isLast = mounts.isEmpty();
        ToolException lost = null;
        try {
            if (isLast) {
                mounts.endAllStale();
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
                volume.lwkt().close();
            }
            connection.unmark();
            served.ended().complete(lost);
            if (isLast) {
                over.countDown();
                keeper.end();
            }
        }
    }

    /**
     * The last commit may take its time. Who asks meanwhile waits for the keeper, and so for its end, instead of finding devices in use. Only
     * then the socket goes, and after it the devices: whoever opens them next finds the place free.
     */
    private void closeVolume() throws Hammer2Exception {
        try {
            volume.volume().sync();
        } finally {
            if (socket != null) {
                socket.close();
            }
            volume.volume().close();
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
            return keeper.call(mounts::copy);
        } catch (NotHereException e) {
            return List.of();
        } catch (IOException | Hammer2Exception e) {
            throw new AssertionError(e);
        }
    }
}
