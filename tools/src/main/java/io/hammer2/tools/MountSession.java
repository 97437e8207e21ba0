package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.media.NameText;
import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.jnr.JnrTransport;
import io.hammer2.fuse.kernel.KernelTransport;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/** A mounted PFS with everything under it, from the devices to the mount point. What mount_hammer2 runs. */
final class MountSession implements AutoCloseable {
    /** After umount(8) returned, the server of the last mount still needs a moment to let go of the devices. */
    private static final int BUSY_RETRIES = 20;

    private static final long BUSY_RETRY_MILLIS = 100;

    /**
     * Commits when it is quiet: fusermount3 tells the server of an unmounting only afterwards, and what was done a moment
     * before is on the media then.
     */
    private static final long QUIET_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private static final long QUIET_COMMITS_DISTANCE_NANOS = TimeUnit.SECONDS.toNanos(10);

    /** A last commit to a slow disk may take its time, and nobody is in a hurry that would rather lose it. */
    private static final long CLOSE_WAIT_SECONDS = 600;

    private final Lwkt lwkt;
    private final Hammer2 volume;
    private final FuseMount mount;
    private final Consumer<String> log;
    private final AtomicBoolean closing = new AtomicBoolean();
    private final AtomicReference<ToolException> failure = new AtomicReference<>();
    private final CountDownLatch closed = new CountDownLatch(1);

    private MountSession(Lwkt lwkt, Hammer2 volume, FuseMount mount, Consumer<String> log) {
        this.lwkt = lwkt;
        this.volume = volume;
        this.mount = mount;
        this.log = log;
    }

    /**
     * What to mount where.
     *
     * @param special volumes, joined by ':'
     * @param label of the PFS, null for the one that the volume is for
     */
    record Request(String special, String label, Path node, MountWords words) {
        /** @param name {@code special} or {@code special@label} */
        static Request of(String name, Path node, MountWords words) {
            int at = name.lastIndexOf('@');
            // A device whose own name has an '@' in it is a device.
            boolean hasLabel = at > 0 && !exists(name);
            return new Request(
                    hasLabel ? name.substring(0, at) : name, hasLabel ? name.substring(at + 1) : null, node, words);
        }

        private static boolean exists(String special) {
            try {
                return BlockDevices.split(special).stream().allMatch(Files::exists);
            } catch (IOException e) {
                return false;
            }
        }
    }

    /**
     * Mounts.
     *
     * @param log takes what an administrator should know, now and later, from any thread
     * @throws ToolException with what is wrong and what to do
     */
    static MountSession start(Request request, Consumer<String> log) {
        List<BlockDevice> devices = open(request);
        Lwkt lwkt = null;
        Hammer2 volume = null;
        try {
            lwkt = Lwkt.dedicated(request.words.cpus());
            volume = Hammer2.open(lwkt, devices, request.words.volume(log));
            volume.commitWhenQuiet(QUIET_NANOS, QUIET_COMMITS_DISTANCE_NANOS);
            FileSystem files = volume.mount(request.label);
            String label = NameText.of(files.pfs().labelBytes().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
            String source = MountedVolume.resolve(request.special) + "@" + label;
            FuseMount mount = transport(request.words)
                    .mount(lwkt, request.node, request.words.operations(files), request.words.fuse(source, log));
            return new MountSession(lwkt, volume, mount, log);
        } catch (Hammer2Exception e) {
            undo(lwkt, volume, devices);
            throw new ToolException(e.getMessage(), e);
        } catch (IOException e) {
            undo(lwkt, volume, devices);
            throw new ToolException(IoText.of(e), e);
        } catch (RuntimeException | Error e) {
            undo(lwkt, volume, devices);
            throw e;
        }
    }

    FuseMount mount() {
        return mount;
    }

    /**
     * Unmounts in any case, in use or not, commits, and lets go of everything. One caller does it, others wait until it is done.
     *
     * @throws ToolException when what changed last could not be committed; it is logged, too
     */
    @Override
    public void close() {
        if (closing.compareAndSet(false, true)) {
            try {
                mount.close();
                volume.close();
            } catch (Hammer2Exception e) {
                failure.set(new ToolException("what was changed last is lost: " + e.getMessage(), e));
                log.accept(failure.get().getMessage());
            } finally {
                lwkt.close();
                closed.countDown();
            }
        }
        try {
            closed.await(CLOSE_WAIT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (failure.get() != null) {
            throw failure.get();
        }
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

    private static List<BlockDevice> open(Request request) {
        OpenMode mode = request.words.writable() ? OpenMode.READ_WRITE : OpenMode.READ_ONLY;
        for (int tries = 0; ; tries++) {
            try {
                return BlockDevices.openAll(request.special, mode);
            } catch (DeviceBusyException e) {
                if (tries == BUSY_RETRIES) {
                    throw new ToolException(
                            e.getMessage()
                                    + (mode == OpenMode.READ_ONLY
                                            ? ""
                                            : "; unmount it there, or mount both with -o ro"),
                            e);
                }
                pause();
            } catch (IOException e) {
                boolean protectedOnly = mode.writes() && isWriteProtection(e);
                throw new ToolException(
                        IoText.of(e) + (protectedOnly ? "; what cannot be written is mounted with -o ro" : ""), e);
            }
        }
    }

    /** By their words: a file system's and a device's are of no type of their own. */
    private static boolean isWriteProtection(IOException e) {
        String said = e.getMessage() == null ? "" : e.getMessage().toLowerCase(java.util.Locale.ROOT);
        return e instanceof AccessDeniedException || said.contains("read-only") || said.contains("write-protected");
    }

    private static void pause() {
        try {
            Thread.sleep(BUSY_RETRY_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ToolException("interrupted", e);
        }
    }
}
