package io.hammer2.blockdev;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Locale;

/**
 * The system calls that devices need, of Linux and macOS, bound by FFM. Each method answers the call's result, or the errno
 * negated; none retries. Numbers are those of the systems' headers for 64-bit machines.
 */
final class Posix {
    static final boolean MACOS =
            System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("mac");

    // Same on both systems.
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EACCES = 13;
    static final int EBUSY = 16;
    static final int ENODEV = 19;
    static final int EINVAL = 22;
    static final int ENOTTY = 25;
    static final int EROFS = 30;

    static final int EAGAIN = MACOS ? 35 : 11;
    static final int ENOSYS = MACOS ? 78 : 38;
    static final int EOPNOTSUPP = MACOS ? 102 : 95;
    /** Another name of the former on Linux, a number of its own on macOS. */
    static final int ENOTSUP = MACOS ? 45 : 95;

    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_EXCL = MACOS ? 0x800 : 0x80;
    static final int O_CLOEXEC = MACOS ? 0x1000000 : 0x80000;
    /** Linux only; elsewhere {@link #F_NOCACHE} comes nearest. Its number depends on the machine. */
    static final int O_DIRECT = MACOS ? 0 : isArm() ? 0x10000 : 0x4000;

    static final int SEEK_END = 2;

    static final int LOCK_SH = 1;
    static final int LOCK_EX = 2;
    static final int LOCK_NB = 4;

    /** preadv2(2), Linux: only what can be had without waiting. */
    static final int RWF_NOWAIT = 8;

    /** sync_file_range(2), Linux: begin to write what is dirty, and do not wait. */
    static final int SYNC_FILE_RANGE_WRITE = 2;

    /** fallocate(2), Linux: keep the size, make a hole. */
    static final int FALLOC_FL_KEEP_SIZE = 1;

    static final int FALLOC_FL_PUNCH_HOLE = 2;

    /** fcntl(2), macOS: no caching; fsync through the drive's cache; make a hole. */
    static final int F_NOCACHE = 48;

    static final int F_FULLFSYNC = 51;
    static final int F_PUNCHHOLE = 99;

    /** ioctl(2), Linux: size in bytes (u64), logical and physical sector size (int), read-only (int), discard (u64[2]). */
    static final long BLKGETSIZE64 = 0x80081272L;

    static final long BLKSSZGET = 0x1268;
    static final long BLKPBSZGET = 0x127b;
    static final long BLKROGET = 0x125e;
    static final long BLKDISCARD = 0x1277;

    /** ioctl(2), macOS: block size (u32), block count (u64), physical block size (u32), unmap (dk_unmap_t, 16 bytes). */
    static final long DKIOCGETBLOCKSIZE = 0x40046418L;

    static final long DKIOCGETBLOCKCOUNT = 0x40086419L;
    static final long DKIOCGETPHYSICALBLOCKSIZE = 0x4004644dL;
    static final long DKIOCUNMAP = 0x8010641fL;

    /** Parts of one {@link #pwritev}: 1 MiB in blocks of 64 KiB. */
    static final int PWRITEV_MAX = 16;

    private static final Linker LINKER = Linker.nativeLinker();
    private static final StructLayout CALL_STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = CALL_STATE.varHandle(PathElement.groupElement("errno"));
    private static final ThreadLocal<MemorySegment> CAPTURED =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(CALL_STATE));
    /** struct iovec: void *iov_base, size_t iov_len. */
    private static final ThreadLocal<MemorySegment> IOVEC =
            ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(16L * PWRITEV_MAX, 8));

    private static final Charset PATH_CHARSET = Charset.forName(System.getProperty("sun.jnu.encoding", "UTF-8"));

    /** int open(const char *path, int flags, ...) */
    private static final MethodHandle OPEN =
            bind("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT), Linker.Option.firstVariadicArg(2));
    /** int close(int fd) */
    private static final MethodHandle CLOSE = bind("close", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    /** ssize_t pread(int fd, void *buf, size_t count, off_t offset) */
    private static final MethodHandle PREAD =
            bind("pread", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
    /**
     * ssize_t preadv2(int fd, const struct iovec *iov, int iovcnt, off_t offset, int flags), Linux only. The sixth argument is
     * one that the callee does not know of; it makes the linker keep the buffer's arena open during the call, which the
     * address inside the iovec does not. All six travel in registers.
     */
    private static final MethodHandle PREADV2 = MACOS
            ? null
            : bind(
                    "preadv2",
                    FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG, JAVA_INT, ADDRESS));
    /** ssize_t pwrite(int fd, const void *buf, size_t count, off_t offset) */
    private static final MethodHandle PWRITE =
            bind("pwrite", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG));
    /**
     * ssize_t pwritev(int fd, const struct iovec *iov, int iovcnt, off_t offset), and, as for {@link #PREADV2}, arguments that the
     * callee does not know of, which keep the arenas of the parts open.
     */
    private static final MethodHandle PWRITEV = bind(
                    "pwritev",
                    FunctionDescriptor.of(JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, JAVA_LONG)
                            .appendArgumentLayouts(
                                    Collections.nCopies(PWRITEV_MAX, ADDRESS).toArray(MemoryLayout[]::new)))
            .asSpreader(MemorySegment[].class, PWRITEV_MAX);
    /** off_t lseek(int fd, off_t offset, int whence) */
    private static final MethodHandle LSEEK =
            bind("lseek", FunctionDescriptor.of(JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT));
    /** int flock(int fd, int operation) */
    private static final MethodHandle FLOCK = bind("flock", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    /** int fdatasync(int fd), Linux; int fsync(int fd) where there is no other */
    private static final MethodHandle FDATASYNC =
            bind(MACOS ? "fsync" : "fdatasync", FunctionDescriptor.of(JAVA_INT, JAVA_INT));
    /** int fallocate(int fd, int mode, off_t offset, off_t len), Linux only */
    private static final MethodHandle FALLOCATE =
            MACOS ? null : bind("fallocate", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG));
    /** int sync_file_range(int fd, off_t offset, off_t nbytes, unsigned flags), Linux only */
    private static final MethodHandle SYNC_FILE_RANGE = MACOS
            ? null
            : bind("sync_file_range", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT));
    /** int ioctl(int fd, unsigned long request, ...) with a pointer as its argument */
    private static final MethodHandle IOCTL = bind(
            "ioctl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_LONG, ADDRESS), Linker.Option.firstVariadicArg(2));
    /** int fcntl(int fd, int cmd, ...) with an int as its argument */
    private static final MethodHandle FCNTL_INT = bind(
            "fcntl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT), Linker.Option.firstVariadicArg(2));
    /** int fcntl(int fd, int cmd, ...) with a pointer as its argument */
    private static final MethodHandle FCNTL_POINTER = bind(
            "fcntl", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS), Linker.Option.firstVariadicArg(2));
    /** char *strerror(int errnum) */
    private static final MethodHandle STRERROR = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("strerror"), FunctionDescriptor.of(ADDRESS, JAVA_INT));

    private Posix() {}

    static int open(Path path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(path.toString(), PATH_CHARSET);
            MemorySegment captured = CAPTURED.get();
            return answer((int) OPEN.invokeExact(captured, name, flags), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int close(int fd) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((int) CLOSE.invokeExact(captured, fd), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static long pread(int fd, MemorySegment into, long offset) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((long) PREAD.invokeExact(captured, fd, into, into.byteSize(), offset), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Linux only. */
    static long preadNoWait(int fd, MemorySegment into, long offset) {
        try {
            MemorySegment captured = CAPTURED.get();
            MemorySegment iovec = IOVEC.get();
            iovec.set(ADDRESS, 0, into);
            iovec.set(JAVA_LONG, 8, into.byteSize());
            return answer((long) PREADV2.invokeExact(captured, fd, iovec, 1, offset, RWF_NOWAIT, into), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static long pwrite(int fd, MemorySegment from, long offset) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((long) PWRITE.invokeExact(captured, fd, from, from.byteSize(), offset), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** @param parts at most {@link #PWRITEV_MAX} */
    static long pwritev(int fd, MemorySegment[] parts, long offset) {
        try {
            MemorySegment captured = CAPTURED.get();
            MemorySegment iovec = IOVEC.get();
            MemorySegment[] kept = new MemorySegment[PWRITEV_MAX];
            Arrays.fill(kept, MemorySegment.NULL);
            for (int i = 0; i < parts.length; i++) {
                kept[i] = parts[i];
                iovec.set(ADDRESS, 16L * i, parts[i]);
                iovec.set(JAVA_LONG, 16L * i + 8, parts[i].byteSize());
            }
            return answer((long) PWRITEV.invokeExact(captured, fd, iovec, parts.length, offset, kept), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static long lseek(int fd, long offset, int whence) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((long) LSEEK.invokeExact(captured, fd, offset, whence), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int flock(int fd, int operation) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((int) FLOCK.invokeExact(captured, fd, operation), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int fdatasync(int fd) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((int) FDATASYNC.invokeExact(captured, fd), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** Linux only. */
    static int syncFileRange(int fd, long offset, long length, int flags) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((int) SYNC_FILE_RANGE.invokeExact(captured, fd, offset, length, flags), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int fallocate(int fd, int mode, long offset, long length) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((int) FALLOCATE.invokeExact(captured, fd, mode, offset, length), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int ioctl(int fd, long request, MemorySegment argument) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((int) IOCTL.invokeExact(captured, fd, request, argument), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int fcntl(int fd, int command, int argument) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((int) FCNTL_INT.invokeExact(captured, fd, command, argument), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    static int fcntl(int fd, int command, MemorySegment argument) {
        try {
            MemorySegment captured = CAPTURED.get();
            return answer((int) FCNTL_POINTER.invokeExact(captured, fd, command, argument), captured);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    /** The system's text for an errno. */
    static String strerror(int errno) {
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact(errno);
            return text.reinterpret(256).getString(0, StandardCharsets.UTF_8);
        } catch (Throwable e) {
            throw unchecked(e);
        }
    }

    private static boolean isArm() {
        String arch = System.getProperty("os.arch");
        return arch.equals("aarch64") || arch.startsWith("arm");
    }

    private static MethodHandle bind(String symbol, FunctionDescriptor signature, Linker.Option... options) {
        Linker.Option[] all = new Linker.Option[options.length + 1];
        System.arraycopy(options, 0, all, 0, options.length);
        all[options.length] = Linker.Option.captureCallState("errno");
        return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(symbol), signature, all);
    }

    private static int answer(int result, MemorySegment captured) {
        return result >= 0 ? result : -(int) ERRNO.get(captured, 0L);
    }

    private static long answer(long result, MemorySegment captured) {
        return result >= 0 ? result : -(int) ERRNO.get(captured, 0L);
    }

    private static RuntimeException unchecked(Throwable e) {
        if (e instanceof RuntimeException runtime) {
            // Such as IllegalStateException: the segment's arena is closed.
            return runtime;
        }
        if (e instanceof Error error) {
            throw error;
        }
        throw new AssertionError("a native call threw a checked exception", e);
    }
}
