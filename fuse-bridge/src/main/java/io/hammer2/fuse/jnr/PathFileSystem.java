package io.hammer2.fuse.jnr;

import io.hammer2.fuse.DirectorySink;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.NodeChange;
import io.hammer2.fuse.VolumeStatistics;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import jnr.ffi.Pointer;
import jnr.ffi.Runtime;
import jnr.ffi.Struct;
import ru.serce.jnrfuse.FuseFillDir;
import ru.serce.jnrfuse.FuseStubFS;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.FuseContext;
import ru.serce.jnrfuse.struct.FuseFileInfo;
import ru.serce.jnrfuse.struct.Statvfs;
import ru.serce.jnrfuse.struct.Timespec;

/**
 * The callbacks that libfuse makes, on its own threads: each turns C structures into arguments of {@link PathOperations} and back.
 * What is not overridden is not registered, and libfuse answers ENOSYS for it: flush, after which the host asks no more.
 */
final class PathFileSystem extends FuseStubFS {
    private static final int ACCESS_MODE = 3;

    /** utimensat(2) of Linux: in the nanoseconds, instead of a time. */
    private static final long UTIME_NOW = (1L << 30) - 1;

    private static final long UTIME_OMIT = (1L << 30) - 2;

    /** Behind the pointer to bmap in {@code struct fuse_operations}: utimens knows the two values above. */
    private static final int FLAG_UTIME_OMIT_OK = 4;

    private static final int IOCTL_SIZE_SHIFT = 16;
    private static final int IOCTL_SIZE_MASK = 0x3fff;
    private static final int IOCTL_WRITES = 1 << 30;
    private static final int IOCTL_READS = 1 << 31;

    /** {@code _IOR('f', 1, long)} and {@code _IOW('f', 2, long)} carry an int, whatever they say. */
    private static final int IOCTL_GET_FLAGS = 0x80086601;

    private static final int IOCTL_SET_FLAGS = 0x40086602;

    /** libfuse 2.9's {@code struct fuse_conn_info}. */
    private static final int CONNECTION_CAPABLE = 20;

    private static final int CONNECTION_WANT = 24;
    private static final int CONNECTION_BACKGROUND_MAX = 28;
    private static final int CAPABILITY_IOCTL_DIR = 1 << 11;
    private static final int BACKGROUND_MAX = 64;

    /** As many as libfuse 2.9 takes. */
    private static final int WRITE_BYTES_MAX = 128 << 10;

    private static final int PERMISSIONS = 07777;

    private static final boolean LINUX = FuseErrno.EAGAIN.number() == FuseErrno.EAGAIN.linux();

    private final PathOperations operations;
    private final FuseMountOptions options;
    private final CountDownLatch initialized = new CountDownLatch(1);
    private java.lang.Runnable onExit = () -> {};

    PathFileSystem(PathOperations operations, FuseMountOptions options) {
        this.operations = operations;
        this.options = options;
        if (LINUX) {
            long flags = fuseOperations.bmap.offset() + Long.BYTES;
            Pointer table = Struct.getMemory(fuseOperations);
            table.putInt(flags, table.getInt(flags) | FLAG_UTIME_OMIT_OK);
        }
    }

    /** Counted down when the kernel has begun the connection. */
    CountDownLatch initialized() {
        return initialized;
    }

    /** jnr-fuse has its own hook at the JVM's end, which calls {@link #umount}. */
    void onExit(java.lang.Runnable close) {
        this.onExit = close;
    }

    @Override
    public void umount() {
        onExit.run();
    }

    @Override
    public Pointer init(Pointer connection) {
        if (LINUX) {
            int capable = connection.getInt(CONNECTION_CAPABLE);
            connection.putInt(CONNECTION_WANT, connection.getInt(CONNECTION_WANT) | (capable & CAPABILITY_IOCTL_DIR));
            connection.putInt(CONNECTION_BACKGROUND_MAX, BACKGROUND_MAX);
        }
        initialized.countDown();
        return null;
    }

    private FuseCall caller() {
        FuseContext context = getContext();
        return new PathOperations.Caller((int) context.uid.get(), (int) context.gid.get(), (int) context.pid.get());
    }

    @Override
    public int getattr(String path, FileStat stat) {
        return (int) operations.getattr(caller(), path, found -> fill(found, stat));
    }

    private static void fill(NodeAttributes found, FileStat stat) {
        stat.st_ino.set(found.node());
        stat.st_mode.set(found.mode());
        stat.st_nlink.set(found.linkCount());
        stat.st_uid.set(Integer.toUnsignedLong(found.uid()));
        stat.st_gid.set(Integer.toUnsignedLong(found.gid()));
        stat.st_rdev.set(device(found.deviceMajor(), found.deviceMinor()));
        stat.st_size.set(found.sizeBytes());
        stat.st_blocks.set(found.blocks512());
        stat.st_blksize.set(found.blockSizeBytes());
        stat.st_atim.tv_sec.set(seconds(found.atimeMicros()));
        stat.st_atim.tv_nsec.set(nanos(found.atimeMicros()));
        stat.st_mtim.tv_sec.set(seconds(found.mtimeMicros()));
        stat.st_mtim.tv_nsec.set(nanos(found.mtimeMicros()));
        stat.st_ctim.tv_sec.set(seconds(found.ctimeMicros()));
        stat.st_ctim.tv_nsec.set(nanos(found.ctimeMicros()));
        if (stat.st_birthtime != null) { // macOS alone has it
            stat.st_birthtime.tv_sec.set(seconds(found.btimeMicros()));
            stat.st_birthtime.tv_nsec.set(nanos(found.btimeMicros()));
        }
    }

    /** The C library's form of a device number, where both halves are small: the same on Linux and with 8 bits each on macOS. */
    private static long device(int major, int minor) {
        return LINUX
                ? (minor & 0xffL) | (major & 0xfffL) << 8 | (minor & 0xfff00L) << 12
                : (major & 0xffL) << 24 | (minor & 0xffffffL);
    }

    private static long seconds(long micros) {
        return Math.floorDiv(micros, 1_000_000L);
    }

    private static long nanos(long micros) {
        return Math.floorMod(micros, 1_000_000L) * 1000;
    }

    @Override
    public int readlink(String path, Pointer into, long bytes) {
        return (int) operations.readlink(caller(), path, segment(into, bytes));
    }

    private static MemorySegment segment(Pointer at, long bytes) {
        return MemorySegment.ofAddress(at.address()).reinterpret(bytes);
    }

    @Override
    public int open(String path, FuseFileInfo file) {
        int flags = file.flags.get();
        if (operations.opensAreStateless()) {
            return (flags & ACCESS_MODE) == 0 ? 0 : -FuseErrno.EROFS.number();
        }
        return opened(operations.open(caller(), path, flags), file);
    }

    @Override
    public int create(String path, long mode, FuseFileInfo file) {
        return opened(operations.create(caller(), path, (int) mode, file.flags.get()), file);
    }

    @Override
    public int opendir(String path, FuseFileInfo file) {
        return operations.opendirsAreStateless() ? 0 : opened(operations.opendir(caller(), path), file);
    }

    private static int opened(long handle, FuseFileInfo file) {
        if (handle < 0) {
            return (int) handle;
        }
        file.fh.set(handle);
        return 0;
    }

    @Override
    public int release(String path, FuseFileInfo file) {
        return operations.opensAreStateless() ? 0 : (int) operations.release(file.fh.get());
    }

    @Override
    public int releasedir(String path, FuseFileInfo file) {
        return operations.opendirsAreStateless() ? 0 : (int) operations.releasedir(caller(), path, file.fh.get());
    }

    @Override
    public int read(String path, Pointer into, long bytes, long offset, FuseFileInfo file) {
        return (int) operations.read(caller(), path, file.fh.get(), offset, segment(into, bytes));
    }

    @Override
    public int write(String path, Pointer from, long bytes, long offset, FuseFileInfo file) {
        return (int) operations.write(caller(), path, file.fh.get(), offset, segment(from, bytes));
    }

    @Override
    public int fgetattr(String path, FileStat stat, FuseFileInfo file) {
        return (int) operations.getattr(caller(), path, file.fh.get(), found -> fill(found, stat));
    }

    @Override
    public int truncate(String path, long size) {
        return setattr(path, 0, new NodeChange().size(size));
    }

    @Override
    public int ftruncate(String path, long size, FuseFileInfo file) {
        return setattr(path, file.fh.get(), new NodeChange().size(size));
    }

    private int setattr(String path, long file, NodeChange change) {
        return (int) operations.setattr(caller(), path, file, change);
    }

    @Override
    public int chmod(String path, long mode) {
        return setattr(path, 0, new NodeChange().mode((int) mode & PERMISSIONS));
    }

    /** An id of -1 stays. */
    @Override
    public int chown(String path, long uid, long gid) {
        NodeChange change = new NodeChange();
        if ((int) uid != -1) {
            change.uid((int) uid);
        }
        if ((int) gid != -1) {
            change.gid((int) gid);
        }
        return setattr(path, 0, change);
    }

    @Override
    public int utimens(String path, Timespec[] times) {
        NodeChange change = new NodeChange();
        long accessNanos = times[0].tv_nsec.longValue();
        long modificationNanos = times[1].tv_nsec.longValue();
        if (LINUX && accessNanos == UTIME_NOW) {
            change.atimeNow();
        } else if (!LINUX || accessNanos != UTIME_OMIT) {
            change.atimeMicros(micros(times[0].tv_sec.get(), accessNanos));
        }
        if (LINUX && modificationNanos == UTIME_NOW) {
            change.mtimeNow();
        } else if (!LINUX || modificationNanos != UTIME_OMIT) {
            change.mtimeMicros(micros(times[1].tv_sec.get(), modificationNanos));
        }
        return setattr(path, 0, change);
    }

    private static long micros(long seconds, long nanos) {
        long bound = Long.MAX_VALUE / 1_000_000 - 1;
        return Math.clamp(seconds, -bound, bound) * 1_000_000 + nanos / 1000;
    }

    @Override
    public int mknod(String path, long mode, long device) {
        int major = LINUX ? (int) (device >>> 8 & 0xfff) : (int) (device >>> 24 & 0xff);
        int minor = LINUX ? (int) ((device & 0xff) | (device >>> 12 & 0xfff00)) : (int) (device & 0xffffff);
        return (int) operations.mknod(caller(), path, (int) mode, major, minor);
    }

    @Override
    public int mkdir(String path, long mode) {
        return (int) operations.mkdir(caller(), path, (int) mode);
    }

    @Override
    public int symlink(String target, String path) {
        return (int) operations.symlink(caller(), target, path);
    }

    @Override
    public int link(String path, String newPath) {
        return (int) operations.link(caller(), path, newPath);
    }

    @Override
    public int unlink(String path) {
        return (int) operations.unlink(caller(), path);
    }

    @Override
    public int rmdir(String path) {
        return (int) operations.rmdir(caller(), path);
    }

    @Override
    public int rename(String path, String newPath) {
        return (int) operations.rename(caller(), path, newPath);
    }

    @Override
    public int fsync(String path, int dataOnly, FuseFileInfo file) {
        return (int) operations.fsync(caller(), path, file.fh.get(), dataOnly != 0);
    }

    @Override
    public int fsyncdir(String path, FuseFileInfo file) {
        return (int) operations.fsync(caller(), path, 0, false);
    }

    @Override
    public int fallocate(String path, int mode, long offset, long length, FuseFileInfo file) {
        return (int) operations.fallocate(caller(), path, file.fh.get(), offset, length, mode);
    }

    @Override
    public int readdir(String path, Pointer buffer, FuseFillDir filler, long cookie, FuseFileInfo file) {
        FileStat stat = new FileStat(Runtime.getSystemRuntime());
        Pointer memory = Struct.getMemory(stat);
        ByteBuffer terminated = ByteBuffer.allocateDirect(1025);
        DirectorySink sink = (node, typeBits, name, nextCookie) -> {
            if (!listable(name)) {
                return true;
            }
            stat.st_ino.set(node);
            stat.st_mode.set(typeBits & NodeAttributes.TYPE_MASK);
            terminated.clear();
            MemorySegment.ofBuffer(terminated).asSlice(0, name.byteSize()).copyFrom(name);
            terminated.put((int) name.byteSize(), (byte) 0);
            return filler.apply(buffer, terminated, memory, nextCookie) == 0;
        };
        return (int) operations.readdir(caller(), path, file.fh.get(), cookie, sink);
    }

    /** A slash would make the kernel refuse the whole listing, and a zero would cut the name. */
    private static boolean listable(MemorySegment name) {
        long bytes = name.byteSize();
        for (long i = 0; i < bytes; i++) {
            byte b = name.get(ValueLayout.JAVA_BYTE, i);
            if (b == '/' || b == 0) {
                return false;
            }
        }
        return bytes > 0 && bytes <= 1024;
    }

    @Override
    public int statfs(String path, Statvfs into) {
        VolumeStatistics volume = new VolumeStatistics();
        int result = (int) operations.statfs(caller(), volume);
        if (result == 0) {
            into.f_bsize.set(volume.blockSizeBytes());
            into.f_frsize.set(volume.blockSizeBytes());
            into.f_blocks.set(volume.blocks());
            into.f_bfree.set(volume.blocksFree());
            into.f_bavail.set(volume.blocksAvailable());
            into.f_files.set(volume.nodes());
            into.f_ffree.set(volume.nodesFree());
            into.f_favail.set(volume.nodesFree());
            into.f_namemax.set(volume.nameBytesMax());
        }
        return result;
    }

    @Override
    public int access(String path, int mask) {
        return (int) operations.access(caller(), path, mask);
    }

    @Override
    public int ioctl(String path, int command, Pointer argument, FuseFileInfo file, long flags, Pointer data) {
        boolean isInt = command == IOCTL_GET_FLAGS || command == IOCTL_SET_FLAGS;
        int bytes = isInt ? Integer.BYTES : command >>> IOCTL_SIZE_SHIFT & IOCTL_SIZE_MASK;
        int inBytes = (command & IOCTL_WRITES) != 0 ? bytes : 0;
        int outBytes = (command & IOCTL_READS) != 0 ? bytes : 0;
        MemorySegment memory = data == null ? MemorySegment.NULL : segment(data, bytes);
        if (memory.byteSize() < Math.max(inBytes, outBytes)) {
            return -FuseErrno.EINVAL.number();
        }
        return (int) operations.ioctl(caller(), path, command, inBytes, outBytes, memory);
    }

    /** Words for libfuse's command line. */
    String[] mountWords() {
        StringBuilder words = new StringBuilder("-o");
        words.append(options.readOnly() ? "ro" : "rw");
        words.append(",fsname=").append(escape(options.source()));
        words.append(",subtype=").append(escape(options.subtype()));
        words.append(",use_ino");
        // To libfuse every name of a file is a file of its own: what changes through one must not be cached through
        // another.
        Duration attributes = options.readOnly() ? options.attributeValid() : Duration.ZERO;
        words.append(",attr_timeout=").append(attributes.toMillis() / 1000.0);
        words.append(",entry_timeout=").append(options.entryValid().toMillis() / 1000.0);
        words.append(",negative_timeout=").append(options.negativeValid().toMillis() / 1000.0);
        words.append(",max_read=").append(options.readBytesMax());
        words.append(",max_readahead=").append(options.readAheadBytes());
        if (LINUX && !options.readOnly()) {
            words.append(",big_writes,max_write=").append(WRITE_BYTES_MAX);
        }
        words.append(options.suid() ? ",suid" : ",nosuid");
        words.append(options.devices() ? ",dev" : ",nodev");
        words.append(options.exec() ? ",exec" : ",noexec");
        if (options.keepCache() && options.readOnly()) {
            words.append(",kernel_cache");
        }
        if (options.allowOther()) {
            words.append(",allow_other");
        }
        if (options.defaultPermissions()) {
            words.append(",default_permissions");
        }
        if (LINUX) {
            words.append(",nonempty"); // as mount(8): what lies below is covered
        }
        return new String[] {words.toString()};
    }

    private static String escape(String value) {
        return value.replace("\\", "\\\\").replace(",", "\\,");
    }
}
