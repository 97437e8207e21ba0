package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.inode.Directory;
import io.hammer2.fs.inode.DirectorySink;
import io.hammer2.fs.inode.FileData;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.inode.InodeTable;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.pfs.Pfs;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.Supplier;

/**
 * The operations of a mounted PFS, by inode number. Each is called on an LWKT thread of any cpu and may block it; the work is
 * done on that cpu.
 *
 * <p>Inode numbers are never reused (format section 8.3), so a number is good for as long as the PFS exists, and nothing is
 * remembered for who holds one. Every operation throws {@link FsException}: {@link Errno#ESTALE} for a number that names no
 * inode, {@link Errno#EIO} where the medium failed or is damaged, after a line in the log that says where.
 */
@SuppressWarnings("DoNotCallSuggester")
public final class FileSystem {
    /** Inode number of the root directory. */
    public static final long ROOT_INUM = InodeBlock.ROOT_INUM;

    /** Inodes kept that nobody uses at the moment. */
    private static final int INODES_KEPT = 1 << 14;

    private static final MemorySegment DOT = MemorySegment.ofArray(new byte[] {'.'});
    private static final MemorySegment DOT_DOT = MemorySegment.ofArray(new byte[] {'.', '.'});
    private static final long COOKIE_AFTER_DOT = 1;
    private static final long COOKIE_AFTER_DOT_DOT = 2;

    private final Hammer2 volume;
    private final Pfs pfs;
    private final InodeTable inodes;
    private final PathFinder paths;

    FileSystem(Hammer2 volume, Pfs pfs) {
        this.volume = volume;
        this.pfs = pfs;
        this.inodes = new InodeTable(INODES_KEPT, pfs.root());
        this.paths = new PathFinder(inodes, pfs.inodeIndex());
    }

    /** What is mounted. */
    public PfsInfo pfs() {
        return Hammer2.infoOf(pfs);
    }

    /** The volume that it is on. */
    public Hammer2 volume() {
        return volume;
    }

    /**
     * The inode that {@code name} names in a directory; "." and ".." do too.
     *
     * @param name its bytes; not kept
     * @return null when there is no such name
     * @throws FsException ENOTDIR; ENAMETOOLONG
     */
    public Attributes lookup(long parent, MemorySegment name) {
        if (name.byteSize() > Limits.NAME_BYTES_MAX) {
            throw new FsException(Errno.ENAMETOOLONG, "a name has at most 255 bytes");
        }
        Topology topology = volume.topology();
        try {
            Inode directory = open(topology, parent);
            try {
                requireDirectory(directory);
                if (isDot(name)) {
                    return directory.content().attributes();
                }
                long inum = isDotDot(name)
                        ? parentOf(directory)
                        : directory.directory().lookup(topology, name);
                return inum == Directory.NONE ? null : target(topology, directory, inum);
            } finally {
                close(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> PathFinder.join(paths.pathOf(topology, parent), name));
        }
    }

    public Attributes attributes(long inum) {
        Topology topology = volume.topology();
        try {
            Inode inode = open(topology, inum);
            try {
                return inode.content().attributes();
            } finally {
                close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        }
    }

    /** The inode as it lies on the medium. */
    public InodeInfo inodeInfo(long inum) {
        Topology topology = volume.topology();
        try {
            Inode inode = open(topology, inum);
            try {
                // What was committed never changes, so a view is as good as a copy.
                return new InodeInfo(
                        inode.content().ref(), inode.content().block().bytes().asReadOnly());
            } finally {
                close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        }
    }

    /**
     * Reads a file from {@code offset} on.
     *
     * @return bytes read; fewer than {@code into} holds only at the end of the file
     * @throws FsException EISDIR; EINVAL for what is neither file nor directory, or a negative offset
     */
    public int read(long inum, long offset, MemorySegment into) {
        if (offset < 0) {
            throw new FsException(Errno.EINVAL, "negative offset");
        }
        Topology topology = volume.topology();
        try {
            Inode inode = open(topology, inum);
            try {
                FileData file = requireFile(inode);
                int length = file.read(topology, offset, into);
                volume.readAhead().afterRead(file, inum, offset, length);
                return length;
            } finally {
                close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        }
    }

    /**
     * The target of a symbolic link.
     *
     * @return its bytes, at most as many as {@code into} holds
     * @throws FsException EINVAL for what is no symbolic link; ENAMETOOLONG for a target longer than 4095 bytes
     */
    public int readlink(long inum, MemorySegment into) {
        Topology topology = volume.topology();
        try {
            Inode inode = open(topology, inum);
            try {
                if (inode.content().type() != FileType.SYMLINK) {
                    throw new FsException(Errno.EINVAL, "not a symbolic link");
                }
                FileData target = inode.fileData();
                if (target.sizeBytes() > Limits.SYMLINK_BYTES_MAX) {
                    throw new FsException(Errno.ENAMETOOLONG, "a target of " + target.sizeBytes() + " bytes");
                }
                return target.read(topology, 0, into);
            } finally {
                close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        }
    }

    /**
     * First offset at or after {@code offset} with data: lseek(2), SEEK_DATA.
     *
     * @throws FsException ENXIO when there is none before the end of the file
     */
    public long seekData(long inum, long offset) {
        return seek(inum, offset, true);
    }

    /**
     * First offset at or after {@code offset} in a hole, of which the end of the file is one: lseek(2), SEEK_HOLE.
     *
     * @throws FsException ENXIO when {@code offset} is at or beyond the end of the file
     */
    public long seekHole(long inum, long offset) {
        return seek(inum, offset, false);
    }

    /**
     * Lists a directory: ".", "..", then its entries in the order of their hashes.
     *
     * @param cookie 0 to begin, else what an entry came with; stays good whatever happens to the directory
     * @throws FsException ENOTDIR; EIO when the very next entry cannot be read
     */
    public void readdir(long inum, long cookie, DirectorySink sink) {
        Topology topology = volume.topology();
        Listing listing = new Listing(sink);
        try {
            Inode directory = open(topology, inum);
            try {
                requireDirectory(directory);
                list(topology, directory, cookie, listing);
            } finally {
                close(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            // What was taken is good. Who comes back for more meets the damage first, and the error.
            if (!listing.tookAny) {
                throw fault(e, () -> paths.pathOf(topology, inum));
            }
        }
    }

    /** Remembers whether anything was taken. */
    private static final class Listing implements DirectorySink {
        private final DirectorySink sink;
        private boolean tookAny;

        private Listing(DirectorySink sink) {
            this.sink = sink;
        }

        @Override
        public boolean entry(long inum, FileType type, MemorySegment name, long nextCookie) {
            boolean took = sink.entry(inum, type, name, nextCookie);
            tookAny |= took;
            return took;
        }
    }

    public StatFs statfs() {
        return volume.statfs(pfs);
    }

    // Modifications. All throw EROFS on what is mounted read-only, also when an error of the device made it so; ENOSPC
    // when
    // space is short; EPERM for what is immutable or append-only (chflags(2)). Names are bytes, not kept, without '/'
    // and NUL.

    /** Whether modifications are refused. */
    public boolean isReadOnly() {
        return true;
    }

    /**
     * Keeps an inode until {@link #release}, even if its last name goes meanwhile.
     *
     * @throws FsException ESTALE
     */
    public void open(long inum) {
        close(open(volume.topology(), inum));
    }

    /** Ends an {@link #open}; what has neither name nor user is gone then. */
    public void release(long inum) {}

    /**
     * Makes a file, directory, device node, socket or FIFO.
     *
     * @throws FsException EEXIST; ENOTDIR; ENOENT in a directory that was removed; ENAMETOOLONG; EINVAL for a name of no bytes
     *     or with '/' or NUL, and for a symbolic link
     */
    public Attributes create(long parent, MemorySegment name, NewInode what) {
        throw readOnly();
    }

    /** Makes a regular file without a name, open: open(2), O_TMPFILE. It may be given one by {@link #link}. */
    public Attributes createUnnamed(long parent, NewInode what) {
        throw readOnly();
    }

    /**
     * Makes a symbolic link.
     *
     * @param target 1 to 4095 bytes
     * @throws FsException as {@link #create}
     */
    public Attributes symlink(long parent, MemorySegment name, MemorySegment target, NewInode what) {
        throw readOnly();
    }

    /**
     * Gives an inode another name.
     *
     * @throws FsException EPERM for a directory; EMLINK; as {@link #create}
     */
    public Attributes link(long inum, long parent, MemorySegment name) {
        throw readOnly();
    }

    /** @throws FsException ENOENT; EISDIR for a directory */
    public void unlink(long parent, MemorySegment name) {
        throw readOnly();
    }

    /** @throws FsException ENOENT; ENOTDIR; ENOTEMPTY; EINVAL for "." */
    public void rmdir(long parent, MemorySegment name) {
        throw readOnly();
    }

    /**
     * Renames: rename(2), renameat2(2).
     *
     * @throws FsException EINVAL for a directory that would come below itself; ENOENT; EEXIST; ENOTEMPTY; EISDIR; ENOTDIR
     */
    public void rename(long parent, MemorySegment name, long newParent, MemorySegment newName, RenameMode mode) {
        throw readOnly();
    }

    /**
     * Changes attributes, all or none.
     *
     * @return what they are then
     * @throws FsException EFBIG; EISDIR or EINVAL for the size of what has none
     */
    public Attributes setAttributes(long inum, AttributeChange change) {
        throw readOnly();
    }

    /** {@link #write}: the times stay, since the kernel, which caches writes, will set them itself. */
    public static final int WRITE_KEEP_TIMES = 1;

    /** {@link #write}: as {@link AttributeChange#dropSetId}. */
    public static final int WRITE_DROP_SETID = 2;

    /** {@link #write}: at the end of the file, wherever that is; the offset says nothing. */
    public static final int WRITE_APPEND = 4;

    /**
     * Writes to a file; all of {@code from} or nothing.
     *
     * @param from at most 1 MiB
     * @param flags {@link #WRITE_KEEP_TIMES}, {@link #WRITE_DROP_SETID}, {@link #WRITE_APPEND}
     * @return bytes written
     * @throws FsException EFBIG; EISDIR; EINVAL for what has no content
     */
    public int write(long inum, long offset, MemorySegment from, int flags) {
        throw readOnly();
    }

    /**
     * Prepares, or zeroes, a range of a file: fallocate(2).
     *
     * @throws FsException ENOSPC when there is less space than the range would take; EFBIG; EINVAL; EISDIR
     */
    public void allocate(long inum, long offset, long length, AllocateMode mode) {
        throw readOnly();
    }

    /**
     * Copies from one file to another, or within one, by sharing blocks where both offsets lie alike: copy_file_range(2).
     *
     * @return bytes copied; fewer at the end of the source, or because a part is enough for one request
     * @throws FsException EINVAL for ranges of the same file that overlap
     */
    public long copyRange(long from, long fromOffset, long to, long toOffset, long length) {
        throw readOnly();
    }

    /** Makes an inode durable, with all that leads to it: survives a power cut once this returns. EIO when it cannot. */
    public void fsync(long inum) {
        sync();
    }

    /** Makes everything durable that was done before. */
    public void sync() {}

    private static FsException readOnly() {
        return new FsException(Errno.EROFS, "mounted read-only");
    }

    private static void list(Topology topology, Inode directory, long cookie, DirectorySink sink) {
        long inum = directory.inum();
        if (cookie < COOKIE_AFTER_DOT && !sink.entry(inum, FileType.DIRECTORY, DOT, COOKIE_AFTER_DOT)) {
            return;
        }
        if (cookie < COOKIE_AFTER_DOT_DOT
                && !sink.entry(parentOf(directory), FileType.DIRECTORY, DOT_DOT, COOKIE_AFTER_DOT_DOT)) {
            return;
        }
        directory.directory().list(topology, cookie <= COOKIE_AFTER_DOT_DOT ? 0 : cookie, sink);
    }

    private long seek(long inum, long offset, boolean data) {
        Topology topology = volume.topology();
        try {
            Inode inode = open(topology, inum);
            try {
                FileData file = requireFile(inode);
                long found = data ? file.seekData(topology, offset) : file.seekHole(topology, offset);
                if (found < 0) {
                    throw new FsException(Errno.ENXIO, "nothing at or after offset " + offset);
                }
                return found;
            } finally {
                close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        }
    }

    /** With its gate shared. */
    private Inode open(Topology topology, long inum) {
        Inode inode = inodes.acquire(inum);
        boolean open = false;
        try {
            open = inode.lockShared(topology, pfs.inodeIndex());
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

    private void close(Inode inode) {
        inode.gate().unlockShared();
        inodes.release(inode);
    }

    /** Attributes of the inode that an entry of {@code directory} names. */
    private Attributes target(Topology topology, Inode directory, long inum) {
        if (inum == directory.inum()) {
            return directory.content().attributes();
        }
        Inode inode = inodes.acquire(inum);
        try {
            if (!inode.lockSharedBelow(directory, topology, pfs.inodeIndex())) {
                throw new CorruptBlockException(
                        directory.content().ref(),
                        "target of a directory entry",
                        "an inode",
                        "none with number " + Key.text(inum));
            }
            try {
                return inode.content().attributes();
            } finally {
                inode.gate().unlockShared();
            }
        } finally {
            inodes.release(inode);
        }
    }

    private FsException fault(RuntimeException damage, Supplier<String> path) {
        volume.faults()
                .report(() -> "PFS " + PathFinder.text(pfs.label()) + ", " + path.get() + ": "
                        + (damage instanceof DeviceErrorException error
                                ? "read error in " + error.ref() + ": " + error.getMessage()
                                : damage.getMessage()));
        return new FsException(Errno.EIO, String.valueOf(damage.getMessage()));
    }

    private static void requireDirectory(Inode inode) {
        if (inode.content().type() != FileType.DIRECTORY) {
            throw new FsException(Errno.ENOTDIR, "inode " + inode.inum());
        }
    }

    private static FileData requireFile(Inode inode) {
        return switch (inode.content().type()) {
            case REGULAR, SYMLINK -> inode.fileData();
            case DIRECTORY -> throw new FsException(Errno.EISDIR, "inode " + inode.inum());
            case FIFO, CHARACTER_DEVICE, BLOCK_DEVICE, SOCKET, WHITEOUT ->
                throw new FsException(Errno.EINVAL, "inode " + inode.inum() + " has no content");
        };
    }

    private static long parentOf(Inode directory) {
        return directory.inum() == ROOT_INUM
                ? ROOT_INUM
                : directory.content().block().iparent();
    }

    private static boolean isDot(MemorySegment name) {
        return name.byteSize() == 1 && name.get(ValueLayout.JAVA_BYTE, 0) == '.';
    }

    private static boolean isDotDot(MemorySegment name) {
        return name.byteSize() == 2
                && name.get(ValueLayout.JAVA_BYTE, 0) == '.'
                && name.get(ValueLayout.JAVA_BYTE, 1) == '.';
    }
}
