package io.hammer2.fuse.bridge;

import io.hammer2.fs.AllocateMode;
import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.Errno;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.RenameMode;
import io.hammer2.fs.StatFs;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fuse.DirectorySink;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseException;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.NodeChange;
import io.hammer2.fuse.VolumeStatistics;
import io.hammer2.lwkt.Cpu;
import java.lang.foreign.MemorySegment;

/**
 * A mounted PFS as FUSE operations. A node id is the inode number: it is stable and never reused, so nothing is remembered per
 * lookup, and what the kernel forgets needs no action. Opens are told to the file system, as what is open outlives its names.
 */
public final class FuseBridge implements FuseOperations {
    /** chflags(2) bits as BSD numbers them; user and system kind. */
    static final int UFLAGS_NODUMP = 0x1;

    static final int UFLAGS_IMMUTABLE = 0x2 | 0x20000;
    static final int UFLAGS_APPEND = 0x4 | 0x40000;

    private static final int PERMISSIONS = 07777;
    private static final int EXECUTE_BITS = 0111;

    /** What an application does best to read at once: a logical block. */
    private static final int PREFERRED_IO_BYTES = 65536;

    private final FileSystem files;
    private final Ioctls ioctls;
    /** As it was mounted; after an error of a device the file system refuses by itself. */
    private final boolean readOnly;

    private FuseBridge(FileSystem files, Ioctls ioctls) {
        this.files = files;
        this.ioctls = ioctls;
        this.readOnly = files.isReadOnly();
    }

    /**
     * A mounted PFS.
     *
     * @param owner user id of who mounted it, who may change the volume by control requests besides root
     * @param mountedReadOnly nothing may be changed through this mount, though it may be through others of the volume
     */
    public static FuseBridge of(FileSystem files, int owner, boolean mountedReadOnly) {
        return new FuseBridge(files, Ioctls.of(files, owner, mountedReadOnly || files.isReadOnly()));
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

    /** Whether a directory has an entry of this name. */
    boolean has(long parent, MemorySegment name) {
        try {
            return files.lookup(parent, name) != null;
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
        return readOnly;
    }

    @Override
    public boolean opendirsAreStateless() {
        return readOnly;
    }

    @Override
    public long open(FuseCall call, long node, int flags) {
        boolean writes = (flags & (OPEN_ACCESS_MODE | OPEN_TRUNCATE)) != 0;
        if (readOnly) {
            if (writes) {
                throw FuseErrno.EROFS.exception();
            }
            return 0;
        }
        try {
            if (writes) {
                openToWrite(node, flags);
            } else {
                files.open(node);
            }
            return 0;
        } catch (FsException e) {
            throw translate(e);
        }
    }

    /** What is written later comes out of the kernel's cache, when it is too late to refuse it. */
    private void openToWrite(long node, int flags) {
        boolean truncates = (flags & OPEN_TRUNCATE) != 0;
        files.openToWrite(node, (flags & OPEN_APPEND) != 0 && !truncates);
        if (!truncates) {
            return;
        }
        boolean truncated = false;
        try {
            // The times are the kernel's to set, as with what is written.
            Attributes found = files.attributes(node);
            AttributeChange empty = new AttributeChange()
                    .size(0)
                    .mtimeMicros(found.mtimeMicros())
                    .ctimeMicros(found.ctimeMicros());
            files.setAttributes(node, (flags & OPEN_DROP_SETID) != 0 ? empty.dropSetId() : empty);
            truncated = true;
        } finally {
            if (!truncated) {
                files.release(node);
            }
        }
    }

    @Override
    public long create(FuseCall call, long parent, MemorySegment name, int mode, int flags, NodeAttributes into) {
        try {
            Attributes made = files.create(parent, name, inode(call, FileType.REGULAR, mode));
            files.open(made.inum());
            fill(made, into);
            return 0;
        } catch (FsException e) {
            throw translate(e);
        }
    }

    private static NewInode inode(FuseCall call, FileType type, int mode) {
        return NewInode.of(type, mode & PERMISSIONS, call.uid(), call.gid());
    }

    @Override
    public long tmpfile(FuseCall call, long parent, int mode, int flags, NodeAttributes into) {
        try {
            fill(files.createUnnamed(parent, inode(call, FileType.REGULAR, mode)), into);
            return 0;
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void mknod(
            FuseCall call, long parent, MemorySegment name, int mode, int major, int minor, NodeAttributes into) {
        FileType type = type(mode);
        try {
            NewInode what = new NewInode(type, mode & PERMISSIONS, call.uid(), call.gid(), major, minor);
            fill(files.create(parent, name, what), into);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    private static FileType type(int mode) {
        return switch (mode & NodeAttributes.TYPE_MASK) {
            case NodeAttributes.REGULAR -> FileType.REGULAR;
            case NodeAttributes.FIFO -> FileType.FIFO;
            case NodeAttributes.SOCKET -> FileType.SOCKET;
            case NodeAttributes.CHARACTER_DEVICE -> FileType.CHARACTER_DEVICE;
            case NodeAttributes.BLOCK_DEVICE -> FileType.BLOCK_DEVICE;
            default -> throw FuseErrno.EINVAL.exception();
        };
    }

    @Override
    public void mkdir(FuseCall call, long parent, MemorySegment name, int mode, NodeAttributes into) {
        try {
            fill(files.create(parent, name, inode(call, FileType.DIRECTORY, mode)), into);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void symlink(FuseCall call, long parent, MemorySegment name, MemorySegment target, NodeAttributes into) {
        try {
            fill(files.symlink(parent, name, target, inode(call, FileType.SYMLINK, 0777)), into);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void link(FuseCall call, long node, long parent, MemorySegment name, NodeAttributes into) {
        try {
            fill(files.link(node, parent, name), into);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void unlink(FuseCall call, long parent, MemorySegment name) {
        try {
            files.unlink(parent, name);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void rmdir(FuseCall call, long parent, MemorySegment name) {
        try {
            files.rmdir(parent, name);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void rename(
            FuseCall call, long parent, MemorySegment name, long newParent, MemorySegment newName, int flags) {
        RenameMode mode = switch (flags) {
            case 0 -> RenameMode.REPLACE;
            case RENAME_NOREPLACE -> RenameMode.NO_REPLACE;
            case RENAME_EXCHANGE -> RenameMode.EXCHANGE;
            default -> throw FuseErrno.EINVAL.exception();
        };
        try {
            files.rename(parent, name, newParent, newName, mode);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void setattr(FuseCall call, long node, NodeChange change, NodeAttributes into) {
        try {
            fill(files.setAttributes(node, translate(change)), into);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    private static AttributeChange translate(NodeChange change) {
        AttributeChange wanted = new AttributeChange();
        if (change.hasMode()) {
            wanted.mode(change.mode());
        }
        if (change.hasUid()) {
            wanted.uid(change.uid());
        }
        if (change.hasGid()) {
            wanted.gid(change.gid());
        }
        if (change.hasSize()) {
            wanted.size(change.size());
        }
        long nowMicros = Cpu.current().lwkt().clock().currentTimeMicros();
        if (change.hasAtime() || change.isAtimeNow()) {
            wanted.atimeMicros(change.isAtimeNow() ? nowMicros : change.atimeMicros());
        }
        if (change.hasMtime() || change.isMtimeNow()) {
            wanted.mtimeMicros(change.isMtimeNow() ? nowMicros : change.mtimeMicros());
        }
        if (change.hasCtime()) {
            wanted.ctimeMicros(change.ctimeMicros());
        }
        // A kernel that keeps the times of modification sends its own for "now", and then as that of the change, too.
        if (change.isAtimeNow() && (change.isMtimeNow() || change.mtimeIsCtime())) {
            wanted.touch();
        }
        return change.dropsSetId() ? wanted.dropSetId() : wanted;
    }

    private static int timeFlags(FuseCall call) {
        return call.keepsTimes() ? FileSystem.WRITE_KEEP_TIMES : 0;
    }

    @Override
    public int write(FuseCall call, long node, long handle, long offset, MemorySegment from, int flags) {
        int wanted = ((flags & WRITE_KEEP_TIMES) != 0 ? FileSystem.WRITE_KEEP_TIMES : 0)
                | ((flags & WRITE_DROP_SETID) != 0 ? FileSystem.WRITE_DROP_SETID : 0);
        try {
            return files.write(node, offset, from, wanted);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void fsync(FuseCall call, long node, boolean dataOnly) {
        try {
            files.fsync(node);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void syncfs(FuseCall call) {
        try {
            files.sync();
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public void fallocate(FuseCall call, long node, long handle, long offset, long length, int mode) {
        AllocateMode wanted = switch (mode) {
            case 0 -> AllocateMode.EXTEND;
            case FALLOCATE_KEEP_SIZE -> AllocateMode.KEEP_SIZE;
            case FALLOCATE_PUNCH_HOLE | FALLOCATE_KEEP_SIZE -> AllocateMode.PUNCH_HOLE;
            case FALLOCATE_ZERO_RANGE -> AllocateMode.ZERO_RANGE;
            case FALLOCATE_ZERO_RANGE | FALLOCATE_KEEP_SIZE -> AllocateMode.ZERO_RANGE_KEEP_SIZE;
            default -> throw FuseErrno.ENOTSUP.exception();
        };
        try {
            files.allocate(node, offset, length, wanted, timeFlags(call));
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public long copyFileRange(
            FuseCall call,
            long node,
            long handle,
            long offset,
            long toNode,
            long toHandle,
            long toOffset,
            long length) {
        try {
            return files.copyRange(node, offset, toNode, toOffset, length, timeFlags(call));
        } catch (FsException e) {
            throw translate(e);
        }
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
    public void release(long node, long handle) {
        if (readOnly) {
            // Its opens were not counted either.
            return;
        }
        try {
            files.release(node);
        } catch (FsException e) {
            throw translate(e);
        }
    }

    @Override
    public long opendir(FuseCall call, long node) {
        if (!readOnly) {
            try {
                files.open(node);
            } catch (FsException e) {
                throw translate(e);
            }
        }
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
            // A directory that is open and was removed meanwhile is an empty one elsewhere, and not stale.
            throw e.errno() == Errno.ESTALE ? FuseErrno.ENOENT.exception() : translate(e);
        }
    }

    @Override
    public void releasedir(long node, long handle) {
        release(node, handle);
    }

    /**
     * Commits first. What is free is settled then; and umount(8), given a full path, asks for this right before it unmounts,
     * which is the only word of it that the kernel passes on in time.
     */
    @Override
    public void statfs(FuseCall call, VolumeStatistics into) {
        if (!readOnly) {
            try {
                files.sync();
            } catch (FsException e) {
                // It is logged, and no reason to show nothing.
            }
        }
        StatFs volume = files.statfs();
        into.space(volume.blockBytes(), volume.blocks(), volume.blocksFree(), volume.blocksAvailable())
                .nodes(volume.files(), 0)
                .nameBytesMax(volume.nameBytesMax());
    }

    /**
     * Without {@code default_permissions}, so of a read-only mount, nothing is refused at open, and this does not pretend
     * otherwise; but nothing can be written, and what has no execute bit at all cannot be executed.
     */
    @Override
    public void access(FuseCall call, long node, int mask) {
        if ((mask & (ACCESS_WRITE | ACCESS_EXECUTE)) == 0) {
            return;
        }
        Attributes found = attributes(node);
        FileType type = found.type();
        boolean stored = type == FileType.REGULAR || type == FileType.DIRECTORY || type == FileType.SYMLINK;
        if ((mask & ACCESS_WRITE) != 0 && stored && readOnly) {
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
            return ioctls.answer(call, node, command, in, out);
        } catch (FsException e) {
            throw translate(e);
        }
    }
}
