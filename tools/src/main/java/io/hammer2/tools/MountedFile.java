package io.hammer2.tools;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * An open file or directory of a mounted HAMMER2, for control requests with the numbers and structures of DragonFly. What is asked stands in
 * a class for each family: {@link PfsIoctls}, {@link InodeIoctls}, {@link BulkfreeIoctls}.
 */
final class MountedFile implements AutoCloseable {
    private static final boolean MACOS = System.getProperty("os.name").startsWith("Mac");
    private static final int O_NONBLOCK = MACOS ? 0x4 : 0x800;
    private static final int O_CLOEXEC = MACOS ? 0x1000000 : 0x80000;
    private static final int EPERM = 1;
    private static final int ENOENT = 2;
    private static final int EIO = 5;
    private static final int EACCES = 13;
    private static final int EBUSY = 16;
    private static final int ENOTTY = 25;
    private static final int ENOTSUP = MACOS ? 45 : 95;
    private static final int EINVAL = 22;
    private static final int ENOSPC = 28;
    private static final int EROFS = 30;
    private static final int ENOTCONN = MACOS ? 57 : 107;
    private static final int ENOSYS = MACOS ? 78 : 38;

    private static final StructLayout ERRNO_STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = ERRNO_STATE.varHandle(PathElement.groupElement("errno"));
    private static final MethodHandle OPEN =
            function("open", 2, FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT));
    private static final MethodHandle IOCTL =
            function("ioctl", 2, FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS));
    private static final MethodHandle CLOSE = function("close", 1, FunctionDescriptor.of(JAVA_INT, JAVA_INT));

    private final Path path;
    private final int fd;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment state = arena.allocate(ERRNO_STATE);

    private MountedFile(Path path, int fd) {
        this.path = path;
        this.fd = fd;
    }

    /** Opens a file or directory; other objects are not the file system's once they are opened. */
    static MountedFile open(Path path) {
        if (!Files.isDirectory(path) && !Files.isRegularFile(path)) {
            throw new ToolException(
                    Files.exists(path)
                            ? path
                                    + ": neither a file nor a directory; the system passes control requests to these"
                                    + " only"
                            : path + ": no such file, or it cannot be read");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(ERRNO_STATE);
            int fd = (int) OPEN.invokeExact(state, arena.allocateFrom(path.toString()), O_NONBLOCK | O_CLOEXEC, 0);
            if (fd < 0) {
                throw new ToolException(path + ": " + errorText((int) ERRNO.get(state, 0L)));
            }
            return new MountedFile(path, fd);
        } catch (ToolException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** As it was opened. */
    Path path() {
        return path;
    }

    @Override
    public void close() {
        arena.close();
        try {
            int ignored = (int) CLOSE.invokeExact(fd);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Bound where it is needed: each takes some milliseconds. */
    private static final class Sync {
        static final MethodHandle FSYNC = function("fsync", 1, FunctionDescriptor.of(JAVA_INT, JAVA_INT));

        /** Linux; elsewhere null. */
        static final MethodHandle SYNCFS = Linker.nativeLinker()
                .defaultLookup()
                .find("syncfs")
                .map(address ->
                        Linker.nativeLinker().downcallHandle(address, FunctionDescriptor.of(JAVA_INT, JAVA_INT)))
                .orElse(null);
    }

    /** Has everything committed that was done before: fsync(2), which commits the whole volume. */
    void sync() {
        try {
            int ignored = (int) Sync.FSYNC.invokeExact(fd);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Has the kernel hand over what it caches of all files of the mount: syncfs(2). Where there is none, as {@link #sync}. */
    void syncMount() {
        if (Sync.SYNCFS == null) {
            sync();
            return;
        }
        try {
            int ignored = (int) Sync.SYNCFS.invokeExact(fd);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Room for the structure of a request, zeroed; freed when the file is closed. */
    MemorySegment structure(int bytes) {
        return arena.allocate(bytes, Long.BYTES);
    }

    /**
     * Makes a request.
     *
     * @param argument what goes in, and what the answer is put into
     * @return false for "there is none" (ENOENT)
     * @throws ToolException for every other error, with what it means and what to do
     */
    boolean request(int command, MemorySegment argument) {
        int errno = tryRequest(command, argument);
        if (errno != 0 && errno != ENOENT) {
            throw error(errno);
        }
        return errno == 0;
    }

    /** As {@link #request}. @return 0, or the number of the error */
    int tryRequest(int command, MemorySegment argument) {
        try {
            int result = (int) IOCTL.invokeExact(state, fd, Integer.toUnsignedLong(command), argument);
            return result == 0 ? 0 : (int) ERRNO.get(state, 0L);
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** What an error means and what to do. */
    ToolException error(int errno) {
        return new ToolException(path + ": " + errorText(errno));
    }

    static String errorText(int errno) {
        if (errno == ENOTTY || errno == ENOSYS) {
            return "not a file of a mounted HAMMER2 file system";
        }
        if (errno == EACCES) {
            return "permission denied";
        }
        if (errno == EPERM) {
            return "only root and who mounted it may do that";
        }
        if (errno == ENOTCONN) {
            return "the program that served this mount is gone; umount it";
        }
        if (errno == EROFS) {
            return "mounted read-only; unmount it and mount it without -o ro to change it";
        }
        if (errno == ENOSPC) {
            return "no space that may be used; remove files or delete snapshots, and run hammer2 bulkfree";
        }
        if (errno == EBUSY) {
            return "it is being unmounted";
        }
        if (errno == ENOTSUP) {
            return "the mount cannot do that where it runs; its log says why";
        }
        if (errno == EINVAL) {
            return "the mounted file system cannot do that with what was given";
        }
        return errno == EIO ? "damaged; see the log of the mount" : "error " + errno;
    }

    /** @param fixed number of parameters before the variadic ones */
    private static MethodHandle function(String name, int fixed, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        MemorySegment address = linker.defaultLookup().findOrThrow(name);
        return descriptor.argumentLayouts().size() == fixed
                ? linker.downcallHandle(address, descriptor)
                : linker.downcallHandle(
                        address,
                        descriptor,
                        Linker.Option.firstVariadicArg(fixed),
                        Linker.Option.captureCallState("errno"));
    }
}
