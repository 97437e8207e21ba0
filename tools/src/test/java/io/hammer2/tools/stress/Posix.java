package io.hammer2.tools.stress;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.List;

/**
 * System calls of Linux as they are: each answers with its result, or with the negative errno. The constants are those that do
 * not differ between architectures.
 */
final class Posix {
    static final int O_RDONLY = 0;
    static final int O_WRONLY = 1;
    static final int O_RDWR = 2;
    static final int O_CREAT = 0x40;
    static final int O_EXCL = 0x80;
    static final int O_TRUNC = 0x200;
    static final int O_APPEND = 0x400;

    static final int FALLOC_KEEP_SIZE = 1;
    static final int FALLOC_PUNCH_HOLE = 2;
    static final int FALLOC_ZERO_RANGE = 0x10;

    static final int SEEK_END = 2;
    static final int SEEK_DATA = 3;
    static final int SEEK_HOLE = 4;

    static final int PROT_READ = 1;
    static final int PROT_WRITE = 2;
    static final int MAP_SHARED = 1;
    static final int MAP_PRIVATE = 2;
    static final int MS_SYNC = 4;

    static final int RENAME_NOREPLACE = 1;
    static final int RENAME_EXCHANGE = 2;

    static final int ENOENT = 2;
    static final int ENXIO = 6;
    static final int EXDEV = 18;
    static final int EINVAL = 22;
    static final int ENOTEMPTY = 39;
    static final int EEXIST = 17;
    static final int ENOTDIR = 20;
    static final int EISDIR = 21;
    static final int ELOOP = 40;
    static final int EOPNOTSUPP = 95;

    static final int S_IFMT = 0xF000;
    static final int S_IFDIR = 0x4000;
    static final int S_IFREG = 0x8000;
    static final int S_IFLNK = 0xA000;

    private static final int AT_FDCWD = -100;
    private static final int AT_SYMLINK_NOFOLLOW = 0x100;
    private static final int FADV_DONTNEED = 4;
    private static final int STATX_BASIC_STATS = 0x7FF;
    private static final int STATX_BYTES = 256;
    private static final int PATH_MAX = 4096;

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final VarHandle ERRNO = STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));

    private static final MethodHandle OPEN = bind("open", 2, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = bind("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle PREAD = bind("pread", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle PWRITE = bind("pwrite", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle WRITE = bind("write", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle FTRUNCATE = bind("ftruncate", JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle FALLOCATE = bind("fallocate", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle FSYNC = bind("fsync", JAVA_INT, JAVA_INT);
    private static final MethodHandle FDATASYNC = bind("fdatasync", JAVA_INT, JAVA_INT);
    private static final MethodHandle LSEEK = bind("lseek", JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_INT);
    private static final MethodHandle FADVISE =
            bind("posix_fadvise", JAVA_INT, JAVA_INT, JAVA_LONG, JAVA_LONG, JAVA_INT);
    private static final MethodHandle COPY_FILE_RANGE =
            bind("copy_file_range", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MMAP =
            bind("mmap", JAVA_LONG, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle MSYNC = bind("msync", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    private static final MethodHandle MUNMAP = bind("munmap", JAVA_INT, ADDRESS, JAVA_LONG);
    private static final MethodHandle MKDIR = bind("mkdir", JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle RMDIR = bind("rmdir", JAVA_INT, ADDRESS);
    private static final MethodHandle UNLINK = bind("unlink", JAVA_INT, ADDRESS);
    private static final MethodHandle LINK = bind("link", JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle SYMLINK = bind("symlink", JAVA_INT, ADDRESS, ADDRESS);
    private static final MethodHandle READLINK = bind("readlink", JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG);
    private static final MethodHandle RENAMEAT2 =
            bind("renameat2", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, ADDRESS, JAVA_INT);
    private static final MethodHandle STATX = bind("statx", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT, JAVA_INT, ADDRESS);

    /** What lstat tells. */
    record Status(int mode, int links, long inode, long size) {
        boolean is(int type) {
            return (mode & S_IFMT) == type;
        }
    }

    /** A call that was to succeed, or to fail with something else. */
    static final class Failed extends RuntimeException {
        private final int errno;

        Failed(String what, int errno) {
            super(what + ": errno " + errno);
            this.errno = errno;
        }

        int errno() {
            return errno;
        }
    }

    /** The body of a call: the arguments and the invocation. */
    @FunctionalInterface
    private interface Call {
        long invoke(Arena arena, MemorySegment state) throws Throwable;
    }

    private Posix() {}

    /**
     * @return {@code result}
     * @throws Failed if it is an error
     */
    static long must(String what, long result) {
        if (result < 0) {
            throw new Failed(what, (int) -result);
        }
        return result;
    }

    static int open(String path, int flags) {
        return (int) call((arena, state) -> (int) OPEN.invokeExact(state, arena.allocateFrom(path), flags, 0644));
    }

    static int close(int fd) {
        return (int) call((_, state) -> (int) CLOSE.invokeExact(state, fd));
    }

    static long pread(int fd, MemorySegment into, long offset) {
        return call((_, state) -> (long) PREAD.invokeExact(state, fd, into, into.byteSize(), offset));
    }

    static long pwrite(int fd, MemorySegment from, long offset) {
        return call((_, state) -> (long) PWRITE.invokeExact(state, fd, from, from.byteSize(), offset));
    }

    static long write(int fd, MemorySegment from) {
        return call((_, state) -> (long) WRITE.invokeExact(state, fd, from, from.byteSize()));
    }

    static int ftruncate(int fd, long size) {
        return (int) call((_, state) -> (int) FTRUNCATE.invokeExact(state, fd, size));
    }

    static int fallocate(int fd, int mode, long offset, long length) {
        return (int) call((_, state) -> (int) FALLOCATE.invokeExact(state, fd, mode, offset, length));
    }

    static int fsync(int fd) {
        return (int) call((_, state) -> (int) FSYNC.invokeExact(state, fd));
    }

    static int fdatasync(int fd) {
        return (int) call((_, state) -> (int) FDATASYNC.invokeExact(state, fd));
    }

    static long lseek(int fd, long offset, int whence) {
        return call((_, state) -> (long) LSEEK.invokeExact(state, fd, offset, whence));
    }

    /** Lets go of the clean pages of a file, so that what is read next comes from who serves it. */
    static void dropPages(int fd) {
        call((_, state) -> (int) FADVISE.invokeExact(state, fd, 0L, 0L, FADV_DONTNEED));
    }

    static long copyFileRange(int from, long fromOffset, int to, long toOffset, long length) {
        return call((arena, state) -> (long) COPY_FILE_RANGE.invokeExact(
                state,
                from,
                arena.allocateFrom(JAVA_LONG, fromOffset),
                to,
                arena.allocateFrom(JAVA_LONG, toOffset),
                length,
                0));
    }

    /** @return a mapping to be undone by {@link #munmap} */
    static MemorySegment mmap(int fd, long offset, long length, int protection, int flags) {
        long address = must("mmap", call((_, state) ->
                (long) MMAP.invokeExact(state, MemorySegment.NULL, length, protection, flags, fd, offset)));
        return MemorySegment.ofAddress(address).reinterpret(length);
    }

    static int msync(MemorySegment mapping) {
        return (int) call((_, state) -> (int) MSYNC.invokeExact(state, mapping, mapping.byteSize(), MS_SYNC));
    }

    static void munmap(MemorySegment mapping) {
        must("munmap", call((_, state) -> (int) MUNMAP.invokeExact(state, mapping, mapping.byteSize())));
    }

    static int mkdir(String path) {
        return (int) call((arena, state) -> (int) MKDIR.invokeExact(state, arena.allocateFrom(path), 0755));
    }

    static int rmdir(String path) {
        return (int) call((arena, state) -> (int) RMDIR.invokeExact(state, arena.allocateFrom(path)));
    }

    static int unlink(String path) {
        return (int) call((arena, state) -> (int) UNLINK.invokeExact(state, arena.allocateFrom(path)));
    }

    static int link(String old, String path) {
        return (int) call(
                (arena, state) -> (int) LINK.invokeExact(state, arena.allocateFrom(old), arena.allocateFrom(path)));
    }

    static int symlink(String target, String path) {
        return (int) call((arena, state) ->
                (int) SYMLINK.invokeExact(state, arena.allocateFrom(target), arena.allocateFrom(path)));
    }

    /** What a link leads to; throws {@link Failed} unless it is one. */
    static String readlink(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate(PATH_MAX + 1L);
            long length = must("readlink " + path, call((inner, state) ->
                    (long) READLINK.invokeExact(state, inner.allocateFrom(path), target, (long) PATH_MAX)));
            target.set(ValueLayout.JAVA_BYTE, length, (byte) 0);
            return target.getString(0);
        }
    }

    static int rename(String old, String path, int flags) {
        return (int) call((arena, state) -> (int) RENAMEAT2.invokeExact(
                state, AT_FDCWD, arena.allocateFrom(old), AT_FDCWD, arena.allocateFrom(path), flags));
    }

    /** @return what is at a path, not followed; null if nothing is */
    static Status lstat(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment statx = arena.allocate(STATX_BYTES, 8);
            long result = call((inner, state) -> (int) STATX.invokeExact(
                    state, AT_FDCWD, inner.allocateFrom(path), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, statx));
            if (result == -ENOENT) {
                return null;
            }
            must("statx " + path, result);
            return new Status(
                    Short.toUnsignedInt(statx.get(ValueLayout.JAVA_SHORT, 28)),
                    statx.get(JAVA_INT, 16),
                    statx.get(JAVA_LONG, 32),
                    statx.get(JAVA_LONG, 40));
        }
    }

    private static long call(Call call) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(STATE);
            long result = call.invoke(arena, state);
            return result == -1 ? -(int) ERRNO.get(state, 0L) : result;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static MethodHandle bind(String name, MemoryLayout result, MemoryLayout... arguments) {
        return bind(name, arguments.length, result, arguments);
    }

    private static MethodHandle bind(String name, int fixed, MemoryLayout result, MemoryLayout... arguments) {
        Linker linker = Linker.nativeLinker();
        List<Linker.Option> options = fixed < arguments.length
                ? List.of(Linker.Option.captureCallState("errno"), Linker.Option.firstVariadicArg(fixed))
                : List.of(Linker.Option.captureCallState("errno"));
        return linker.downcallHandle(
                linker.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(result, arguments),
                options.toArray(Linker.Option[]::new));
    }
}
