package io.hammer2.blockdev;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;

/**
 * An open file or device node: positional transfers that are whole or an {@link IOException} with device and offset.
 * Blocks; safe for any number of threads, except that nothing may run when {@link #close} does.
 */
final class PosixFile {
    /** One system call moves less than 2 GiB; a multiple of every sector size. */
    private static final long TRANSFER_BYTES_MAX = 1L << 30;

    private final Path path;
    private final int fd;

    /** The first flush that failed; from then on the kernel may have dropped dirty pages, and no flush can be believed. */
    private final AtomicReference<IOException> flushFailure = new AtomicReference<>();

    private final AtomicBoolean noWaitUnsupported = new AtomicBoolean();

    private PosixFile(Path path, int fd) {
        this.path = path;
        this.fd = fd;
    }

    /** Opens with the flags given and close-on-exec. */
    static PosixFile open(Path path, int flags) throws IOException {
        return of(path, tryOpen(path, flags));
    }

    /** Returns a descriptor, close-on-exec, or the errno negated */
    static int tryOpen(Path path, int flags) {
        int fd;
        do {
            fd = Posix.open(path, flags | Posix.O_CLOEXEC);
        } while (fd == -Posix.EINTR);
        return fd;
    }

    /** @param fd what {@link #tryOpen} answered */
    static PosixFile of(Path path, int fd) throws IOException {
        if (fd < 0) {
            throw openFailure(path, -fd);
        }
        return new PosixFile(path, fd);
    }

    int fd() {
        return fd;
    }

    void readFully(long offset, MemorySegment into) throws IOException {
        for (long at = 0; at < into.byteSize(); ) {
            MemorySegment rest = into.asSlice(at, Math.min(into.byteSize() - at, TRANSFER_BYTES_MAX));
            long n = Posix.pread(fd, rest, offset + at);
            if (n == -Posix.EINTR) {
                continue;
            }
            if (n < 0) {
                throw failure("read of " + into.byteSize() + " bytes", offset, (int) -n);
            }
            if (n == 0) {
                throw new IOException(
                        "%s: read of %d bytes at offset %d ended after %d: the device has shrunk or vanished"
                                .formatted(path, into.byteSize(), offset, at));
            }
            at += n;
        }
    }

    /** Reads from the page cache. Returns false when not all of it is there, or the system does not tell. */
    boolean readCached(long offset, MemorySegment into) {
        if (Posix.MACOS || noWaitUnsupported.get()) {
            return false;
        }
        long n = Posix.preadNoWait(fd, into, offset);
        if (n == -Posix.EOPNOTSUPP || n == -Posix.ENOSYS || n == -Posix.EINVAL) {
            noWaitUnsupported.set(true);
        }
        return n == into.byteSize();
    }

    void writeFully(long offset, MemorySegment from) throws IOException {
        for (long at = 0; at < from.byteSize(); ) {
            MemorySegment rest = from.asSlice(at, Math.min(from.byteSize() - at, TRANSFER_BYTES_MAX));
            long n = Posix.pwrite(fd, rest, offset + at);
            if (n == -Posix.EINTR) {
                continue;
            }
            if (n < 0) {
                throw failure("write of " + from.byteSize() + " bytes", offset, (int) -n);
            }
            if (n == 0) {
                throw new IOException(
                        "%s: write of %d bytes at offset %d ended after %d: the device has shrunk or vanished"
                                .formatted(path, from.byteSize(), offset, at));
            }
            at += n;
        }
    }

    /** Writes the parts one behind the other, at most {@link Posix#PWRITEV_MAX} of them and less than 2 GiB. */
    void writeFully(long offset, MemorySegment[] parts) throws IOException {
        long n;
        do {
            n = Posix.pwritev(fd, parts, offset);
        } while (n == -Posix.EINTR);
        if (n < 0) {
            throw failure("write of " + parts.length + " parts", offset, (int) -n);
        }
        // What a short write has left, which is rare, goes part by part.
        long at = 0;
        for (MemorySegment part : parts) {
            long done = Math.clamp(n - at, 0, part.byteSize());
            if (done < part.byteSize()) {
                writeFully(offset + at + done, part.asSlice(done));
            }
            at += part.byteSize();
        }
    }

    /**
     * Lets the system begin to bring a range from its cache to the medium, so that a later {@link #flush} has less to wait for. It
     * makes nothing durable; what goes wrong in it, the flush reports.
     */
    void beginWriteback(long offset, long length) {
        if (!Posix.MACOS) {
            int ignored = Posix.syncFileRange(fd, offset, length, Posix.SYNC_FILE_RANGE_WRITE);
        }
    }

    /** Makes completed writes durable; once it has failed it fails for ever. */
    void flush() throws IOException {
        IOException earlier = flushFailure.get();
        if (earlier != null) {
            throw new IOException(path + ": flush refused: an earlier one failed and its writes may be lost", earlier);
        }
        int result;
        do {
            result = Posix.MACOS ? Posix.fcntl(fd, Posix.F_FULLFSYNC, 0) : Posix.fdatasync(fd);
            if (Posix.MACOS && (result == -Posix.ENOTSUP || result == -Posix.ENOTTY)) {
                // Volumes without a drive cache to go through.
                result = Posix.fdatasync(fd);
            }
        } while (result == -Posix.EINTR);
        if (result < 0) {
            IOException failure = new IOException(
                    "%s: flush failed: %s (errno %d)".formatted(path, Posix.strerror(-result), -result));
            flushFailure.compareAndSet(null, failure);
            throw failure;
        }
    }

    /** Where the file or device ends, now. */
    long sizeBytes() throws IOException {
        long size = Posix.lseek(fd, 0, Posix.SEEK_END);
        if (size < 0) {
            throw new IOException(
                    "%s: size unknown: %s (errno %d)".formatted(path, Posix.strerror((int) -size), -size));
        }
        return size;
    }

    /** Returns false when another open of the file, in any process, holds a lock that excludes this one */
    boolean tryLock(boolean exclusive) throws IOException {
        int operation = (exclusive ? Posix.LOCK_EX : Posix.LOCK_SH) | Posix.LOCK_NB;
        int result;
        do {
            result = Posix.flock(fd, operation);
        } while (result == -Posix.EINTR);
        if (result == -Posix.EAGAIN) {
            return false;
        }
        if (result < 0) {
            throw new IOException(
                    "%s: cannot be locked: %s (errno %d)".formatted(path, Posix.strerror(-result), -result));
        }
        return true;
    }

    /** An error with device, what was done, offset, and the system's reason. */
    IOException failure(String what, long offset, int errno) {
        return new IOException("%s: %s at offset %d failed: %s (errno %d)"
                .formatted(path, what, offset, Posix.strerror(errno), errno));
    }

    /** Gives up lock and exclusive claim too: they belong to the open file. */
    void close() throws IOException {
        int result = Posix.close(fd);
        // After EINTR the descriptor is gone on Linux; closing again could close another thread's new one.
        if (result < 0 && result != -Posix.EINTR) {
            throw new IOException("%s: close failed: %s (errno %d)".formatted(path, Posix.strerror(-result), -result));
        }
    }

    private static IOException openFailure(Path path, int errno) {
        String reason = Posix.strerror(errno);
        return switch (errno) {
            case Posix.ENOENT -> new NoSuchFileException(path.toString(), null, reason);
            case Posix.EACCES, Posix.EPERM, Posix.EROFS -> new AccessDeniedException(path.toString(), null, reason);
            default -> new IOException("%s: cannot be opened: %s (errno %d)".formatted(path, reason, errno));
        };
    }
}
