package io.hammer2.blockdev;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A disk, a partition, a loop device: past the page cache where the system can (O_DIRECT), so that what we cache is not kept
 * twice and a completed write has met the device.
 *
 * <p>Opened for writing it is claimed with O_EXCL, which the kernel refuses while the device is mounted, is swap, lies below
 * another device, or is claimed by another of us; readers and writers among us also exclude each other by flock(2) on the
 * device node. A request that is not of whole, aligned sectors is copied through an aligned buffer; a write of part of a
 * sector reads the rest of it first.
 */
public final class RawBlockDevice extends HostBlockDevice {
    /** Who watches for new devices looks into them under a shared lock, for a moment. */
    private static final int LOCK_TRIES = 50;

    private static final long LOCK_RETRY_NANOS = 10_000_000;

    private final PosixFile file;
    private final Geometry geometry;
    private final AtomicBoolean discardUnsupported = new AtomicBoolean();

    /**
     * Two writes to different parts of one sector must not read it both before either has written it. Who writes the whole
     * of a sector at the same time overlaps with the request itself, which the contract leaves open.
     */
    private final ReentrantLock partialSectorWrites = new ReentrantLock();

    /** What the device says of itself. */
    private record Geometry(long sizeBytes, int logicalSectorBytes, int physicalSectorBytes) {}

    private RawBlockDevice(Path path, PosixFile file, boolean readOnly, Geometry geometry) {
        super(path, readOnly, geometry.sizeBytes);
        this.file = file;
        this.geometry = geometry;
    }

    /**
     * Opens a block device.
     *
     * @throws DeviceBusyException when it is in use in a way that excludes this open
     */
    public static RawBlockDevice open(Path path, OpenMode mode) throws IOException {
        PosixFile file = openDirect(path, mode.writes() ? Posix.O_RDWR | Posix.O_EXCL : Posix.O_RDONLY);
        try {
            if (Posix.MACOS) {
                // May be refused; then it is only slower.
                int ignored = Posix.fcntl(file.fd(), Posix.F_NOCACHE, 1);
                assert ignored <= 0;
            }
            if (mode != OpenMode.INSPECT) {
                lock(path, file, mode.writes());
            }
            Geometry geometry = Posix.MACOS ? geometryMacos(path, file) : geometryLinux(path, file);
            if (mode.writes() && !Posix.MACOS && ioctlInt(path, file, Posix.BLKROGET, "read-only state") != 0) {
                throw new IOException(path + ": the device is write-protected");
            }
            return new RawBlockDevice(path, file, !mode.writes(), geometry);
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    @Override
    long sizeNow() throws IOException {
        return (Posix.MACOS ? geometryMacos(path, file) : geometryLinux(path, file)).sizeBytes;
    }

    @Override
    public int alignmentBytes() {
        return geometry.logicalSectorBytes;
    }

    /** The unit that the medium itself writes; at least {@link #alignmentBytes}. */
    public int physicalSectorBytes() {
        return geometry.physicalSectorBytes;
    }

    @Override
    void readNow(long offsetBytes, MemorySegment into) throws IOException {
        if (isAligned(offsetBytes, into)) {
            file.readFully(offsetBytes, into);
            return;
        }
        MemorySegment buffer = AlignedBuffers.take();
        try {
            for (long at = 0; at < into.byteSize(); ) {
                long sector = sectorStart(offsetBytes + at);
                long skip = offsetBytes + at - sector;
                long n = Math.min(into.byteSize() - at, AlignedBuffers.BUFFER_BYTES - skip);
                file.readFully(sector, buffer.asSlice(0, sectorEnd(skip + n)));
                MemorySegment.copy(buffer, skip, into, at, n);
                at += n;
            }
        } finally {
            AlignedBuffers.give(buffer);
        }
    }

    @Override
    void writeNow(long offsetBytes, MemorySegment from) throws IOException {
        if (isAligned(offsetBytes, from)) {
            file.writeFully(offsetBytes, from);
            return;
        }
        boolean partial = !isSectors(offsetBytes, from.byteSize());
        if (partial) {
            partialSectorWrites.lock();
        }
        MemorySegment buffer = AlignedBuffers.take();
        try {
            for (long at = 0; at < from.byteSize(); ) {
                long sector = sectorStart(offsetBytes + at);
                long skip = offsetBytes + at - sector;
                long n = Math.min(from.byteSize() - at, AlignedBuffers.BUFFER_BYTES - skip);
                MemorySegment sectors = buffer.asSlice(0, sectorEnd(skip + n));
                readEdges(sector, sectors, skip, n);
                MemorySegment.copy(from, at, sectors, skip, n);
                file.writeFully(sector, sectors);
                at += n;
            }
        } finally {
            AlignedBuffers.give(buffer);
            if (partial) {
                partialSectorWrites.unlock();
            }
        }
    }

    /** Fills the first and last sector where {@code length} bytes from {@code skip} on do not cover them. */
    private void readEdges(long offset, MemorySegment sectors, long skip, long length) throws IOException {
        int sectorBytes = geometry.logicalSectorBytes;
        long last = sectors.byteSize() - sectorBytes;
        if (skip != 0) {
            file.readFully(offset, sectors.asSlice(0, sectorBytes));
        }
        if (skip + length != sectors.byteSize() && (last != 0 || skip == 0)) {
            file.readFully(offset + last, sectors.asSlice(last, sectorBytes));
        }
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
        long start = sectorEnd(offsetBytes);
        long end = sectorStart(offsetBytes + lengthBytes);
        if (start >= end || discardUnsupported.get()) {
            return;
        }
        int result;
        do {
            result = Posix.MACOS ? discardMacos(start, end - start) : discardLinux(start, end - start);
        } while (result == -Posix.EINTR);
        if (result == -Posix.EOPNOTSUPP || result == -Posix.ENOTSUP || result == -Posix.ENOTTY) {
            discardUnsupported.set(true);
        } else if (result < 0) {
            throw file.failure("discard of " + lengthBytes + " bytes", offsetBytes, -result);
        }
    }

    /** u64 start, u64 length, in bytes. */
    private int discardLinux(long start, long length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment range = arena.allocateFrom(JAVA_LONG, start, length);
            return Posix.ioctl(file.fd(), Posix.BLKDISCARD, range);
        }
    }

    /** dk_unmap_t: pointer to extents, u32 count, u32 options; dk_extent_t: u64 offset, u64 length, in bytes. */
    private int discardMacos(long start, long length) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment extent = arena.allocateFrom(JAVA_LONG, start, length);
            MemorySegment unmap = arena.allocate(16, 8);
            unmap.set(ADDRESS, 0, extent);
            unmap.set(JAVA_INT, 8, 1);
            return Posix.ioctl(file.fd(), Posix.DKIOCUNMAP, unmap);
        }
    }

    private boolean isAligned(long offsetBytes, MemorySegment segment) {
        return segment.isNative()
                && isSectors(offsetBytes, segment.byteSize())
                && (segment.address() & (geometry.logicalSectorBytes - 1)) == 0;
    }

    private boolean isSectors(long offsetBytes, long lengthBytes) {
        return ((offsetBytes | lengthBytes) & (geometry.logicalSectorBytes - 1)) == 0;
    }

    private long sectorStart(long offset) {
        return offset & -(long) geometry.logicalSectorBytes;
    }

    private long sectorEnd(long offset) {
        return sectorStart(offset + geometry.logicalSectorBytes - 1);
    }

    private static PosixFile openDirect(Path path, int flags) throws IOException {
        int fd = PosixFile.tryOpen(path, flags | Posix.O_DIRECT);
        if (fd == -Posix.EINVAL) {
            // A kind of device without direct I/O: through the page cache, as correct.
            fd = PosixFile.tryOpen(path, flags);
        }
        if (fd == -Posix.EBUSY) {
            throw new DeviceBusyException(path.toString(), DeviceHolders.ofClaim(path));
        }
        return PosixFile.of(path, fd);
    }

    private static void lock(Path path, PosixFile file, boolean exclusive) throws IOException {
        for (int tries = 1; !file.tryLock(exclusive); tries++) {
            if (tries == LOCK_TRIES) {
                throw new DeviceBusyException(path.toString(), DeviceHolders.ofLock(path));
            }
            LockSupport.parkNanos(LOCK_RETRY_NANOS);
        }
    }

    private static Geometry geometryLinux(Path path, PosixFile file) throws IOException {
        long size = ioctlLong(path, file, Posix.BLKGETSIZE64, "size");
        int logical = ioctlInt(path, file, Posix.BLKSSZGET, "sector size");
        int physical = ioctlInt(path, file, Posix.BLKPBSZGET, "physical sector size");
        return geometry(path, size, logical, physical);
    }

    private static Geometry geometryMacos(Path path, PosixFile file) throws IOException {
        int logical = ioctlInt(path, file, Posix.DKIOCGETBLOCKSIZE, "sector size");
        long count = ioctlLong(path, file, Posix.DKIOCGETBLOCKCOUNT, "number of sectors");
        int physical = ioctlInt(path, file, Posix.DKIOCGETPHYSICALBLOCKSIZE, "physical sector size");
        return geometry(path, Math.multiplyExact(count, logical), logical, physical);
    }

    private static Geometry geometry(Path path, long size, int logical, int physical) throws IOException {
        if (logical < 512 || logical > AlignedBuffers.ADDRESS_ALIGNMENT || Integer.bitCount(logical) != 1) {
            throw new IOException(path + ": sectors of " + logical + " bytes are not supported");
        }
        if (size < 0 || size % logical != 0) {
            throw new IOException(path + ": reports a size of " + size + " bytes and sectors of " + logical);
        }
        return new Geometry(size, logical, Math.max(physical, logical));
    }

    private static long ioctlLong(Path path, PosixFile file, long request, String what) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(JAVA_LONG);
            check(path, Posix.ioctl(file.fd(), request, answer), what);
            return answer.get(JAVA_LONG, 0);
        }
    }

    private static int ioctlInt(Path path, PosixFile file, long request, String what) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(JAVA_INT);
            check(path, Posix.ioctl(file.fd(), request, answer), what);
            return answer.get(JAVA_INT, 0);
        }
    }

    private static void check(Path path, int result, String what) throws IOException {
        if (result < 0) {
            throw new IOException(
                    "%s: does not tell its %s: %s (errno %d)".formatted(path, what, Posix.strerror(-result), -result));
        }
    }
}
