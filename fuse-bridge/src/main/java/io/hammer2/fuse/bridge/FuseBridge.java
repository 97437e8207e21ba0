package io.hammer2.fuse.bridge;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.StatFs;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fuse.DirectorySink;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseException;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.VolumeStatistics;
import java.lang.foreign.MemorySegment;

/**
 * A mounted PFS as FUSE operations. A node id is the inode number: it is stable and never reused, so nothing is remembered per
 * lookup or open file, and what the kernel forgets needs no action.
 */
public final class FuseBridge implements FuseOperations {
    private static final int OPEN_ACCESS_MODE = 3;
    private static final int OPEN_TRUNCATE = 01000;

    /** chflags(2) bits as BSD numbers them; user and system kind. */
    static final int UFLAGS_NODUMP = 0x1;

    static final int UFLAGS_IMMUTABLE = 0x2 | 0x20000;
    static final int UFLAGS_APPEND = 0x4 | 0x40000;

    private static final int EXECUTE_BITS = 0111;

    /** What an application does best to read at once: a logical block. */
    private static final int PREFERRED_IO_BYTES = 65536;

    private final FileSystem files;
    private final Ioctls ioctls;

    private FuseBridge(FileSystem files, Ioctls ioctls) {
        this.files = files;
        this.ioctls = ioctls;
    }

    /**
     * Called by a foreign thread.
     *
     * @throws Hammer2Exception when the list of PFSs, which the ioctls show, cannot be read
     */
    public static FuseBridge of(FileSystem files) throws Hammer2Exception {
        return new FuseBridge(files, Ioctls.of(files));
    }

    static FuseException translate(FsException e) {
        return FuseErrno.valueOf(e.errno().name()).exception();
    }

    @Override
    public boolean lookup(FuseCall call, long parent, MemorySegment name, NodeAttributes into) {
        try {
            Attributes found = files.lookup(parent, name);
            if (found == null) {
                return false;
            }
            fill(found, into);
            return true;
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void forget(long node, long lookups) {}

    @Override
    public void getattr(FuseCall call, long node, NodeAttributes into) {
        fill(attributes(node), into);
    }

    private Attributes attributes(long node) {
        try {
            return files.attributes(node);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    private static void fill(Attributes found, NodeAttributes into) {
        int uflags = found.uflags();
        into.clear()
                .node(found.inum())
                .mode(typeBits(found.type()) | found.mode())
                .linkCount((int) Math.clamp(found.nlink(), 0L, Integer.MAX_VALUE))
                .owner(found.uid(), found.gid())
                .device(found.rmajor(), found.rminor())
                .size(found.size(), found.blocks512())
                .blockSizeBytes(PREFERRED_IO_BYTES)
                .times(found.atimeMicros(), found.mtimeMicros(), found.ctimeMicros())
                .btimeMicros(found.btimeMicros())
                .flags((uflags & UFLAGS_IMMUTABLE) != 0, (uflags & UFLAGS_APPEND) != 0, (uflags & UFLAGS_NODUMP) != 0);
    }

    private static int typeBits(FileType type) {
        return switch (type) {
            case DIRECTORY -> NodeAttributes.DIRECTORY;
            case REGULAR -> NodeAttributes.REGULAR;
            case FIFO -> NodeAttributes.FIFO;
            case BLOCK_DEVICE -> NodeAttributes.BLOCK_DEVICE;
            case SYMLINK -> NodeAttributes.SYMLINK;
            case SOCKET -> NodeAttributes.SOCKET;
            // Linux has no type for a whiteout; where it needs one (overlayfs) it takes a character device.
            case CHARACTER_DEVICE, WHITEOUT -> NodeAttributes.CHARACTER_DEVICE;
        };
    }

    @Override
    public int readlink(FuseCall call, long node, MemorySegment into) {
        try {
            return files.readlink(node, into);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public boolean opensAreStateless() {
        return true;
    }

    @Override
    public long open(FuseCall call, long node, int flags) {
        if ((flags & (OPEN_ACCESS_MODE | OPEN_TRUNCATE)) != 0) {
            throw FuseErrno.EROFS.exception();
        }
        return 0;
    }

    @Override
    public int read(FuseCall call, long node, long handle, long offset, MemorySegment into) {
        try {
            return files.read(node, offset, into);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void release(long node, long handle) {}

    @Override
    public long opendir(FuseCall call, long node) {
        return 0;
    }

    @Override
    public void readdir(FuseCall call, long node, long handle, long cookie, DirectorySink sink) {
        try {
            files.readdir(
                    node,
                    cookie,
                    (inum, type, name, nextCookie) ->
                            sink.entry(inum, type == null ? 0 : typeBits(type), name, nextCookie));
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void releasedir(long node, long handle) {}

    @Override
    public void statfs(FuseCall call, VolumeStatistics into) {
        StatFs volume = files.statfs();
        into.space(volume.blockBytes(), volume.blocks(), volume.blocksFree(), volume.blocksAvailable())
                .nodes(volume.files(), 0)
                .nameBytesMax(volume.nameBytesMax());
    }

    /**
     * Without {@code default_permissions} nothing is refused at open, so this does not pretend otherwise; but nothing can be
     * written, and what has no execute bit at all cannot be executed.
     */
    @Override
    public void access(FuseCall call, long node, int mask) {
        if ((mask & (ACCESS_WRITE | ACCESS_EXECUTE)) == 0) {
            return;
        }
        Attributes found = attributes(node);
        FileType type = found.type();
        boolean stored = type == FileType.REGULAR || type == FileType.DIRECTORY || type == FileType.SYMLINK;
        if ((mask & ACCESS_WRITE) != 0 && stored) {
            throw FuseErrno.EROFS.exception();
        }
        if ((mask & ACCESS_EXECUTE) != 0 && type != FileType.DIRECTORY && (found.mode() & EXECUTE_BITS) == 0) {
            throw FuseErrno.EACCES.exception();
        }
    }

    @Override
    public long lseek(FuseCall call, long node, long handle, long offset, int whence) {
        try {
            return whence == SEEK_DATA ? files.seekData(node, offset) : files.seekHole(node, offset);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public int ioctl(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        try {
            return ioctls.answer(node, command, in, out);
        } catch (FsException e) {
            throw translate(e);
        }
    }
}
