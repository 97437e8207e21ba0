package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMountOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The first request of a connection, INIT: agrees on the version, the sizes and the options of the protocol. */
final class Handshake {
    /** A kernel that was just told to mount asks at once; more than this means that it never will. */
    private static final int WAIT_MILLIS = 10_000;

    /** Requests that nobody waits for (read-ahead), in flight at once. */
    private static final int BACKGROUND_MAX = 64;

    /** HAMMER2 and most others keep microseconds. */
    private static final int TIME_GRANULARITY_NANOS = 1000;

    /** The largest write a kernel can be told to send (256 pages). */
    private static final int WRITE_BYTES_LIMIT = 1 << 20;

    private static final int WANTED_FLAGS = Wire.InitFlag.ASYNC_READ
            | Wire.InitFlag.EXPORT_SUPPORT
            | Wire.InitFlag.BIG_WRITES
            | Wire.InitFlag.DO_READDIRPLUS
            | Wire.InitFlag.READDIRPLUS_AUTO
            | Wire.InitFlag.ASYNC_DIO
            | Wire.InitFlag.NO_OPEN_SUPPORT
            | Wire.InitFlag.PARALLEL_DIROPS
            | Wire.InitFlag.MAX_PAGES
            | Wire.InitFlag.CACHE_SYMLINKS
            | Wire.InitFlag.NO_OPENDIR_SUPPORT
            | Wire.InitFlag.EXPLICIT_INVAL_DATA;

    /**
     * For mounts that can be written. Set-id bits: of the two ways only the second tells with each request whether its caller
     * may keep them; a kernel without it (before 5.12) clears them itself. Not here: DONT_MASK, as the kernel knows the umask;
     * POSIX_LOCKS and FLOCK_LOCKS, as it keeps the locks of a file system that nobody shares.
     */
    private static final int WANTED_FLAGS_WRITABLE =
            Wire.InitFlag.ATOMIC_O_TRUNC | Wire.InitFlag.WRITEBACK_CACHE | Wire.InitFlag.HANDLE_KILLPRIV_V2;

    private Handshake() {}

    /** {@code max_write}. No file data comes in on a read-only mount; the kernel takes no less than a page. */
    static int writeBytesMax(FuseMountOptions options) {
        return options.readOnly() ? Wire.WRITE_BYTES_MIN : WRITE_BYTES_LIMIT;
    }

    /**
     * Waits for INIT and answers it. After this the connection carries requests.
     *
     * @param fd a non-blocking /dev/fuse of a fresh mount
     */
    static void run(int fd, FuseMountOptions options) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(Libc.ERRNO_BYTES, 8);
            MemorySegment request = arena.allocate(Slot.REQUEST_BYTES, 8);
            MemorySegment reply = arena.allocate(Wire.Out.BYTES + Wire.InitOut.BYTES, 8);
            boolean agreed = false;
            while (!agreed) {
                long bytes = nextRequest(errno, fd, request);
                agreed = answer(request, bytes, reply, options);
                long written = Libc.write(errno, fd, reply, Wire.getInt(reply, Wire.Out.LEN));
                if (written < 0) {
                    throw new IOException("the kernel refused to start the FUSE connection: " + Libc.describe(written));
                }
            }
        }
    }

    private static long nextRequest(MemorySegment errno, int fd, MemorySegment request) throws IOException {
        while (true) {
            if (Libc.pollIn(fd, WAIT_MILLIS) == 0) {
                throw new IOException("the kernel did not start the FUSE connection");
            }
            long bytes = Libc.read(errno, fd, request, request.byteSize());
            if (bytes >= 0) {
                return bytes;
            }
            if (bytes != -Libc.EINTR && bytes != -Libc.EAGAIN) {
                throw new IOException("the FUSE connection ended before it began: " + Libc.describe(bytes));
            }
        }
    }

    /**
     * @return whether both sides now agree; if not, the kernel speaks a newer major version and asks again with ours
     * @throws IOException when the kernel is too old or says something else first
     */
    static boolean answer(MemorySegment request, long bytes, MemorySegment reply, FuseMountOptions options)
            throws IOException {
        if (bytes < Wire.In.BYTES + Wire.InitIn.BYTES_MIN || Wire.getInt(request, Wire.In.OPCODE) != Opcode.INIT) {
            throw new IOException("the kernel did not begin the FUSE connection with INIT");
        }
        int major = Wire.getInt(request, Wire.In.BYTES + Wire.InitIn.MAJOR);
        int minor = Wire.getInt(request, Wire.In.BYTES + Wire.InitIn.MINOR);
        if (major < Wire.MAJOR || (major == Wire.MAJOR && minor < Wire.MINOR_MIN)) {
            throw new IOException("this kernel speaks FUSE " + major + "." + minor + "; " + Wire.MAJOR + "."
                    + Wire.MINOR_MIN + " (Linux 5.4) is needed, or -o transport=jnr");
        }
        boolean agreed = major == Wire.MAJOR;
        reply.fill((byte) 0);
        Wire.putInt(reply, Wire.Out.LEN, Wire.Out.BYTES + Wire.InitOut.BYTES);
        Wire.putLong(reply, Wire.Out.UNIQUE, Wire.getLong(request, Wire.In.UNIQUE));
        long out = Wire.Out.BYTES;
        Wire.putInt(reply, out + Wire.InitOut.MAJOR, Wire.MAJOR);
        Wire.putInt(reply, out + Wire.InitOut.MINOR, agreed ? Math.min(minor, Wire.MINOR_MAX) : Wire.MINOR_MAX);
        if (agreed) {
            int offered = Wire.getInt(request, Wire.In.BYTES + Wire.InitIn.FLAGS);
            int wanted = options.readOnly() ? WANTED_FLAGS : WANTED_FLAGS | WANTED_FLAGS_WRITABLE;
            putLimits(reply, out, offered & wanted, options);
        }
        return agreed;
    }

    private static void putLimits(MemorySegment reply, long out, int flags, FuseMountOptions options) {
        Wire.putInt(reply, out + Wire.InitOut.FLAGS, flags);
        Wire.putInt(reply, out + Wire.InitOut.READ_AHEAD_MAX, options.readAheadBytes());
        Wire.putShort(reply, out + Wire.InitOut.BACKGROUND_MAX, BACKGROUND_MAX);
        Wire.putShort(reply, out + Wire.InitOut.CONGESTION_THRESHOLD, BACKGROUND_MAX * 3 / 4);
        Wire.putInt(reply, out + Wire.InitOut.WRITE_BYTES_MAX, writeBytesMax(options));
        Wire.putInt(reply, out + Wire.InitOut.TIME_GRANULARITY, TIME_GRANULARITY_NANOS);
        Wire.putShort(
                reply, out + Wire.InitOut.PAGES_MAX, Math.max(options.readBytesMax(), writeBytesMax(options)) / 4096);
    }
}
