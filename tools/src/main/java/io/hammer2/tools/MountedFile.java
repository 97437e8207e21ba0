package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_FREED;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_MEMORY;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_SCAN;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_GET;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_INODE_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.KEY_NONE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CLID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FSID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_GET;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_KEY;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_NEXT;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SUBTYPE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_TYPE;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fs.media.NameText;
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
import java.util.ArrayList;
import java.util.List;

/** An open file or directory of a mounted HAMMER2, for the control requests of DragonFly (numbers and structures are its). */
final class MountedFile implements AutoCloseable {
    private static final int PFS_COUNT_MAX = 1 << 20;

    private static final boolean MACOS = System.getProperty("os.name").startsWith("Mac");
    private static final int O_NONBLOCK = MACOS ? 0x4 : 0x800;
    private static final int O_CLOEXEC = MACOS ? 0x1000000 : 0x80000;
    private static final int EPERM = 1;
    private static final int ENOENT = 2;
    private static final int EIO = 5;
    private static final int EACCES = 13;
    private static final int EBUSY = 16;
    private static final int ENOTTY = 25;
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
                                    + ": neither a file nor a directory; the system passes control requests to these only"
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

    /** All PFSs of the volume, in the order of their keys. */
    List<PfsRow> pfsList() {
        List<PfsRow> rows = new ArrayList<>();
        MemorySegment pfs = arena.allocate(PFS_BYTES, Long.BYTES);
        long key = 0;
        while (key != KEY_NONE && rows.size() < PFS_COUNT_MAX) {
            pfs.fill((byte) 0);
            pfs.set(JAVA_LONG, PFS_NAME_KEY, key);
            if (!request(PFS_GET, pfs)) {
                break;
            }
            rows.add(new PfsRow(
                    PfsTypeText.of(pfs.get(JAVA_BYTE, PFS_TYPE), pfs.get(JAVA_BYTE, PFS_SUBTYPE)),
                    NameText.of(name(pfs)),
                    MediaUuid.read(pfs, PFS_CLID),
                    MediaUuid.read(pfs, PFS_FSID),
                    pfs.get(JAVA_LONG, PFS_NAME_KEY)));
            key = pfs.get(JAVA_LONG, PFS_NAME_NEXT);
        }
        return rows;
    }

    /**
     * An inode and the counters of the reference to it.
     *
     * @param dataCount stored bytes below it
     * @param inodeCount inodes below it
     */
    record InodeState(InodeBlock inode, long dataCount, long inodeCount) {}

    /** The inode as it lies on the medium. */
    InodeState inode() {
        MemorySegment state = arena.allocate(INODE_BYTES, Long.BYTES);
        if (!request(INODE_GET, state)) {
            throw new ToolException(path + ": no such inode");
        }
        return new InodeState(
                new InodeBlock(state.asSlice(INODE_DATA, Limits.INODE_BYTES)),
                state.get(JAVA_LONG, INODE_DATA_COUNT),
                state.get(JAVA_LONG, INODE_INODE_COUNT));
    }

    /**
     * Runs bulkfree on the volume, and waits for it.
     *
     * @return bytes that were freed
     */
    long bulkfree(long memoryBytes) {
        MemorySegment scan = arena.allocate(BULKFREE_BYTES, Long.BYTES);
        scan.set(JAVA_LONG, BULKFREE_MEMORY, memoryBytes);
        if (!request(BULKFREE_SCAN, scan)) {
            throw new ToolException(path + ": no such volume");
        }
        return scan.get(JAVA_LONG, BULKFREE_FREED);
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

    private static byte[] name(MemorySegment pfs) {
        byte[] field = pfs.asSlice(PFS_NAME, PFS_NAME_BYTES).toArray(JAVA_BYTE);
        int length = 0;
        while (length < field.length && field[length] != 0) {
            length++;
        }
        return java.util.Arrays.copyOf(field, length);
    }

    /** @return false for "there is none" */
    private boolean request(int command, MemorySegment argument) {
        try {
            MemorySegment state = arena.allocate(ERRNO_STATE);
            int result = (int) IOCTL.invokeExact(state, fd, Integer.toUnsignedLong(command), argument);
            int errno = result == 0 ? 0 : (int) ERRNO.get(state, 0L);
            if (errno != 0 && errno != ENOENT) {
                throw new ToolException(path + ": " + errorText(errno));
            }
            return errno == 0;
        } catch (ToolException e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static String errorText(int errno) {
        if (errno == ENOTTY || errno == ENOSYS) {
            return "not a file of a mounted HAMMER2 file system";
        }
        if (errno == EACCES || errno == EPERM) {
            return "permission denied";
        }
        if (errno == ENOTCONN) {
            return "the program that served this mount is gone; umount it";
        }
        if (errno == EROFS) {
            return "mounted read-only";
        }
        if (errno == EBUSY) {
            return "it is being unmounted";
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
