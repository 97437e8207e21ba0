package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.inode.DirectorySink;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.pfs.MountedPfs;
import io.hammer2.fs.volume.Growth;
import io.hammer2.lwkt.Clock;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The operations of a mounted PFS, by inode number. Each is called on an LWKT thread of any cpu and may block it; the work is
 * done on that cpu.
 *
 * <p>Inode numbers are never reused (format section 8.3), so a number is good for as long as the PFS exists, and nothing is
 * remembered for who holds one. Every operation throws {@link FsException}: {@link Errno#ESTALE} for a number that names no
 * inode, {@link Errno#EIO} where the medium failed or is damaged, after a line in the log that says where.
 */
public final class FileSystem {
    /** Inode number of the root directory. */
    public static final long ROOT_INUM = InodeBlock.ROOT_INUM;

    /** {@link #write}: the times stay, since the kernel, which caches writes, will set them itself. */
    public static final int WRITE_KEEP_TIMES = 1;

    /** {@link #write}: as {@link AttributeChange#dropSetId}. */
    public static final int WRITE_DROP_SETID = 2;

    /** {@link #write}: at the end of the file, wherever that is; the offset says nothing. */
    public static final int WRITE_APPEND = 4;

    private final Access access;
    private final Names names;
    private final NameChanges changes;
    private final Contents contents;
    private final Sharing sharing;
    private final Destruction destruction;
    private final Recompressing recompressing;

    FileSystem(Hammer2 volume, MountedPfs pfs, Clock clock, MountOptions.Atime atime) {
        this(new Access(volume, pfs, clock, volume.syncOrNull()), atime);
    }

    private FileSystem(Access access, MountOptions.Atime atime) {
        this.access = access;
        this.names = new Names(access);
        this.changes = new NameChanges(access, names);
        this.contents = new Contents(access, atime);
        this.sharing = new Sharing(access, contents);
        this.destruction = new Destruction(access, changes);
        this.recompressing = new Recompressing(access);
    }

    /**
     * Takes a name out of a directory that cannot be removed as usual: its inode, or the entries of the directory that it names, cannot
     * be read. Of such a directory the inode goes too; what only it leads to stays without names.
     *
     * @throws FsException ENOENT; EEXIST when nothing is damaged there, and so rm(1) can do it; EIO when the directory that the name is
     *     in cannot be read itself
     */
    public void destroyName(long parent, MemorySegment name) {
        destruction.name(parent, name);
    }

    /**
     * Takes an inode that cannot be read out of the index of inodes; its names stay, and can be destroyed.
     *
     * @throws FsException as {@link #destroyName}; EINVAL for the root
     */
    public void destroyInode(long inum) {
        destruction.inode(inum);
    }

    /**
     * While it is on, what takes space is refused (ENOSPC), what gives space back may take more of what is kept for that, and bulkfree
     * runs by itself whenever something has changed. For the whole volume, until it is closed.
     *
     * @throws FsException EROFS
     */
    public void setEmergencyMode(boolean on) {
        access.setEmergencyMode(on);
    }

    /** {@link Hammer2#look}. */
    static FileSystem toLookAt(Hammer2 volume, MountedPfs pfs, Clock clock) {
        return new FileSystem(new Access(volume, pfs, clock, null), MountOptions.Atime.NEVER);
    }

    /** Of what was only looked at: it was deleted or rolled back, and is no more what it was. */
    public boolean isRetired() {
        return access.pfs().isRetired();
    }

    /** Ends a {@link Hammer2#look}; on an LWKT thread of any cpu. */
    public void lookNoMore() {
        access.volume().lookNoMore(access.pfs());
    }

    /** What is mounted. */
    public PfsInfo pfs() {
        return Hammer2.infoOf(access.pfs().pfs());
    }

    /**
     * Gives back the space that nothing refers to any more, of the whole volume, while it is in use.
     *
     * @param memoryBytes that it may take
     * @throws FsException EROFS; EBUSY when it is being unmounted; EIO when a commit or a device fails; also when that memory is too little
     */
    public BulkFreeResult bulkfree(long memoryBytes) {
        return access.bulkfree(memoryBytes);
    }

    /**
     * Ends the mount, with all of it committed; nobody uses it any more. From an ordinary thread.
     *
     * @throws Hammer2Exception when what changed last could not be committed; it is unmounted nevertheless
     */
    public void unmount() throws Hammer2Exception {
        access.volume().unmount(access.pfs());
    }

    /** How far the bulkfree is that goes on, in percent; 100 when none does. */
    public int bulkfreePercent() {
        return access.isMountedReadOnly() ? 100 : access.volume().reclaim().percent();
    }

    /**
     * Lets the volume use more of a device that has become larger; see {@link Hammer2#grow}.
     *
     * @throws FsException EROFS; EINVAL when it cannot grow to that size; EIO when a device fails
     */
    public Growth.Result grow(long sizeBytes) {
        return access.grow(sizeBytes);
    }

    /** The volume that it is on. */
    public Hammer2 volume() {
        return access.volume();
    }

    /**
     * The inode that {@code name} names in a directory; "." and ".." do too.
     *
     * @param name its bytes; not kept
     * @return null when there is no such name
     * @throws FsException ENOTDIR; ENAMETOOLONG
     */
    public Attributes lookup(long parent, MemorySegment name) {
        return names.lookup(parent, name);
    }

    public Attributes attributes(long inum) {
        Topology topology = access.topology();
        try {
            Inode inode = access.open(topology, inum);
            try {
                return inode.attributes();
            } finally {
                access.close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        }
    }

    /** The inode as it is, for the commands that show it. */
    public InodeInfo inodeInfo(long inum) {
        Topology topology = access.topology();
        try {
            Inode inode = access.open(topology, inum);
            try {
                byte[] copy = inode.block().bytes().toArray(ValueLayout.JAVA_BYTE);
                BlockRef committed = inode.committedRef();
                boolean isFile = inode.type() == FileType.REGULAR;
                return new InodeInfo(
                        MemorySegment.ofArray(copy).asReadOnly(),
                        isFile ? inode.attributes().blocks512() * 512 : committed == null ? 0 : committed.dataCount(),
                        committed == null ? 0 : committed.inodeCount());
            } finally {
                access.close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        }
    }

    /**
     * Reads a file from {@code offset} on.
     *
     * @return bytes read; fewer than {@code into} holds only at the end of the file
     * @throws FsException EISDIR; EINVAL for what is neither file nor directory, or a negative offset
     */
    public int read(long inum, long offset, MemorySegment into) {
        return contents.read(inum, offset, into);
    }

    /**
     * The target of a symbolic link.
     *
     * @return its bytes, at most as many as {@code into} holds
     * @throws FsException EINVAL for what is no symbolic link; ENAMETOOLONG for a target longer than 4095 bytes
     */
    public int readlink(long inum, MemorySegment into) {
        return contents.readlink(inum, into);
    }

    /**
     * First offset at or after {@code offset} with data: lseek(2), SEEK_DATA.
     *
     * @throws FsException ENXIO when there is none before the end of the file
     */
    public long seekData(long inum, long offset) {
        return contents.seekData(inum, offset);
    }

    /**
     * First offset at or after {@code offset} in a hole, of which the end of the file is one: lseek(2), SEEK_HOLE.
     *
     * @throws FsException ENXIO when {@code offset} is at or beyond the end of the file
     */
    public long seekHole(long inum, long offset) {
        return contents.seekHole(inum, offset);
    }

    /**
     * Lists a directory: ".", "..", then its entries in the order of their hashes.
     *
     * @param cookie 0 to begin, else what an entry came with; stays good whatever happens to the directory
     * @throws FsException ENOTDIR; EIO when the very next entry cannot be read
     */
    public void readdir(long inum, long cookie, DirectorySink sink) {
        names.readdir(inum, cookie, sink);
    }

    public StatFs statfs() {
        return access.volume().statfs(access.pfs());
    }

    // Modifications. All throw EROFS on what is mounted read-only, also when an error of the device made it so;
    // ENOSPC when space is short; EPERM for what is immutable or append-only (chflags(2)). Names are bytes, not
    // kept, without '/' and NUL.

    /** Whether it was mounted to read only; from any thread. An error of the device may make it so later, too. */
    public boolean isReadOnly() {
        return access.isMountedReadOnly();
    }

    /**
     * Keeps an inode until {@link #release}, even if its last name goes meanwhile.
     *
     * @throws FsException ESTALE
     */
    public void open(long inum) {
        Topology topology = access.topology();
        Inode inode = access.inodes().acquire(inum);
        boolean open = false;
        try {
            open = inode.lockShared(topology, access.pfs().index());
            if (!open) {
                throw new FsException(Errno.ESTALE, "no inode " + inum);
            }
            access.inodes().countOpens(inode, 1);
            inode.gate().unlockShared();
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        } finally {
            if (!open) {
                access.inodes().release(inode);
            }
        }
    }

    /**
     * As {@link #open(long)}, for somebody who will write.
     *
     * @param appends whether only at the end
     * @throws FsException EROFS; EPERM for what is immutable, or append-only and to be written elsewhere
     */
    public void openToWrite(long inum, boolean appends) {
        if (access.isReadOnly()) {
            throw Access.readOnly();
        }
        open(inum);
        boolean allowed = false;
        try {
            int uflags = attributes(inum).uflags();
            if ((uflags & Access.IMMUTABLE) != 0 || ((uflags & Access.APPEND_ONLY) != 0 && !appends)) {
                throw new FsException(Errno.EPERM, "inode " + inum + " is immutable or append-only");
            }
            allowed = true;
        } finally {
            if (!allowed) {
                release(inum);
            }
        }
    }

    /** Ends an {@link #open}; what has neither name nor user is gone then. */
    public void release(long inum) {
        Inode inode = access.inodes().acquire(inum);
        try {
            boolean last = access.inodes().countOpens(inode, -1) == 0;
            // The open's own.
            access.inodes().release(inode);
            if (last && !access.isReadOnly()) {
                removeIfUnused(inode);
            }
        } finally {
            access.inodes().release(inode);
        }
    }

    private void removeIfUnused(Inode inode) {
        inode.gate().lockShared();
        boolean nameless = !inode.isRemoved() && inode.exists() && inode.block().nlinks() == 0;
        inode.gate().unlockShared();
        if (!nameless) {
            return;
        }
        access.beginRemoval();
        try {
            inode.gate().lockExclusive();
            try {
                if (!inode.isRemoved()
                        && inode.block().nlinks() == 0
                        && access.inodes().countOpens(inode, 0) == 0) {
                    access.pfs().setNameless(inode, false);
                    access.pfs().change(inode);
                    inode.remove(access.pfs().buffers());
                }
            } finally {
                inode.gate().unlockExclusive();
            }
        } finally {
            access.end(false);
        }
    }

    /**
     * Makes a file, directory, device node, socket or FIFO.
     *
     * @throws FsException EEXIST; ENOTDIR; ENOENT in a directory that was removed; ENAMETOOLONG; EINVAL for a name of no bytes
     *     or with '/' or NUL, and for a symbolic link
     */
    public Attributes create(long parent, MemorySegment name, NewInode what) {
        return changes.create(parent, name, what);
    }

    /**
     * Makes a symbolic link.
     *
     * @param target 1 to 4095 bytes
     * @throws FsException as {@link #create}
     */
    public Attributes symlink(long parent, MemorySegment name, MemorySegment target, NewInode what) {
        return changes.symlink(parent, name, target, what);
    }

    /** Makes a regular file without a name, open: open(2), O_TMPFILE. It may be given one by {@link #link}. */
    public Attributes createUnnamed(long parent, NewInode what) {
        return changes.createUnnamed(parent, what);
    }

    /**
     * Gives an inode another name.
     *
     * @throws FsException EPERM for a directory; EMLINK; as {@link #create}
     */
    public Attributes link(long inum, long parent, MemorySegment name) {
        return changes.link(inum, parent, name);
    }

    /** @throws FsException ENOENT; EISDIR for a directory */
    public void unlink(long parent, MemorySegment name) {
        changes.unlink(parent, name);
    }

    /** @throws FsException ENOENT; ENOTDIR; ENOTEMPTY; EINVAL for "." */
    public void rmdir(long parent, MemorySegment name) {
        changes.rmdir(parent, name);
    }

    /**
     * Renames: rename(2), renameat2(2).
     *
     * @throws FsException EINVAL for a directory that would come below itself; ENOENT; EEXIST; ENOTEMPTY; EISDIR; ENOTDIR
     */
    public void rename(long parent, MemorySegment name, long newParent, MemorySegment newName, RenameMode mode) {
        changes.rename(parent, name, newParent, newName, mode);
    }

    /**
     * Changes attributes, all or none.
     *
     * @return what they are then
     * @throws FsException EFBIG; EISDIR or EINVAL for the size of what has none
     */
    public Attributes setAttributes(long inum, AttributeChange change) {
        return contents.setAttributes(inum, change);
    }

    /** {@link #setDataPolicy}: stays as it is. */
    public static final int POLICY_KEEP = -1;

    /**
     * Sets what becomes of data that is written from now on, and of what is created in a directory. The times stay, as on DragonFly.
     * To ask for zstd lets the volume have it, from the next commit on, which its header tells.
     *
     * @param compAlgo method in the low nibble, level in the high one (format section 4.2), or {@link #POLICY_KEEP}
     * @param checkAlgo method in the low nibble, or {@link #POLICY_KEEP}
     * @throws FsException EINVAL for what no inode may have; ENOTSUP for zstd where it cannot be loaded
     */
    public void setDataPolicy(long inum, int compAlgo, int checkAlgo) {
        contents.setDataPolicy(inum, compAlgo, checkAlgo);
    }

    /**
     * Writes to a file; all of {@code from} or nothing.
     *
     * @param from at most 1 MiB
     * @param flags {@link #WRITE_KEEP_TIMES}, {@link #WRITE_DROP_SETID}, {@link #WRITE_APPEND}
     * @return bytes written
     * @throws FsException EFBIG; EISDIR; EINVAL for what has no content
     */
    public int write(long inum, long offset, MemorySegment from, int flags) {
        return contents.write(inum, offset, from, flags);
    }

    /**
     * Prepares, or zeroes, a range of a file: fallocate(2).
     *
     * @throws FsException ENOSPC when there is less space than the range would take; EFBIG; EINVAL; EISDIR
     */
    public void allocate(long inum, long offset, long length, AllocateMode mode) {
        allocate(inum, offset, length, mode, 0);
    }

    /**
     * As {@link #allocate(long, long, long, AllocateMode)}.
     *
     * @param flags {@link #WRITE_KEEP_TIMES}
     */
    public void allocate(long inum, long offset, long length, AllocateMode mode, int flags) {
        contents.allocate(inum, offset, length, mode, flags);
    }

    /**
     * Copies from one file to another, or within one: copy_file_range(2). Whole blocks that are on the medium are shared where
     * both offsets lie alike, and the rest is copied.
     *
     * @return bytes copied; fewer at the end of the source, or because a part is enough for one request
     * @throws FsException EINVAL for ranges of the same file that overlap
     */
    public long copyRange(long from, long fromOffset, long to, long toOffset, long length) {
        return copyRange(from, fromOffset, to, toOffset, length, 0);
    }

    /**
     * As {@link #copyRange(long, long, long, long, long)}.
     *
     * @param flags {@link #WRITE_KEEP_TIMES}
     */
    public long copyRange(long from, long fromOffset, long to, long toOffset, long length, int flags) {
        return sharing.copyRange(from, fromOffset, to, toOffset, length, flags);
    }

    /**
     * Lists the blocks of a regular file that can be shared, in the order of their offsets: on the medium or on their way, not changed
     * since, and vouched for by a check code. Reads no data.
     *
     * @param from offset to begin at
     * @return where to go on, or -1 at the end of the file
     * @throws FsException EINVAL for what is no file
     */
    public long storedBlocks(long inum, long from, StoredBlockSink sink) {
        return sharing.storedBlocks(inum, from, sink);
    }

    /**
     * Has two places of files, or of one, share a block if both are still as they were seen and their contents are equal, byte by
     * byte. Content, size and times stay as they are. Space that this spares comes back with {@link #bulkfree}.
     *
     * @param first what stays
     * @param second what refers to the first then
     */
    public ShareOutcome shareBlock(StoredBlock first, StoredBlock second) {
        return sharing.shareBlock(first, second);
    }

    /**
     * Looks at some blocks of a regular file, and has those written anew with the next commit that its compression setting would store
     * smaller by now, or that are stored in a way that it rules out. Content, size and times stay as they are.
     *
     * @param from offset to begin at
     * @throws FsException EINVAL for what is no file; ENOSPC
     */
    public RecompressStep recompress(long inum, long from) {
        return recompressing.recompress(inum, from);
    }

    /** Makes an inode durable, with all that leads to it: survives a power cut once this returns. EIO when it cannot. */
    public void fsync(long inum) {
        sync();
    }

    /** Makes everything durable that was done before. */
    public void sync() {
        access.commit();
    }
}
