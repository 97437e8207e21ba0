package io.hammer2.fuse.kernel;

import static io.hammer2.fuse.kernel.RequestHandler.nameBytes;
import static io.hammer2.fuse.kernel.RequestHandler.require;

import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseException;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.NodeChange;
import java.lang.foreign.MemorySegment;

/** The half of {@link RequestHandler} that changes something: each request from its bytes to the bytes of its answer. */
final class Modifications {
    private static final int PERMISSIONS = 07777;
    private static final int NANOS_PER_SECOND = 1_000_000_000;
    private static final int MICROS_PER_SECOND = 1_000_000;

    /** The answer of COPY_FILE_RANGE counts in 32 bits; whole pages, as the kernel's own bound. */
    private static final long COPY_BYTES_MAX = 0x7fff_f000L;

    private final FuseOperations operations;
    private final Answers answers;
    private final OpenWriters writers;
    private final KernelCache kernelCache;
    private final int openFlags;

    /** @param openFlags what the kernel is told with an open file */
    Modifications(
            FuseOperations operations, Answers answers, OpenWriters writers, KernelCache kernelCache, int openFlags) {
        this.operations = operations;
        this.answers = answers;
        this.writers = writers;
        this.kernelCache = kernelCache;
        this.openFlags = openFlags;
    }

    /** @return bytes of the answer without its header */
    int dispatch(Slot slot, int body) {
        return switch (slot.opcode()) {
            case Opcode.WRITE -> write(slot, body);
            case Opcode.SETATTR -> setattr(slot, body);
            case Opcode.CREATE -> create(slot, body);
            case Opcode.TMPFILE -> tmpfile(slot, body);
            case Opcode.MKNOD -> mknod(slot, body);
            case Opcode.MKDIR -> mkdir(slot, body);
            case Opcode.SYMLINK -> symlink(slot, body);
            case Opcode.LINK -> link(slot, body);
            case Opcode.UNLINK -> {
                operations.unlink(slot, slot.node(), lastName(slot, 0, body));
                yield 0;
            }
            case Opcode.RMDIR -> {
                operations.rmdir(slot, slot.node(), lastName(slot, 0, body));
                yield 0;
            }
            case Opcode.RENAME -> rename(slot, body, Wire.RenameIn.BYTES, 0);
            case Opcode.RENAME2 -> {
                require(body >= Wire.RenameIn.BYTES_2);
                yield rename(slot, body, Wire.RenameIn.BYTES_2, getInt(slot, Wire.RenameIn.FLAGS));
            }
            case Opcode.FSYNC, Opcode.FSYNCDIR -> fsync(slot, body);
            case Opcode.FALLOCATE -> fallocate(slot, body);
            case Opcode.COPY_FILE_RANGE -> {
                long copied = copy(slot, body, COPY_BYTES_MAX);
                yield writeAnswer(slot, (int) copied);
            }
            case Opcode.COPY_FILE_RANGE_64 -> {
                Wire.putLong(slot.answer(), 0, copy(slot, body, Long.MAX_VALUE));
                yield Long.BYTES;
            }
            default -> throw FuseErrno.ENOSYS.exception();
        };
    }

    private static int getInt(Slot slot, int at) {
        return Wire.getInt(slot.request(), Wire.In.BYTES + at);
    }

    private static long getLong(Slot slot, int at) {
        return Wire.getLong(slot.request(), Wire.In.BYTES + at);
    }

    /** The name that begins at {@code at} of a body and ends it; extensions that might follow were not agreed on. */
    private static MemorySegment lastName(Slot slot, int at, int body) {
        MemorySegment name = name(slot, at, body);
        require(at + name.byteSize() + 1 == body);
        return name;
    }

    private static MemorySegment name(Slot slot, int at, int body) {
        require(at < body);
        int from = Wire.In.BYTES + at;
        return slot.request().asSlice(from, nameBytes(slot.request(), from, Wire.In.BYTES + body));
    }

    private int write(Slot slot, int body) {
        require(body >= Wire.WriteIn.BYTES);
        long handle = getLong(slot, Wire.WriteIn.HANDLE);
        long offset = getLong(slot, Wire.WriteIn.OFFSET);
        int size = getInt(slot, Wire.WriteIn.SIZE);
        int kernelFlags = getInt(slot, Wire.WriteIn.WRITE_FLAGS);
        require(size >= 0 && size <= body - Wire.WriteIn.BYTES && offset >= 0);
        // With WRITEBACK_CACHE the times are the kernel's to set, those of writes past its cache too: it trusts its
        // own.
        boolean dropsSetId = (kernelFlags & Wire.WriteIn.KILL_SUIDGID) != 0;
        boolean losesSetId = dropsSetId && RequestHandler.hasSetId(operations, slot);
        int flags = FuseOperations.WRITE_KEEP_TIMES | (dropsSetId ? FuseOperations.WRITE_DROP_SETID : 0);
        int written = operations.write(slot, slot.node(), handle, offset, slot.writeData(size), flags);
        if (written < 0 || written > size) {
            throw new IllegalStateException("a write of " + size + " bytes wrote " + written);
        }
        if (losesSetId) {
            kernelCache.forgetAttributes(slot.node());
        }
        return writeAnswer(slot, written);
    }

    private static int writeAnswer(Slot slot, int bytes) {
        Wire.putLong(slot.answer(), 0, 0);
        Wire.putInt(slot.answer(), 0, bytes);
        return Wire.WriteOut.BYTES;
    }

    private int setattr(Slot slot, int body) {
        require(body >= Wire.SetattrIn.BYTES);
        try {
            operations.setattr(slot, slot.node(), change(slot), slot.attributes());
        } catch (FuseException e) {
            if (e.errno() != FuseErrno.ESTALE || !isTimesOfCachedInode(slot)) {
                throw e;
            }
            slot.attributes().clear().node(slot.node());
        }
        return answers.attributes(slot.answer(), slot.attributes());
    }

    /**
     * A kernel that caches writes sends the times of an inode of which it has just removed the last name, too, and would
     * report the error to the next syncfs(2). It looks at nothing else in the answer.
     */
    private static boolean isTimesOfCachedInode(Slot slot) {
        int valid = getInt(slot, Wire.SetattrIn.VALID);
        return (valid & ~Wire.SetattrIn.HAS_HANDLE) == (Wire.SetattrIn.HAS_MTIME | Wire.SetattrIn.HAS_CTIME);
    }

    private static NodeChange change(Slot slot) {
        NodeChange change = slot.change().clear();
        int valid = getInt(slot, Wire.SetattrIn.VALID);
        if ((valid & Wire.SetattrIn.HAS_MODE) != 0) {
            change.mode(getInt(slot, Wire.SetattrIn.MODE) & PERMISSIONS);
        }
        if ((valid & Wire.SetattrIn.HAS_UID) != 0) {
            change.uid(getInt(slot, Wire.SetattrIn.UID));
        }
        if ((valid & Wire.SetattrIn.HAS_GID) != 0) {
            change.gid(getInt(slot, Wire.SetattrIn.GID));
        }
        if ((valid & Wire.SetattrIn.HAS_SIZE) != 0) {
            long size = getLong(slot, Wire.SetattrIn.SIZE);
            require(size >= 0);
            change.size(size);
        }
        // The kernel fills in a time beside "now" too: its own.
        if ((valid & Wire.SetattrIn.ATIME_NOW) != 0) {
            change.atimeNow();
        } else if ((valid & Wire.SetattrIn.HAS_ATIME) != 0) {
            change.atimeMicros(micros(slot, Wire.SetattrIn.ATIME, Wire.SetattrIn.ATIME_NANOS));
        }
        if ((valid & Wire.SetattrIn.MTIME_NOW) != 0) {
            change.mtimeNow();
        } else if ((valid & Wire.SetattrIn.HAS_MTIME) != 0) {
            change.mtimeMicros(micros(slot, Wire.SetattrIn.MTIME, Wire.SetattrIn.MTIME_NANOS));
        }
        if ((valid & Wire.SetattrIn.HAS_CTIME) != 0) {
            change.ctimeMicros(micros(slot, Wire.SetattrIn.CTIME, Wire.SetattrIn.CTIME_NANOS));
        }
        if ((valid & Wire.SetattrIn.KILL_SUIDGID) != 0) {
            change.dropSetId();
        }
        return change;
    }

    /** Seconds of any size: what does not fit is the first or last time there is. */
    private static long micros(Slot slot, int secondsAt, int nanosAt) {
        long seconds = getLong(slot, secondsAt);
        int nanos = getInt(slot, nanosAt);
        require(nanos >= 0 && nanos < NANOS_PER_SECOND);
        long bound = Long.MAX_VALUE / MICROS_PER_SECOND - 1;
        return Math.clamp(seconds, -bound, bound) * MICROS_PER_SECOND + nanos / 1000;
    }

    private int create(Slot slot, int body) {
        MemorySegment name = lastName(slot, Wire.CreateIn.BYTES, body);
        int mode = getInt(slot, Wire.CreateIn.MODE) & PERMISSIONS;
        NodeAttributes made = slot.attributes();
        int flags = createFlags(slot);
        long handle = operations.create(slot, slot.node(), name, mode, flags, made);
        writers.opened(made.node(), flags);
        return RequestHandler.opened(slot, answers.entry(slot.answer(), 0, made), handle, openFlags);
    }

    private int tmpfile(Slot slot, int body) {
        require(body >= Wire.CreateIn.BYTES);
        int mode = getInt(slot, Wire.CreateIn.MODE) & PERMISSIONS;
        NodeAttributes made = slot.attributes();
        int flags = createFlags(slot);
        long handle = operations.tmpfile(slot, slot.node(), mode, flags, made);
        writers.opened(made.node(), flags);
        return RequestHandler.opened(slot, answers.entry(slot.answer(), 0, made), handle, openFlags);
    }

    private static int createFlags(Slot slot) {
        return RequestHandler.openFlags(slot.request(), Wire.CreateIn.FLAGS, Wire.CreateIn.OPEN_FLAGS);
    }

    private int mknod(Slot slot, int body) {
        MemorySegment name = lastName(slot, Wire.MknodIn.BYTES, body);
        int mode = getInt(slot, Wire.MknodIn.MODE);
        int type = mode & NodeAttributes.TYPE_MASK;
        boolean device = type == NodeAttributes.CHARACTER_DEVICE || type == NodeAttributes.BLOCK_DEVICE;
        require(device
                || type == NodeAttributes.REGULAR
                || type == NodeAttributes.FIFO
                || type == NodeAttributes.SOCKET);
        int number = device ? getInt(slot, Wire.MknodIn.RDEV) : 0;
        operations.mknod(
                slot,
                slot.node(),
                name,
                mode & (NodeAttributes.TYPE_MASK | PERMISSIONS),
                Wire.deviceMajor(number),
                Wire.deviceMinor(number),
                slot.attributes());
        return answers.entry(slot.answer(), 0, slot.attributes());
    }

    private int mkdir(Slot slot, int body) {
        MemorySegment name = lastName(slot, Wire.MkdirIn.BYTES, body);
        int mode = getInt(slot, Wire.MkdirIn.MODE) & PERMISSIONS;
        operations.mkdir(slot, slot.node(), name, mode, slot.attributes());
        return answers.entry(slot.answer(), 0, slot.attributes());
    }

    /** {@code name target} */
    private int symlink(Slot slot, int body) {
        MemorySegment name = name(slot, 0, body);
        MemorySegment target = lastName(slot, (int) name.byteSize() + 1, body);
        operations.symlink(slot, slot.node(), name, target, slot.attributes());
        return answers.entry(slot.answer(), 0, slot.attributes());
    }

    private int link(Slot slot, int body) {
        MemorySegment name = lastName(slot, Wire.LinkIn.BYTES, body);
        operations.link(slot, getLong(slot, Wire.LinkIn.NODE), slot.node(), name, slot.attributes());
        return answers.entry(slot.answer(), 0, slot.attributes());
    }

    private int rename(Slot slot, int body, int namesAt, int flags) {
        MemorySegment name = name(slot, namesAt, body);
        MemorySegment newName = lastName(slot, namesAt + (int) name.byteSize() + 1, body);
        long newParent = getLong(slot, Wire.RenameIn.NEW_PARENT);
        operations.rename(slot, slot.node(), name, newParent, newName, flags);
        return 0;
    }

    private int fsync(Slot slot, int body) {
        require(body >= Wire.FsyncIn.BYTES);
        operations.fsync(slot, slot.node(), (getInt(slot, Wire.FsyncIn.FLAGS) & Wire.FsyncIn.DATA_ONLY) != 0);
        return 0;
    }

    private int fallocate(Slot slot, int body) {
        require(body >= Wire.FallocateIn.BYTES);
        long offset = getLong(slot, Wire.FallocateIn.OFFSET);
        long length = getLong(slot, Wire.FallocateIn.LENGTH);
        if (offset < 0 || length <= 0) {
            throw FuseErrno.EINVAL.exception();
        }
        if (offset + length < 0) {
            throw FuseErrno.EFBIG.exception();
        }
        long handle = getLong(slot, Wire.FallocateIn.HANDLE);
        operations.fallocate(slot, slot.node(), handle, offset, length, getInt(slot, Wire.FallocateIn.MODE));
        return 0;
    }

    private long copy(Slot slot, int body, long bytesMax) {
        require(body >= Wire.CopyIn.BYTES);
        long offset = getLong(slot, Wire.CopyIn.OFFSET);
        long toOffset = getLong(slot, Wire.CopyIn.TO_OFFSET);
        long length = getLong(slot, Wire.CopyIn.LENGTH);
        if (offset < 0 || toOffset < 0 || length < 0 || getLong(slot, Wire.CopyIn.FLAGS) != 0) {
            throw FuseErrno.EINVAL.exception();
        }
        return operations.copyFileRange(
                slot,
                slot.node(),
                getLong(slot, Wire.CopyIn.HANDLE),
                offset,
                getLong(slot, Wire.CopyIn.TO_NODE),
                getLong(slot, Wire.CopyIn.TO_HANDLE),
                toOffset,
                Math.min(length, bytesMax));
    }
}
