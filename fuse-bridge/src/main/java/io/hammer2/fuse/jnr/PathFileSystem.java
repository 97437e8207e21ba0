package io.hammer2.fuse.jnr;

import io.hammer2.fuse.DirectorySink;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.VolumeStatistics;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
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

/**
 * The callbacks that libfuse makes, on its own threads: each turns C structures into arguments of {@link PathOperations} and back.
 * What is not overridden is not registered; libfuse answers ENOSYS for it, and the host EROFS before that.
 */
final class PathFileSystem extends FuseStubFS {
    private static final int ACCESS_MODE = 3;
    private static final int IOCTL_SIZE_SHIFT = 16;
    private static final int IOCTL_SIZE_MASK = 0x3fff;
    private static final int IOCTL_WRITES = 1 << 30;
    private static final int IOCTL_READS = 1 << 31;

    /** libfuse 2.9's {@code struct fuse_conn_info}. */
    private static final int CONNECTION_CAPABLE = 20;

    private static final int CONNECTION_WANT = 24;
    private static final int CONNECTION_BACKGROUND_MAX = 28;
    private static final int CAPABILITY_IOCTL_DIR = 1 << 11;
    private static final int BACKGROUND_MAX = 64;

    private static final boolean LINUX = FuseErrno.EAGAIN.number() == FuseErrno.EAGAIN.linux();

    private final PathOperations operations;
    private final FuseMountOptions options;
    private final CountDownLatch initialized = new CountDownLatch(1);
    private java.lang.Runnable onExit = () -> {};

    PathFileSystem(PathOperations operations, FuseMountOptions options) {
        this.operations = operations;
        this.options = options;
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
    public int opendir(String path, FuseFileInfo file) {
        return operations.opensAreStateless() ? 0 : opened(operations.opendir(caller(), path), file);
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
        return operations.opensAreStateless() ? 0 : (int) operations.release(caller(), path, file.fh.get());
    }

    @Override
    public int releasedir(String path, FuseFileInfo file) {
        return operations.opensAreStateless() ? 0 : (int) operations.releasedir(caller(), path, file.fh.get());
    }

    @Override
    public int read(String path, Pointer into, long bytes, long offset, FuseFileInfo file) {
        return (int) operations.read(caller(), path, file.fh.get(), offset, segment(into, bytes));
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
        int bytes = (command >>> IOCTL_SIZE_SHIFT) & IOCTL_SIZE_MASK;
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
        words.append(",attr_timeout=").append(options.attributeValid().toMillis() / 1000.0);
        words.append(",entry_timeout=").append(options.entryValid().toMillis() / 1000.0);
        words.append(",negative_timeout=").append(options.negativeValid().toMillis() / 1000.0);
        words.append(",max_read=").append(options.readBytesMax());
        words.append(",max_readahead=").append(options.readAheadBytes());
        words.append(options.suid() ? ",suid" : ",nosuid");
        words.append(options.devices() ? ",dev" : ",nodev");
        words.append(options.exec() ? ",exec" : ",noexec");
        if (options.keepCache()) {
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
