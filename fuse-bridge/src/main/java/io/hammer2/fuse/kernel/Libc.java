package io.hammer2.fuse.kernel;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Optional;

/**
 * The calls of Linux' C library that speaking FUSE needs. Each answers as the kernel itself does: not negative on success, the
 * negated errno otherwise. Those on the request path take a segment of {@link #ERRNO_BYTES} that the caller owns, and allocate
 * nothing.
 */
final class Libc {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int EINTR = 4;
    static final int EAGAIN = 11;
    static final int EBUSY = 16;
    static final int ENODEV = 19;
    static final int EINVAL = 22;
    static final int ENOSYS = 38;
    static final int ECONNABORTED = 103;
    static final int ENOTCONN = 107;

    static final int O_RDONLY = 0;
    static final int O_RDWR = 2;
    static final int O_NONBLOCK = 0x800;
    static final int O_CLOEXEC = 0x80000;

    static final int MS_RDONLY = 1;
    static final int MS_NOSUID = 2;
    static final int MS_NODEV = 4;
    static final int MS_NOEXEC = 8;
    static final int MNT_DETACH = 2;
    static final int UMOUNT_NOFOLLOW = 8;

    static final int SOCK_STREAM = 1;

    /** Keeps the bounds of what was written at once. */
    static final int SOCK_SEQPACKET = 5;

    static final int EPOLLIN = 1;
    static final int EPOLLEXCLUSIVE = 1 << 28;

    private static final int AF_UNIX = 1;
    private static final int EPOLL_CTL_ADD = 1;
    private static final int EPOLL_CTL_DEL = 2;
    private static final int EPOLL_CLOEXEC = O_CLOEXEC;
    private static final int EFD_CLOEXEC = O_CLOEXEC;
    private static final int EFD_NONBLOCK = O_NONBLOCK;
    private static final int F_SETFL = 4;
    private static final int F_DUPFD_CLOEXEC = 1030;
    private static final int F_SETFD = 2;
    private static final int FD_CLOEXEC = 1;

    /** {@code _IOR(229, 0, uint32_t)}: makes an opened /dev/fuse another queue of a connection. */
    private static final int FUSE_DEV_IOC_CLONE = 0x8004e500;

    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE_ANONYMOUS = 0x22;

    /** x86-64 alone packs {@code struct epoll_event} into 12 bytes. */
    private static final boolean EPOLL_PACKED = System.getProperty("os.arch").equals("amd64");

    static final int EPOLL_EVENT_BYTES = EPOLL_PACKED ? 12 : 16;
    private static final int EPOLL_EVENT_DATA = EPOLL_PACKED ? 4 : 8;

    private static final StructLayout STATE = Linker.Option.captureStateLayout();
    private static final long ERRNO = STATE.byteOffset(MemoryLayout.PathElement.groupElement("errno"));

    /** Bytes of a segment that takes errno. */
    static final long ERRNO_BYTES = STATE.byteSize();

    private static final Linker LINKER = Linker.nativeLinker();
    private static final AddressLayout POINTER = ADDRESS;

    private static final MethodHandle READ = bind("read", JAVA_LONG, JAVA_INT, POINTER, JAVA_LONG);
    private static final MethodHandle WRITE = bind("write", JAVA_LONG, JAVA_INT, POINTER, JAVA_LONG);
    /** For whoever has no segment for errno at hand. */
    private static final MethodHandle WRITE_UNCHECKED = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("write"),
            FunctionDescriptor.of(JAVA_LONG, JAVA_INT, POINTER, JAVA_LONG));

    private static final MethodHandle EPOLL_WAIT = bind("epoll_wait", JAVA_INT, JAVA_INT, POINTER, JAVA_INT, JAVA_INT);
    /** Nanosecond time-outs; since glibc 2.35, null before. */
    private static final MethodHandle EPOLL_PWAIT2 = find(
                    "epoll_pwait2", JAVA_INT, JAVA_INT, POINTER, JAVA_INT, POINTER, POINTER)
            .orElse(null);

    private static final MethodHandle EPOLL_CREATE = bind("epoll_create1", JAVA_INT, JAVA_INT);
    private static final MethodHandle EPOLL_CTL = bind("epoll_ctl", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, POINTER);
    private static final MethodHandle EVENTFD = bind("eventfd", JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle SYNCFS = bind("syncfs", JAVA_INT, JAVA_INT);
    private static final MethodHandle POLL = bind("poll", JAVA_INT, POINTER, JAVA_LONG, JAVA_INT);
    private static final MethodHandle OPEN = variadic("open", 2, JAVA_INT, POINTER, JAVA_INT, JAVA_INT);
    private static final MethodHandle IOCTL = variadic("ioctl", 2, JAVA_INT, JAVA_INT, JAVA_LONG, POINTER);
    private static final MethodHandle FCNTL = variadic("fcntl", 2, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
    private static final MethodHandle CLOSE = bind("close", JAVA_INT, JAVA_INT);
    private static final MethodHandle MOUNT = bind("mount", JAVA_INT, POINTER, POINTER, POINTER, JAVA_LONG, POINTER);
    private static final MethodHandle UMOUNT = bind("umount2", JAVA_INT, POINTER, JAVA_INT);
    private static final MethodHandle STATFS = bind("statfs", JAVA_INT, POINTER, POINTER);
    private static final MethodHandle MMAP =
            bind("mmap", JAVA_LONG, POINTER, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
    private static final MethodHandle MUNMAP = bind("munmap", JAVA_INT, JAVA_LONG, JAVA_LONG);
    private static final MethodHandle GETEUID = bind("geteuid", JAVA_INT);
    private static final MethodHandle GETEGID = bind("getegid", JAVA_INT);
    private static final MethodHandle SOCKETPAIR = bind("socketpair", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, POINTER);
    private static final MethodHandle POSIX_SPAWNP =
            bind("posix_spawnp", JAVA_INT, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER);
    private static final MethodHandle WAITPID = bind("waitpid", JAVA_INT, JAVA_INT, POINTER, JAVA_INT);
    private static final MethodHandle RECVMSG = bind("recvmsg", JAVA_LONG, JAVA_INT, POINTER, JAVA_INT);
    private static final MethodHandle STRERROR = LINKER.downcallHandle(
            LINKER.defaultLookup().findOrThrow("strerror"),
            FunctionDescriptor.of(POINTER.withTargetLayout(MemoryLayout.sequenceLayout(256, JAVA_BYTE)), JAVA_INT));

    private Libc() {}

    private static MethodHandle bind(String name, MemoryLayout result, MemoryLayout... arguments) {
        return find(name, result, arguments)
                .orElseThrow(() -> new UnsatisfiedLinkError("the C library has no " + name));
    }

    private static Optional<MethodHandle> find(String name, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.defaultLookup()
                .find(name)
                .map(address -> LINKER.downcallHandle(
                        address, FunctionDescriptor.of(result, arguments), Linker.Option.captureCallState("errno")));
    }

    private static MethodHandle variadic(String name, int fixed, MemoryLayout result, MemoryLayout... arguments) {
        return LINKER.downcallHandle(
                LINKER.defaultLookup().findOrThrow(name),
                FunctionDescriptor.of(result, arguments),
                Linker.Option.captureCallState("errno"),
                Linker.Option.firstVariadicArg(fixed));
    }

    private static long answer(MemorySegment errno, long result) {
        return result >= 0 ? result : -errno.get(JAVA_INT, ERRNO);
    }

    /** An exception out of a call handle is none of the call's: a mistake in its binding. */
    private static AssertionError broken(Throwable t) {
        return new AssertionError("a native call could not be made", t);
    }

    static long read(MemorySegment errno, int fd, MemorySegment into, long bytes) {
        try {
            return answer(errno, (long) READ.invokeExact(errno, fd, into, bytes));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static long write(MemorySegment errno, int fd, MemorySegment from, long bytes) {
        try {
            return answer(errno, (long) WRITE.invokeExact(errno, fd, from, bytes));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /** Adds to an eventfd; from any thread. Can only fail when the eventfd is at its maximum, and then it is heard anyway. */
    static void ring(int eventfd, MemorySegment one) {
        try {
            long ignored = (long) WRITE_UNCHECKED.invokeExact(eventfd, one, 8L);
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /** The descriptor that an event of {@link #epollWait} is of. */
    static int eventDescriptor(MemorySegment events, int index) {
        return (int) events.get(JAVA_LONG_UNALIGNED, (long) index * EPOLL_EVENT_BYTES + EPOLL_EVENT_DATA);
    }

    /**
     * @param timespec 16 bytes of scratch
     * @param nanos how long at most; {@code Long.MAX_VALUE}: for ever
     * @return events ready, 0 for the time-out
     */
    static int epollWait(
            MemorySegment errno, int epoll, MemorySegment events, int max, MemorySegment timespec, long nanos) {
        try {
            int ready;
            if (nanos == Long.MAX_VALUE || EPOLL_PWAIT2 == null) {
                int millis = nanos == Long.MAX_VALUE ? -1 : (int) Math.min((nanos + 999_999) / 1_000_000, 1 << 30);
                ready = (int) EPOLL_WAIT.invokeExact(errno, epoll, events, max, millis);
            } else {
                timespec.set(JAVA_LONG, 0, nanos / 1_000_000_000);
                timespec.set(JAVA_LONG, 8, nanos % 1_000_000_000);
                ready = (int) EPOLL_PWAIT2.invokeExact(errno, epoll, events, max, timespec, MemorySegment.NULL);
            }
            return (int) answer(errno, ready);
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int epollCreate() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) EPOLL_CREATE.invokeExact(errno, EPOLL_CLOEXEC));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /** @param events what to wait for; 0 takes the descriptor out */
    static int epollSet(int epoll, int fd, int events) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            MemorySegment event = arena.allocate(EPOLL_EVENT_BYTES, 8);
            event.set(JAVA_INT, 0, events);
            event.set(JAVA_LONG_UNALIGNED, EPOLL_EVENT_DATA, fd);
            int op = events == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_ADD;
            return (int) answer(errno, (int) EPOLL_CTL.invokeExact(errno, epoll, op, fd, event));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int eventfd() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) EVENTFD.invokeExact(errno, 0, EFD_CLOEXEC | EFD_NONBLOCK));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /** Waits until something can be read. @return 1, or 0 for the time-out */
    static int pollIn(int fd, int millis) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            MemorySegment pollfd = arena.allocate(8, 4);
            pollfd.set(JAVA_INT, 0, fd);
            pollfd.set(JAVA_SHORT, 4, (short) EPOLLIN);
            return (int) answer(errno, (int) POLL.invokeExact(errno, pollfd, 1L, millis));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int open(String path, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) OPEN.invokeExact(errno, arena.allocateFrom(path), flags, 0));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int close(int fd) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) CLOSE.invokeExact(errno, fd));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /** Makes {@code fd}, a fresh /dev/fuse, another queue of the connection that {@code connected} serves. */
    static int cloneDevice(int fd, int connected) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            MemorySegment source = arena.allocateFrom(JAVA_INT, connected);
            long request = Integer.toUnsignedLong(FUSE_DEV_IOC_CLONE);
            return (int) answer(errno, (int) IOCTL.invokeExact(errno, fd, request, source));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int duplicate(int fd) {
        return fcntl(fd, F_DUPFD_CLOEXEC, 0);
    }

    /** Later reads answer EAGAIN instead of waiting, and no child inherits the descriptor. */
    static int makeNonBlocking(int fd) {
        int set = fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK);
        return set < 0 ? set : fcntl(fd, F_SETFD, FD_CLOEXEC);
    }

    private static int fcntl(int fd, int command, int value) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) FCNTL.invokeExact(errno, fd, command, value));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int mount(String source, String target, String type, long flags, String data) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) MOUNT.invokeExact(
                    errno,
                    arena.allocateFrom(source),
                    arena.allocateFrom(target),
                    arena.allocateFrom(type),
                    flags,
                    arena.allocateFrom(data)));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /** Has the kernel pass on to its server what it caches of a mount: syncfs(2). Blocks until that is done. */
    static int syncFileSystem(String path) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) {
            return fd;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) SYNCFS.invokeExact(errno, fd));
        } catch (Throwable t) {
            throw broken(t);
        } finally {
            close(fd);
        }
    }

    static int unmount(String target, int flags) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) UMOUNT.invokeExact(errno, arena.allocateFrom(target), flags));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /** Asks the file system at a path whether it is there, as statfs(2) always does: stat may answer from a cache. */
    static int probe(String path) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            MemorySegment statfs = arena.allocate(256, 8); // larger than struct statfs of any 64-bit architecture
            return (int) answer(errno, (int) STATFS.invokeExact(errno, arena.allocateFrom(path), statfs));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /**
     * Zeroed, page-aligned memory of which only touched pages take up room. It lives until nothing refers to it, so that a
     * handler that is still blocked at the end of its mount keeps its buffer.
     */
    static MemorySegment mapPages(long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            long address = (long)
                    MMAP.invokeExact(errno, MemorySegment.NULL, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0L);
            if (address == -1) {
                throw new OutOfMemoryError("no memory for a FUSE buffer: " + describe(errno.get(JAVA_INT, ERRNO)));
            }
            return MemorySegment.ofAddress(address)
                    .reinterpret(bytes, Arena.ofAuto(), segment -> unmapPages(segment.address(), bytes));
        } catch (OutOfMemoryError e) {
            throw e;
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    private static void unmapPages(long address, long bytes) {
        try (Arena arena = Arena.ofConfined()) {
            int ignored = (int) MUNMAP.invokeExact(arena.allocate(STATE), address, bytes);
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int effectiveUserId() {
        try (Arena arena = Arena.ofConfined()) {
            return (int) GETEUID.invokeExact(arena.allocate(STATE));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int effectiveGroupId() {
        try (Arena arena = Arena.ofConfined()) {
            return (int) GETEGID.invokeExact(arena.allocate(STATE));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /**
     * A connected pair of sockets, both inherited by children.
     *
     * @param type {@link #SOCK_STREAM} or {@link #SOCK_SEQPACKET}
     * @param into two ints
     */
    static int socketPair(int type, MemorySegment into) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            return (int) answer(errno, (int) SOCKETPAIR.invokeExact(errno, AF_UNIX, type, 0, into));
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    static int closeOnExec(int fd) {
        return fcntl(fd, F_SETFD, FD_CLOEXEC);
    }

    /** Starts a program found by PATH that inherits every descriptor without FD_CLOEXEC. @return its process id */
    static int spawn(List<String> argv, List<String> environment) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pid = arena.allocate(JAVA_INT);
            int error = (int) POSIX_SPAWNP.invokeExact(
                    arena.allocate(STATE),
                    pid,
                    arena.allocateFrom(argv.getFirst()),
                    MemorySegment.NULL,
                    MemorySegment.NULL,
                    strings(arena, argv),
                    strings(arena, environment));
            return error == 0 ? pid.get(JAVA_INT, 0) : -error;
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    private static MemorySegment strings(Arena arena, List<String> strings) {
        MemorySegment array = arena.allocate(POINTER, strings.size() + 1L);
        for (int i = 0; i < strings.size(); i++) {
            array.setAtIndex(POINTER, i, arena.allocateFrom(strings.get(i)));
        }
        return array;
    }

    /** Waits for a child's end. @return its wait status */
    static int waitFor(int pid) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            MemorySegment status = arena.allocate(JAVA_INT);
            while (true) {
                int result = (int) answer(errno, (int) WAITPID.invokeExact(errno, pid, status, 0));
                if (result != -EINTR) {
                    return result < 0 ? result : status.get(JAVA_INT, 0);
                }
            }
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /**
     * Receives one byte and the descriptor that came with it (SCM_RIGHTS). The layouts are those of 64-bit Linux: msghdr
     * {@code 0 name 8 namelen 16 iov 24 iovlen 32 control 40 controllen 48 flags}, cmsghdr {@code 0 len 8 level 12 type 16
     * data}.
     *
     * @return the descriptor, or -EINVAL when the other side closed or sent none
     */
    static int receiveDescriptor(int socket) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(STATE);
            MemorySegment vector = arena.allocate(16, 8);
            vector.set(POINTER, 0, arena.allocate(1));
            vector.set(JAVA_LONG, 8, 1);
            MemorySegment control = arena.allocate(24, 8);
            MemorySegment message = arena.allocate(56, 8);
            message.set(POINTER, 16, vector);
            message.set(JAVA_LONG, 24, 1);
            message.set(POINTER, 32, control);
            message.set(JAVA_LONG, 40, control.byteSize());
            long received;
            do {
                received = answer(errno, (long) RECVMSG.invokeExact(errno, socket, message, 0));
            } while (received == -EINTR);
            if (received < 0) {
                return (int) received;
            }
            boolean rights = received == 1
                    && message.get(JAVA_LONG, 40) >= 20
                    && control.get(JAVA_INT, 8) == 1
                    && control.get(JAVA_INT, 12) == 1;
            return rights ? control.get(JAVA_INT, 16) : -EINVAL;
        } catch (Throwable t) {
            throw broken(t);
        }
    }

    /** The C library's text for an errno, either sign. */
    static String describe(long errno) {
        try {
            MemorySegment text = (MemorySegment) STRERROR.invokeExact((int) Math.abs(errno));
            return text.getString(0);
        } catch (Throwable t) {
            throw broken(t);
        }
    }
}
