package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMountOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** Mounting and unmounting at one directory: directly as root, through {@link Fusermount} otherwise. */
public final class MountPoint {
    private static final String DEVICE = "/dev/fuse";
    private static final int STALE_LAYERS_MAX = 16;
    private static final Duration FLUSH_WAIT = Duration.ofSeconds(30);

    /** Of what the kernel lets be dirty altogether: the rest is for the device that the server itself writes to. */
    private static final int WRITE_CACHE_PERCENT_MAX = 50;

    private final Path path;
    private final FuseMountOptions options;
    /** Whether mount(2) is ours to call. */
    private boolean direct;

    private MountPoint(Path path, FuseMountOptions options) {
        this.path = path;
        this.options = options;
        this.direct = Libc.effectiveUserId() == 0;
    }

    /** A directory to mount at; what a dead server left there is detached. */
    public static MountPoint prepare(Path directory, FuseMountOptions options) throws IOException {
        MountPoint at = new MountPoint(resolve(directory), options);
        at.detachStale();
        if (!Files.exists(at.path)) {
            throw new NoSuchFileException(directory.toString(), null, "no such directory to mount at");
        }
        if (!Files.isDirectory(at.path)) {
            throw new NotDirectoryException(directory.toString());
        }
        return at;
    }

    /** Without symbolic links; a dead mount there cannot be asked, but its parent can. */
    private static Path resolve(Path directory) throws IOException {
        Path absolute = directory.toAbsolutePath().normalize();
        try {
            return absolute.toRealPath();
        } catch (NoSuchFileException e) {
            throw new NoSuchFileException(directory.toString(), null, "no such directory to mount at");
        } catch (IOException e) {
            Path parent = absolute.getParent();
            Path name = absolute.getFileName();
            if (parent == null || name == null) {
                throw e;
            }
            return parent.toRealPath().resolve(name);
        }
    }

    private void detachStale() throws IOException {
        for (int layer = 0; layer < STALE_LAYERS_MAX; layer++) {
            Optional<MountTable.Entry> entry = MountTable.topmostAt(path);
            if (entry.isEmpty() || !entry.get().type().startsWith("fuse")) {
                return;
            }
            int probe = Libc.probe(path.toString());
            if (probe != -Libc.ENOTCONN && probe != -Libc.ECONNABORTED) {
                return;
            }
            if (!entry.get().type().equals("fuse." + options.subtype())) {
                throw new IOException("at " + path + " there is a dead mount of type "
                        + entry.get().type() + " that is not ours to detach: umount -l " + path);
            }
            options.log().accept("fuse: detaching what a dead server left at " + path);
            detach();
        }
    }

    public Path path() {
        return path;
    }

    /** Mounts. @return the descriptor of the connection, non-blocking */
    int mount() throws IOException {
        int fd = direct ? mountDirectly() : Fusermount.mount(path.toString(), options);
        int nonBlocking = Libc.makeNonBlocking(fd);
        if (nonBlocking < 0) {
            Libc.close(fd);
            throw new IOException("the FUSE connection cannot be used: " + Libc.describe(nonBlocking));
        }
        return fd;
    }

    private int mountDirectly() throws IOException {
        int fd = openDevice();
        if (fd < 0) {
            throw new IOException("cannot open " + DEVICE + ": " + Libc.describe(fd)
                    + (fd == -Libc.ENOENT || fd == -Libc.ENODEV
                            ? "; this kernel has no FUSE (try: modprobe fuse)"
                            : ""));
        }
        int result = Libc.mount(options.source(), path.toString(), "fuse." + options.subtype(), flags(), data(fd));
        if (result == 0) {
            return fd;
        }
        Libc.close(fd);
        if (result == -Libc.EPERM) {
            // Root without the capability to mount: of a user namespace, where the helper may do it.
            direct = false;
            return Fusermount.mount(path.toString(), options);
        }
        throw new IOException("cannot mount at " + path + ": " + Libc.describe(result)
                + (result == -Libc.ENODEV ? "; this kernel has no FUSE (try: modprobe fuse)" : ""));
    }

    private static int openDevice() {
        return Libc.open(DEVICE, Libc.O_RDWR | Libc.O_CLOEXEC);
    }

    private long flags() {
        return (options.readOnly() ? Libc.MS_RDONLY : 0)
                | (options.suid() ? 0 : Libc.MS_NOSUID)
                | (options.devices() ? 0 : Libc.MS_NODEV)
                | (options.exec() ? 0 : Libc.MS_NOEXEC);
    }

    private String data(int fd) {
        return "fd=" + fd + ",rootmode=40000,user_id=" + Libc.effectiveUserId() + ",group_id="
                + Libc.effectiveGroupId()
                + (options.defaultPermissions() ? ",default_permissions" : "")
                + (options.allowOther() ? ",allow_other" : "")
                + ",max_read=" + options.readBytesMax();
    }

    /**
     * Another queue of the connection, for another cpu.
     *
     * @param fd of the connection, which stays open
     */
    int anotherQueue(int fd) throws IOException {
        int clone = openDevice();
        if (clone >= 0 && Libc.cloneDevice(clone, fd) == 0 && Libc.makeNonBlocking(clone) >= 0) {
            return clone;
        }
        if (clone >= 0) {
            Libc.close(clone);
        }
        // An ordinary user may not be allowed to open the device: then the cpus share the queue that the helper opened.
        int shared = Libc.duplicate(fd);
        if (shared < 0) {
            throw new IOException("no descriptor for another cpu: " + Libc.describe(shared));
        }
        return shared;
    }

    /**
     * Lets the kernel read ahead further than its 128 KiB, and keep more written data than the hundredth of its bound that an
     * untrusted FUSE server gets, with which writers wait for the server after each few MiB. To be had only by these files and
     * only by root. For a mount that is there.
     */
    public void widenCaching() throws IOException {
        Optional<MountTable.Entry> entry = MountTable.topmostAt(path);
        if (entry.isEmpty() || !direct) {
            return;
        }
        Path queue = Path.of("/sys/class/bdi", entry.get().device());
        set(queue, "read_ahead_kb", options.readAheadBytes() / 1024, "read-ahead");
        if (!options.readOnly()) {
            set(queue, "strict_limit", 0, "the bound of cached writes"); // Linux 6.2
            set(queue, "max_ratio", WRITE_CACHE_PERCENT_MAX, "the bound of cached writes");
        }
    }

    private void set(Path queue, String name, int value, String what) {
        Path file = queue.resolve(name);
        try {
            if (Files.exists(file)) {
                Files.writeString(file, Integer.toString(value));
            }
        } catch (IOException e) {
            options.log().accept("fuse: " + what + " stays at the kernel's default: " + e.getMessage());
        }
    }

    /** @throws IOException when it is in use, or not ours to unmount */
    public void unmount() throws IOException {
        if (!direct) {
            Fusermount.unmount(path.toString(), false);
            return;
        }
        int result = Libc.unmount(path.toString(), Libc.UMOUNT_NOFOLLOW);
        if (result < 0) {
            throw new IOException("cannot unmount " + path + ": " + Libc.describe(result));
        }
    }

    /**
     * Has the kernel pass on what was written and it caches still: for a mount that is to end while it is in use. The server must
     * be serving; if it does not answer, this gives up.
     */
    public void flushCache() {
        if (options.readOnly()) {
            return;
        }
        Thread flush = new Thread(() -> Libc.syncFileSystem(path.toString()), "fuse-flush");
        flush.setDaemon(true);
        flush.start();
        try {
            if (!flush.join(FLUSH_WAIT)) {
                options.log().accept("fuse: what is cached of " + path + " could not be written in time");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Takes the mount out of the tree, in use or not. */
    public void detach() throws IOException {
        if (!direct) {
            Fusermount.unmount(path.toString(), true);
            return;
        }
        int result = Libc.unmount(path.toString(), Libc.UMOUNT_NOFOLLOW | Libc.MNT_DETACH);
        if (result < 0) {
            throw new IOException("cannot detach " + path + ": " + Libc.describe(result));
        }
    }
}
