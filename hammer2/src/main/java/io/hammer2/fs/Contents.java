package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.ZstdLibrary;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.inode.FileData;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.pipeline.DataPolicy;
import java.lang.foreign.MemorySegment;

/** The operations on what an inode is and contains: reading, writing, attributes. */
final class Contents {
    private static final int SETUID = 04000;

    private static final int SETGID = 02000;

    private static final int GROUP_EXECUTE = 00010;

    static final int WRITE_BYTES_MAX = Limits.MIB;

    private static final long DAY_MICROS = 86_400_000_000L;

    private final Access access;
    private final MountOptions.Atime atime;

    Contents(Access access, MountOptions.Atime atime) {
        this.access = access;
        this.atime = access.isMountedReadOnly() ? MountOptions.Atime.NEVER : atime;
    }

    /** {@link FileSystem#read}. */
    int read(long inum, long offset, MemorySegment into) {
        if (offset < 0) {
            throw new FsException(Errno.EINVAL, "negative offset");
        }
        Topology topology = access.topology();
        try {
            int length;
            boolean touches;
            Inode inode = access.open(topology, inum);
            try {
                FileData file = Access.requireFile(inode);
                length = file.read(topology, offset, into);
                access.volume().readAhead().afterRead(file, inum, offset, length);
                touches = touches(inode.block());
            } finally {
                access.close(inode);
            }
            if (touches) {
                touch(topology, inum);
            }
            return length;
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        }
    }

    /** Of what a write has changed. */
    void modified(InodeBlock fields, int flags) {
        if ((flags & FileSystem.WRITE_KEEP_TIMES) == 0) {
            long now = access.now();
            fields.setMtimeMicros(now);
            fields.setCtimeMicros(now);
        }
    }

    private boolean touches(InodeBlock fields) {
        return switch (atime) {
            case NEVER -> false;
            case ALWAYS -> true;
            case RELATIVE ->
                fields.atimeMicros() <= Math.max(fields.mtimeMicros(), fields.ctimeMicros())
                        || access.now() - fields.atimeMicros() >= DAY_MICROS;
        };
    }

    /** Best effort: a read does not fail because its time cannot be kept. */
    private void touch(Topology topology, long inum) {
        if (!access.beginIfThereIsSpace(Access.INODE_RESERVE_BYTES)) {
            return;
        }
        try {
            Inode inode = access.openExclusive(topology, inum);
            try {
                access.pfs().change(inode).setAtimeMicros(access.now());
            } finally {
                access.closeExclusive(inode);
            }
        } finally {
            access.end(false);
        }
    }

    /** {@link FileSystem#readlink}. */
    int readlink(long inum, MemorySegment into) {
        Topology topology = access.topology();
        try {
            Inode inode = access.open(topology, inum);
            try {
                if (inode.type() != FileType.SYMLINK) {
                    throw new FsException(Errno.EINVAL, "not a symbolic link");
                }
                FileData target = inode.fileData();
                if (target.sizeBytes() > Limits.SYMLINK_BYTES_MAX) {
                    throw new FsException(Errno.ENAMETOOLONG, "a target of " + target.sizeBytes() + " bytes");
                }
                return target.read(topology, 0, into);
            } finally {
                access.close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        }
    }

    /** {@link FileSystem#seekData}. */
    long seekData(long inum, long offset) {
        return seek(inum, offset, true);
    }

    /** {@link FileSystem#seekHole}. */
    long seekHole(long inum, long offset) {
        return seek(inum, offset, false);
    }

    private long seek(long inum, long offset, boolean data) {
        Topology topology = access.topology();
        try {
            Inode inode = access.open(topology, inum);
            try {
                FileData file = Access.requireFile(inode);
                long found = data ? file.seekData(topology, offset) : file.seekHole(topology, offset);
                if (found < 0) {
                    throw new FsException(Errno.ENXIO, "nothing at or after offset " + offset);
                }
                return found;
            } finally {
                access.close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        }
    }

    /** {@link FileSystem#setAttributes}. */
    Attributes setAttributes(long inum, AttributeChange change) {
        Topology topology = access.topology();
        boolean shrinks = change.hasSize();
        access.begin(Access.INODE_RESERVE_BYTES, shrinks ? 1 : 0, shrinks, false);
        try {
            Inode inode = access.openExclusive(topology, inum);
            try {
                setAttributes(topology, inode, change);
                return inode.attributes();
            } finally {
                access.closeExclusive(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        } finally {
            access.end(false);
        }
    }

    private void setAttributes(Topology topology, Inode inode, AttributeChange change) {
        int uflags = inode.block().uflags();
        // What was written was allowed, and its times follow it.
        boolean allowed = change.hasUflags()
                || change.isTimesOfWrites()
                || (change.isTouch() && (uflags & Access.IMMUTABLE) == 0);
        if ((uflags & (Access.IMMUTABLE | Access.APPEND_ONLY)) != 0 && !allowed) {
            throw new FsException(Errno.EPERM, "inode " + inode.inum() + " is immutable or append-only");
        }
        long now = access.now();
        if (change.hasSize()) {
            Access.requireFile(inode);
            if (inode.type() != FileType.REGULAR) {
                throw new FsException(Errno.EINVAL, "inode " + inode.inum() + " has no size to change");
            }
            if (change.size() < 0) {
                throw new FsException(Errno.EINVAL, "a size of " + change.size());
            }
            access.pfs().change(inode);
            inode.fileData().setSize(topology, access.pfs().buffers(), change.size());
        }
        InodeBlock fields = access.pfs().change(inode);
        if (change.hasMode()) {
            fields.setMode(change.mode());
        }
        if (change.hasUid() || change.hasGid()) {
            fields.setOwner(
                    change.hasUid() ? change.uid() : fields.uid(), change.hasGid() ? change.gid() : fields.gid());
        }
        if (change.dropsSetId()) {
            fields.setMode(withoutSetId(fields.mode()));
        }
        if (change.hasUflags()) {
            fields.setUflags(change.uflags());
        }
        if (change.hasAtime()) {
            fields.setAtimeMicros(change.atimeMicros());
        }
        if (change.hasMtime()) {
            fields.setMtimeMicros(change.mtimeMicros());
        } else if (change.hasSize()) {
            fields.setMtimeMicros(now);
        }
        fields.setCtimeMicros(change.hasCtime() ? change.ctimeMicros() : now);
    }

    /** {@link FileSystem#setDataPolicy}. */
    void setDataPolicy(long inum, int compAlgo, int checkAlgo) {
        if ((compAlgo != FileSystem.POLICY_KEEP && !DataPolicy.isCompression(compAlgo))
                || (checkAlgo != FileSystem.POLICY_KEEP && !DataPolicy.isCheck(checkAlgo))) {
            throw new FsException(Errno.EINVAL, "compression " + compAlgo + ", check method " + checkAlgo);
        }
        boolean isZstd = compAlgo != FileSystem.POLICY_KEEP && (compAlgo & 0xF) == Compression.ZSTD.code();
        if (isZstd && ZstdLibrary.problem() != null) {
            access.volume().faults().report(() -> "setcomp zstd refused: " + ZstdLibrary.problem());
            throw new FsException(Errno.ENOTSUP, ZstdLibrary.problem());
        }
        Topology topology = access.topology();
        access.begin(Access.INODE_RESERVE_BYTES, 0, false, false);
        try {
            Inode inode = access.openExclusive(topology, inum);
            try {
                if (isZstd) {
                    access.volume().allow(VolumeHeader.EXTENSION_ZSTD);
                }
                InodeBlock fields = access.pfs().change(inode);
                fields.setAlgorithms(
                        compAlgo == FileSystem.POLICY_KEEP ? fields.compAlgo() : compAlgo,
                        checkAlgo == FileSystem.POLICY_KEEP ? fields.checkAlgo() : checkAlgo);
                inode.retryCompression();
            } finally {
                access.closeExclusive(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        } finally {
            access.end(false);
        }
    }

    /** {@link FileSystem#write}. */
    int write(long inum, long offset, MemorySegment from, int flags) {
        if (offset < 0 || from.byteSize() > WRITE_BYTES_MAX) {
            throw new FsException(Errno.EINVAL, "a write of " + from.byteSize() + " bytes at " + offset);
        }
        Topology topology = access.topology();
        for (int tried = 0; ; ) {
            access.begin(0, 0, false, false);
            try {
                Inode inode = access.openExclusive(topology, inum);
                try {
                    FileData file = Access.requireFile(inode);
                    long at = (flags & FileSystem.WRITE_APPEND) != 0 ? file.sizeBytes() : offset;
                    if (at > Limits.FILE_BYTES_MAX - from.byteSize()) {
                        throw new FsException(Errno.EFBIG, "a write at " + at);
                    }
                    // Space is counted when a block turns dirty, so that what was accepted can be flushed.
                    int blocks = file.newDirtyBlocks(at, from.byteSize());
                    long bytes = (inode.isChanged() ? 0 : Access.INODE_RESERVE_BYTES)
                            + (blocks == 0 ? 0 : file.newDirtyTables(at, from.byteSize()) * Access.TABLE_RESERVE_BYTES);
                    if (bytes + blocks == 0 || access.volume().budget().reserve(bytes, blocks, false)) {
                        write(topology, inode, at, from, flags);
                        return (int) from.byteSize();
                    }
                } finally {
                    access.closeExclusive(inode);
                }
            } catch (CorruptBlockException | DeviceErrorException e) {
                throw access.fault(e, () -> access.paths().pathOf(topology, inum));
            } finally {
                access.end(false);
            }
            tried = access.volume().room().make(tried, false);
        }
    }

    private void write(Topology topology, Inode inode, long at, MemorySegment from, int flags) {
        if (from.byteSize() == 0) {
            return;
        }
        InodeBlock fields = access.pfs().change(inode);
        inode.fileData().write(topology, access.pfs().buffers(), at, from);
        modified(fields, flags);
        if ((flags & FileSystem.WRITE_DROP_SETID) != 0) {
            fields.setMode(withoutSetId(fields.mode()));
        }
    }

    /** {@link FileSystem#allocate}. */
    void allocate(long inum, long offset, long length, AllocateMode mode, int flags) {
        if (offset < 0 || length <= 0) {
            throw new FsException(Errno.EINVAL, length + " bytes at " + offset);
        }
        if (offset > Limits.FILE_BYTES_MAX - length) {
            throw new FsException(Errno.EFBIG, length + " bytes at " + offset);
        }
        boolean takes = mode == AllocateMode.EXTEND || mode == AllocateMode.KEEP_SIZE;
        if (takes && !access.isReadOnly() && length > access.volume().budget().availableBytes()) {
            throw Room.none();
        }
        Topology topology = access.topology();
        access.begin(Access.INODE_RESERVE_BYTES, 2, !takes, false);
        try {
            Inode inode = access.openExclusive(topology, inum);
            try {
                FileData file = Access.requireFile(inode);
                Access.requireUnprotected(inode);
                if (inode.type() != FileType.REGULAR) {
                    throw new FsException(Errno.EINVAL, "inode " + inum + " is no file");
                }
                if (mode == AllocateMode.KEEP_SIZE) {
                    return;
                }
                InodeBlock fields = access.pfs().change(inode);
                long end = offset + length;
                if (!takes) {
                    file.zero(topology, access.pfs().buffers(), offset, end);
                }
                boolean extends_ = mode == AllocateMode.EXTEND || mode == AllocateMode.ZERO_RANGE;
                if (extends_ && end > file.sizeBytes()) {
                    file.setSize(topology, access.pfs().buffers(), end);
                }
                modified(fields, flags);
            } finally {
                access.closeExclusive(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        } finally {
            access.end(false);
        }
    }

    private static int withoutSetId(int mode) {
        boolean executable = (mode & GROUP_EXECUTE) != 0;
        return mode & ~SETUID & (executable ? ~SETGID : ~0);
    }
}
