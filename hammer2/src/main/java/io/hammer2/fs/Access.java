package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.inode.FileData;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.inode.InodeTable;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.pfs.MountedPfs;
import io.hammer2.fs.volume.Growth;
import io.hammer2.fs.volume.Sync;
import io.hammer2.lwkt.Clock;
import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.function.Supplier;

/**
 * How an operation comes to inodes: with their gates, within the volume's modification gate if it changes anything, and with
 * errors that say where.
 */
final class Access {
    /** chflags(2): UF_IMMUTABLE and SF_IMMUTABLE. */
    static final int IMMUTABLE = 0x2 | 0x20000;

    /** chflags(2): UF_APPEND and SF_APPEND. */
    static final int APPEND_ONLY = 0x4 | 0x40000;

    // The most that a flush can take for a change: the inode, and 16 KiB blocks on the way to it in the index
    // and below it; in a directory also a name's block.
    static final long INODE_RESERVE_BYTES = 36 * Limits.KIB;

    /** An indirect block above file data. */
    static final long TABLE_RESERVE_BYTES = 16 * Limits.KIB;

    private final Hammer2 volume;

    private final MountedPfs pfs;

    private final InodeTable inodes;

    private final PathFinder paths;

    private final Clock clock;

    /** Null of what is mounted read-only. */
    private final Sync sync;

    /** @param sync null of what is not to be changed */
    Access(Hammer2 volume, MountedPfs pfs, Clock clock, Sync sync) {
        this.volume = volume;
        this.pfs = pfs;
        this.inodes = pfs.inodes();
        this.paths = new PathFinder(inodes, pfs.index());
        this.clock = clock;
        this.sync = sync;
    }

    Hammer2 volume() {
        return volume;
    }

    MountedPfs pfs() {
        return pfs;
    }

    InodeTable inodes() {
        return inodes;
    }

    PathFinder paths() {
        return paths;
    }

    /** Walks of the current cpu. */
    Topology topology() {
        return volume.topology();
    }

    long now() {
        return clock.currentTimeMicros();
    }

    /** Type of an inode, which never changes; without gates of inodes held. */
    FileType typeOf(long inum) {
        Topology topology = volume.topology();
        try {
            Inode inode = open(topology, inum);
            try {
                return inode.type();
            } finally {
                close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        }
    }

    /** Begins a modification that takes no space and cannot be refused. */
    void beginRemoval() {
        sync.modifications().lockShared();
    }

    /** Ends a modification. */
    void end(boolean alone) {
        if (alone) {
            sync.modifications().unlockExclusive();
        } else {
            sync.modifications().unlockShared();
        }
    }

    Inode openExclusive(Topology topology, long inum) {
        Inode inode = inodes.acquire(inum);
        boolean open = false;
        try {
            open = inode.lockExclusive(topology, pfs.index());
            if (!open) {
                throw new FsException(Errno.ESTALE, "no inode " + inum);
            }
            return inode;
        } finally {
            if (!open) {
                inodes.release(inode);
            }
        }
    }

    Inode openExclusiveBelow(Topology topology, Inode directory, long inum) {
        if (inum == directory.inum()) {
            throw new CorruptBlockException(
                    directory.committedRef(), "target of a directory entry", "another inode", "the directory itself");
        }
        Inode inode = inodes.acquire(inum);
        boolean open = false;
        try {
            open = inode.lockExclusiveBelow(directory, topology, pfs.index());
            if (!open) {
                throw new FsException(Errno.ESTALE, "no inode " + inum);
            }
            return inode;
        } finally {
            if (!open) {
                inodes.release(inode);
            }
        }
    }

    void closeExclusive(Inode inode) {
        inode.gate().unlockExclusive();
        inodes.release(inode);
    }

    /**
     * Begins a modification, with the modification gate held.
     *
     * @param bytes the most that it may come to take; 0 when the caller reserves later
     * @param blocks of 64 KiB beside that
     * @param givesBack whether it may use the space kept back
     * @param alone whether to hold the gate exclusively
     */
    void begin(long bytes, long blocks, boolean givesBack, boolean alone) {
        if (sync == null) {
            throw readOnly();
        }
        if (!givesBack && volume.budget().isEmergency()) {
            throw new FsException(Errno.ENOSPC, "in emergency mode only what gives space back is done");
        }
        throttle();
        sync.schedule();
        for (int tried = 0; ; ) {
            if (alone) {
                sync.modifications().lockExclusive();
            } else {
                sync.modifications().lockShared();
            }
            boolean failed = sync.failure() != null;
            if (!failed && (bytes == 0 || volume.budget().reserve(bytes, blocks, givesBack))) {
                return;
            }
            end(alone);
            if (failed) {
                throw readOnly();
            }
            tried = volume.room().make(tried, givesBack);
        }
    }

    /** As {@link #begin}, of a small change that nobody needs. @return false, without the gate, where there is no space for it */
    boolean beginIfThereIsSpace(long bytes) {
        sync.schedule();
        sync.modifications().lockShared();
        if (sync.failure() == null && volume.budget().reserve(bytes, 0, false)) {
            return true;
        }
        end(false);
        return false;
    }

    /** {@link FileSystem#bulkfree}. */
    BulkFreeResult bulkfree(long memoryBytes) {
        if (sync == null || sync.failure() != null) {
            throw readOnly();
        }
        try {
            return volume.reclaim().run(memoryBytes);
        } catch (IOException e) {
            throw new FsException(Errno.EIO, "bulkfree: " + e.getMessage());
        } catch (CancellationException e) {
            throw new FsException(Errno.EBUSY, e.getMessage());
        }
    }

    /** {@link FileSystem#setEmergencyMode}. */
    void setEmergencyMode(boolean on) {
        if (sync == null || sync.failure() != null) {
            throw readOnly();
        }
        volume.budget().setEmergency(on);
        volume.reclaim().setEmergency(on);
    }

    /** {@link FileSystem#grow}. */
    Growth.Result grow(long sizeBytes) {
        if (sync == null || sync.failure() != null) {
            throw readOnly();
        }
        try {
            return volume.growth().run(sizeBytes);
        } catch (Growth.RefusedException e) {
            throw new FsException(Errno.EINVAL, e.getMessage());
        } catch (IOException e) {
            throw new FsException(Errno.EIO, "growing: " + e.getMessage());
        }
    }

    void throttle() {
        try {
            sync.throttle();
        } catch (IOException e) {
            throw readOnly();
        }
    }

    /** Makes everything durable that was done before. */
    void commit() {
        if (sync != null) {
            Room.commit(sync);
        }
    }

    /** Of the commit that will have what is being done now. */
    long mirrorTid() {
        return sync.nextTid();
    }

    void touch(Inode directory, long now) {
        InodeBlock fields = pfs.change(directory);
        fields.setMtimeMicros(now);
        fields.setCtimeMicros(now);
    }

    static void requireUnprotected(Inode inode) {
        if ((inode.block().uflags() & (IMMUTABLE | APPEND_ONLY)) != 0) {
            throw new FsException(Errno.EPERM, "inode " + inode.inum() + " is immutable or append-only");
        }
    }

    static FsException readOnly() {
        return new FsException(Errno.EROFS, "mounted read-only");
    }

    /** With its gate shared. */
    Inode open(Topology topology, long inum) {
        Inode inode = inodes.acquire(inum);
        boolean open = false;
        try {
            open = inode.lockShared(topology, pfs.index());
            if (!open) {
                throw new FsException(Errno.ESTALE, "no inode " + inum);
            }
            return inode;
        } finally {
            if (!open) {
                inodes.release(inode);
            }
        }
    }

    void close(Inode inode) {
        inode.gate().unlockShared();
        inodes.release(inode);
    }

    FsException fault(RuntimeException damage, Supplier<String> path) {
        volume.faults()
                .report(() -> "PFS " + PathFinder.text(pfs.pfs().label().bytes()) + ", " + path.get() + ": "
                        + (damage instanceof DeviceErrorException error
                                ? "read error in " + error.ref() + ": " + error.getMessage()
                                : damage.getMessage()));
        return new FsException(Errno.EIO, String.valueOf(damage.getMessage()));
    }

    static void requireDirectory(Inode inode) {
        if (inode.type() != FileType.DIRECTORY) {
            throw new FsException(Errno.ENOTDIR, "inode " + inode.inum());
        }
    }

    static FileData requireFile(Inode inode) {
        return switch (inode.type()) {
            case REGULAR, SYMLINK -> inode.fileData();
            case DIRECTORY -> throw new FsException(Errno.EISDIR, "inode " + inode.inum());
            case FIFO, CHARACTER_DEVICE, BLOCK_DEVICE, SOCKET, WHITEOUT ->
                throw new FsException(Errno.EINVAL, "inode " + inode.inum() + " has no content");
        };
    }

    static long parentOf(Inode directory) {
        return directory.inum() == FileSystem.ROOT_INUM
                ? FileSystem.ROOT_INUM
                : directory.block().iparent();
    }

    boolean isMountedReadOnly() {
        return sync == null;
    }

    /** Whether modifications are refused. */
    boolean isReadOnly() {
        return sync == null || sync.failure() != null;
    }
}
