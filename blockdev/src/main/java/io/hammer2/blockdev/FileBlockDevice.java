package io.hammer2.blockdev;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * An image file, through the page cache of the system it lies on.
 *
 * <p>A read of what is in the page cache completes within the call.
 *
 * <p>A discard makes a hole, so a sparse image stays sparse. The lock is advisory (flock(2)), belongs to this open and so
 * excludes a second one in the same process too, and goes with the process however that ends.
 */
public final class FileBlockDevice extends HostBlockDevice {
    /** macOS refuses holes that are not of whole blocks; Linux zeroes the rest, which is as good. */
    private static final long HOLE_ALIGNMENT_BYTES = Posix.MACOS ? 4096 : 1;

    /**
     * Up to this size, bytes that are in the page cache are copied on the caller's thread: that takes less than to wake
     * another thread and to be woken by it (64 KiB: a quarter). What is not there is left to an I/O thread.
     */
    private static final int COPY_BYTES_MAX = 128 << 10;

    private final PosixFile file;
    private final WriteQueue writes;
    private final AtomicBoolean holesUnsupported = new AtomicBoolean();

    private FileBlockDevice(Path path, PosixFile file, boolean readOnly, long sizeBytes) {
        super(path, readOnly, sizeBytes);
        this.file = file;
        this.writes = new WriteQueue(file, requests);
    }

    /**
     * Opens an existing image file.
     *
     * @throws DeviceBusyException when another open, in this process or another, excludes this one
     */
    public static FileBlockDevice open(Path path, OpenMode mode) throws IOException {
        PosixFile file = PosixFile.open(path, mode.writes() ? Posix.O_RDWR : Posix.O_RDONLY);
        try {
            if (mode != OpenMode.INSPECT && !file.tryLock(mode.writes())) {
                throw new DeviceBusyException(path.toString(), DeviceHolders.ofLock(path));
            }
            return new FileBlockDevice(path, file, !mode.writes(), file.sizeBytes());
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    long sizeNow() throws IOException {
        return file.sizeBytes();
    }

    @Override
    public int alignmentBytes() {
        return 1;
    }

    @Override
    void startRead(long offsetBytes, MemorySegment into, IoCompletion done) {
        if (into.byteSize() <= COPY_BYTES_MAX && requests.now(() -> file.readCached(offsetBytes, into))) {
            done.done(null);
        } else {
            super.startRead(offsetBytes, into, done);
        }
    }

    @Override
    void startWrite(long offsetBytes, MemorySegment from, IoCompletion done) {
        writes.add(offsetBytes, from, done);
    }

    /** A heap segment is copied, since the system call cannot have it. */
    @Override
    public void readFully(long offsetBytes, MemorySegment into) throws IOException {
        if (into.isNative()) {
            super.readFully(offsetBytes, into);
        } else {
            BlockingRequests.read(this, offsetBytes, into);
        }
    }

    /** A heap segment is copied, since the system call cannot have it. */
    @Override
    public void writeFully(long offsetBytes, MemorySegment from) throws IOException {
        if (from.isNative()) {
            super.writeFully(offsetBytes, from);
        } else {
            BlockingRequests.write(this, offsetBytes, from);
        }
    }

    @Override
    void readNow(long offsetBytes, MemorySegment into) throws IOException {
        file.readFully(offsetBytes, into);
    }

    @Override
    void writeNow(long offsetBytes, MemorySegment from) throws IOException {
        file.writeFully(offsetBytes, from);
    }

    @Override
    void flushNow() throws IOException {
        file.flush();
    }

    @Override
    void release() throws IOException {
        file.close();
    }

    @Override
    void discardNow(long offsetBytes, long lengthBytes) throws IOException {
        long start = Math.ceilDiv(offsetBytes, HOLE_ALIGNMENT_BYTES) * HOLE_ALIGNMENT_BYTES;
        long end = (offsetBytes + lengthBytes) / HOLE_ALIGNMENT_BYTES * HOLE_ALIGNMENT_BYTES;
        if (start >= end || holesUnsupported.get()) {
            return;
        }
        int result;
        do {
            result = Posix.MACOS ? punchHoleMacos(start, end - start) : punchHoleLinux(start, end - start);
        } while (result == -Posix.EINTR);
        if (result == -Posix.EOPNOTSUPP || result == -Posix.ENOTSUP || result == -Posix.ENOSYS) {
            holesUnsupported.set(true);
        } else if (result < 0) {
            throw file.failure("discard of " + lengthBytes + " bytes", offsetBytes, -result);
        }
    }

    private int punchHoleLinux(long start, long length) {
        return Posix.fallocate(file.fd(), Posix.FALLOC_FL_PUNCH_HOLE | Posix.FALLOC_FL_KEEP_SIZE, start, length);
    }

    /** fpunchhole_t: u32 flags, u32 reserved, off_t offset, off_t length. */
    private int punchHoleMacos(long start, long length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment hole = arena.allocate(24, 8);
            hole.set(ValueLayout.JAVA_LONG, 8, start);
            hole.set(ValueLayout.JAVA_LONG, 16, length);
            return Posix.fcntl(file.fd(), Posix.F_PUNCHHOLE, hole);
        }
    }
}
