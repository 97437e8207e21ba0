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
import io.hammer2.fs.pfs.MountedPfs;
import io.hammer2.fs.volume.Sync;
import io.hammer2.lwkt.Clock;
import java.io.IOException;
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
public final class FileSystem {
    /** Inode number of the root directory. */
    public static final long ROOT_INUM = InodeBlock.ROOT_INUM;

    private static final int SETUID = 04000;
    private static final int SETGID = 02000;
    private static final int GROUP_EXECUTE = 00010;

    /** chflags(2): UF_IMMUTABLE and SF_IMMUTABLE. */
    private static final int IMMUTABLE = 0x2 | 0x20000;

    /** chflags(2): UF_APPEND and SF_APPEND. */
    private static final int APPEND_ONLY = 0x4 | 0x40000;

    /** As the other ports have it (format section 16.4). */
    private static final long LINKS_MAX = 0xFFFF_FFFFL;

    /** Directories above one another, before they are taken for a circle. */
    private static final int PARENTS_MAX = 1 << 16;

    private static final int WRITE_BYTES_MAX = Limits.MIB;

    // The most that a flush can take for a change: the inode, and a block of 16 KiB on the way to it in the index and
    // below
    // it; in a directory also a name's block.
    private static final long INODE_RESERVE_BYTES = 36 * Limits.KIB;
    private static final long NAME_RESERVE_BYTES = 2 * INODE_RESERVE_BYTES;
    private static final long BLOCK_RESERVE_BYTES = Limits.BLOCK_BYTES_MAX + 4 * Limits.KIB;
    private static final long SYMLINK_RESERVE_BYTES = 8 * Limits.KIB;

    /** Blocks that one request shares, each perhaps below an indirect block of its own in a sparse file. */
    private static final int SHARE_BLOCKS_MAX = 256;

    private static final long SHARE_RESERVE_BYTES = Limits.KIB;

    /** A name whose target is missing again and again names nothing. */
    private static final int LOOKUPS_MAX = 3;

    private static final MemorySegment DOT = MemorySegment.ofArray(new byte[] {'.'});
    private static final MemorySegment DOT_DOT = MemorySegment.ofArray(new byte[] {'.', '.'});
    private static final long COOKIE_AFTER_DOT = 1;
    private static final long COOKIE_AFTER_DOT_DOT = 2;

    private final Hammer2 volume;
    private final MountedPfs pfs;
    private final InodeTable inodes;
    private final PathFinder paths;
    private final Clock clock;

    /** Null of what is mounted read-only. */
    private final Sync sync;

    FileSystem(Hammer2 volume, MountedPfs pfs, Clock clock) {
        this.volume = volume;
        this.pfs = pfs;
        this.inodes = pfs.inodes();
        this.paths = new PathFinder(inodes, pfs.index());
        this.clock = clock;
        this.sync = volume.syncOrNull();
    }

    /** What is mounted. */
    public PfsInfo pfs() {
        return Hammer2.infoOf(pfs.pfs());
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
            // The directory's gate is let go before the target's is taken: nobody who reads ever holds two, so that
            // what
            // names each other in a circle cannot stop anybody. If the target went meanwhile, its name did too.
            for (int tries = 0; ; tries++) {
                long inum = find(topology, parent, name);
                Attributes found = inum == Directory.NONE ? null : attributesOrNull(topology, inum);
                if (found != null || inum == Directory.NONE) {
                    return found;
                }
                if (tries == LOOKUPS_MAX) {
                    throw missing(topology, parent, inum);
                }
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> PathFinder.join(paths.pathOf(topology, parent), name));
        }
    }

    /** Inode number of a name in a directory, or {@link Directory#NONE}. */
    private long find(Topology topology, long parent, MemorySegment name) {
        Inode directory = open(topology, parent);
        try {
            requireDirectory(directory);
            return isDot(name)
                    ? parent
                    : isDotDot(name)
                            ? parentOf(directory)
                            : directory.directory().lookup(topology, name);
        } finally {
            close(directory);
        }
    }

    private Attributes attributesOrNull(Topology topology, long inum) {
        Inode inode = inodes.acquire(inum);
        try {
            if (!inode.lockShared(topology, pfs.index())) {
                return null;
            }
            try {
                return inode.attributes();
            } finally {
                inode.gate().unlockShared();
            }
        } finally {
            inodes.release(inode);
        }
    }

    private CorruptBlockException missing(Topology topology, long parent, long inum) {
        Inode directory = open(topology, parent);
        try {
            return new CorruptBlockException(
                    directory.committedRef(),
                    "target of a directory entry",
                    "an inode",
                    "none with number " + Key.text(inum));
        } finally {
            close(directory);
        }
    }

    public Attributes attributes(long inum) {
        Topology topology = volume.topology();
        try {
            Inode inode = open(topology, inum);
            try {
                return inode.attributes();
            } finally {
                close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        }
    }

    /** The inode as it is, on the medium once it is committed; the reference is null of what never was. */
    public InodeInfo inodeInfo(long inum) {
        Topology topology = volume.topology();
        try {
            Inode inode = open(topology, inum);
            try {
                byte[] copy = inode.block().bytes().toArray(ValueLayout.JAVA_BYTE);
                return new InodeInfo(
                        inode.committedRef(), MemorySegment.ofArray(copy).asReadOnly());
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
                if (inode.type() != FileType.SYMLINK) {
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
    //
    // Gates, in this order: the volume's modification gate, shared (exclusive where directories are removed or change
    // places);
    // directories, by number; what they name, by number. What is named is known not to be a directory wherever the
    // modification
    // gate is shared, so it is the end of every chain of waiting, whatever the names on a volume say.

    /** Whether modifications are refused. */
    public boolean isReadOnly() {
        return sync == null || sync.failure() != null;
    }

    /**
     * Keeps an inode until {@link #release}, even if its last name goes meanwhile.
     *
     * @throws FsException ESTALE
     */
    public void open(long inum) {
        Topology topology = volume.topology();
        Inode inode = inodes.acquire(inum);
        boolean open = false;
        try {
            open = inode.lockShared(topology, pfs.index());
            if (!open) {
                throw new FsException(Errno.ESTALE, "no inode " + inum);
            }
            inodes.countOpens(inode, 1);
            inode.gate().unlockShared();
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        } finally {
            if (!open) {
                inodes.release(inode);
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
        if (isReadOnly()) {
            throw readOnly();
        }
        open(inum);
        boolean allowed = false;
        try {
            int uflags = attributes(inum).uflags();
            if ((uflags & IMMUTABLE) != 0 || ((uflags & APPEND_ONLY) != 0 && !appends)) {
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
        Inode inode = inodes.acquire(inum);
        try {
            boolean last = inodes.countOpens(inode, -1) == 0;
            // The open's own.
            inodes.release(inode);
            if (last && sync != null) {
                removeIfUnused(inode);
            }
        } finally {
            inodes.release(inode);
        }
    }

    private void removeIfUnused(Inode inode) {
        inode.gate().lockShared();
        boolean nameless = !inode.isRemoved() && inode.exists() && inode.block().nlinks() == 0;
        inode.gate().unlockShared();
        if (!nameless) {
            return;
        }
        sync.modifications().lockShared();
        try {
            inode.gate().lockExclusive();
            try {
                if (!inode.isRemoved() && inode.block().nlinks() == 0 && inodes.countOpens(inode, 0) == 0) {
                    pfs.setNameless(inode, false);
                    pfs.change(inode);
                    inode.remove(pfs.buffers());
                }
            } finally {
                inode.gate().unlockExclusive();
            }
        } finally {
            sync.modifications().unlockShared();
        }
    }

    /**
     * Makes a file, directory, device node, socket or FIFO.
     *
     * @throws FsException EEXIST; ENOTDIR; ENOENT in a directory that was removed; ENAMETOOLONG; EINVAL for a name of no bytes
     *     or with '/' or NUL, and for a symbolic link
     */
    public Attributes create(long parent, MemorySegment name, NewInode what) {
        if (what.type() == FileType.SYMLINK || what.type() == FileType.WHITEOUT) {
            throw new FsException(Errno.EINVAL, "a " + what.type() + " is not made like this");
        }
        return create(parent, name, what, null);
    }

    /**
     * Makes a symbolic link.
     *
     * @param target 1 to 4095 bytes
     * @throws FsException as {@link #create}
     */
    public Attributes symlink(long parent, MemorySegment name, MemorySegment target, NewInode what) {
        if (what.type() != FileType.SYMLINK || target.byteSize() == 0) {
            throw new FsException(Errno.EINVAL, "no symbolic link");
        }
        if (target.byteSize() > Limits.SYMLINK_BYTES_MAX) {
            throw new FsException(Errno.ENAMETOOLONG, "a target of " + target.byteSize() + " bytes");
        }
        return create(parent, name, what, target);
    }

    private Attributes create(long parent, MemorySegment name, NewInode what, MemorySegment target) {
        requireNewName(name);
        Topology topology = volume.topology();
        begin(NAME_RESERVE_BYTES + (target == null ? 0 : SYMLINK_RESERVE_BYTES), false, false);
        try {
            Inode directory = openExclusive(topology, parent);
            try {
                requireChangeable(directory, true);
                if (isDot(name) || isDotDot(name) || directory.directory().find(topology, name) != null) {
                    throw new FsException(Errno.EEXIST, "the name is taken");
                }
                long now = clock.currentTimeMicros();
                long inum = pfs.takeInum();
                touch(directory, now);
                insert(topology, directory, name, inum, what.type());
                Inode inode = inodes.acquire(inum);
                try {
                    inode.gate().lockExclusiveBelow(directory.gate());
                    try {
                        pfs.begin(inode, newFields(directory.block(), inum, what, now));
                        if (target != null) {
                            inode.fileData().write(topology, pfs.buffers(), 0, target);
                        }
                        return inode.attributes();
                    } finally {
                        inode.gate().unlockExclusive();
                    }
                } finally {
                    inodes.release(inode);
                }
            } finally {
                closeExclusive(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> PathFinder.join(paths.pathOf(topology, parent), name));
        } finally {
            sync.modifications().unlockShared();
        }
    }

    /** Makes a regular file without a name, open: open(2), O_TMPFILE. It may be given one by {@link #link}. */
    public Attributes createUnnamed(long parent, NewInode what) {
        if (what.type() != FileType.REGULAR) {
            throw new FsException(Errno.EINVAL, "only a file can be without a name");
        }
        Topology topology = volume.topology();
        begin(NAME_RESERVE_BYTES, false, false);
        try {
            Inode directory = open(topology, parent);
            try {
                requireDirectory(directory);
                long inum = pfs.takeInum();
                InodeBlock fields = newFields(directory.block(), inum, what, clock.currentTimeMicros());
                fields.setNlinks(0);
                Inode inode = inodes.acquire(inum);
                inode.gate().lockExclusiveBelow(directory.gate());
                try {
                    pfs.begin(inode, fields);
                    pfs.setNameless(inode, true);
                    inodes.countOpens(inode, 1);
                    return inode.attributes();
                } finally {
                    inode.gate().unlockExclusive();
                }
            } finally {
                close(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, parent));
        } finally {
            sync.modifications().unlockShared();
        }
    }

    /**
     * Gives an inode another name.
     *
     * @throws FsException EPERM for a directory; EMLINK; as {@link #create}
     */
    public Attributes link(long inum, long parent, MemorySegment name) {
        requireNewName(name);
        Topology topology = volume.topology();
        if (attributes(inum).type() == FileType.DIRECTORY) {
            throw new FsException(Errno.EPERM, "a directory has one name");
        }
        begin(NAME_RESERVE_BYTES, false, false);
        try {
            Inode directory = openExclusive(topology, parent);
            try {
                requireChangeable(directory, true);
                if (isDot(name) || isDotDot(name) || directory.directory().find(topology, name) != null) {
                    throw new FsException(Errno.EEXIST, "the name is taken");
                }
                Inode inode = openExclusiveBelow(topology, directory, inum);
                try {
                    requireUnprotected(inode);
                    if (inode.block().nlinks() >= LINKS_MAX) {
                        throw new FsException(Errno.EMLINK, "inode " + inum);
                    }
                    long now = clock.currentTimeMicros();
                    touch(directory, now);
                    insert(topology, directory, name, inum, inode.type());
                    InodeBlock fields = pfs.change(inode);
                    if (fields.nlinks() == 0) {
                        fields.setIparent(parent);
                        pfs.setNameless(inode, false);
                    }
                    fields.setNlinks(fields.nlinks() + 1);
                    fields.setCtimeMicros(now);
                    return inode.attributes();
                } finally {
                    closeExclusive(inode);
                }
            } finally {
                closeExclusive(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> PathFinder.join(paths.pathOf(topology, parent), name));
        } finally {
            sync.modifications().unlockShared();
        }
    }

    /** @throws FsException ENOENT; EISDIR for a directory */
    public void unlink(long parent, MemorySegment name) {
        requireName(name);
        if (isDot(name) || isDotDot(name)) {
            throw new FsException(Errno.EISDIR, "a directory");
        }
        Topology topology = volume.topology();
        try {
            while (!unlink(topology, parent, name, existing(parent, name))) {
                // The name came to mean another inode meanwhile.
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> PathFinder.join(paths.pathOf(topology, parent), name));
        }
    }

    private boolean unlink(Topology topology, long parent, MemorySegment name, Attributes known) {
        if (known.type() == FileType.DIRECTORY) {
            throw new FsException(Errno.EISDIR, "a directory");
        }
        begin(NAME_RESERVE_BYTES, true, false);
        try {
            Inode directory = openExclusive(topology, parent);
            try {
                requireChangeable(directory, false);
                Directory.Entry entry = directory.directory().find(topology, name);
                if (entry == null || entry.inum() != known.inum()) {
                    return false;
                }
                Inode inode = openExclusiveBelow(topology, directory, entry.inum());
                try {
                    requireUnprotected(inode);
                    long now = clock.currentTimeMicros();
                    touch(directory, now);
                    directory.directory().remove(topology, entry);
                    dropName(inode, now);
                } finally {
                    closeExclusive(inode);
                }
                return true;
            } finally {
                closeExclusive(directory);
            }
        } finally {
            sync.modifications().unlockShared();
        }
    }

    /** @throws FsException ENOENT; ENOTDIR; ENOTEMPTY; EINVAL for "." */
    public void rmdir(long parent, MemorySegment name) {
        requireName(name);
        if (isDot(name)) {
            throw new FsException(Errno.EINVAL, "\".\" cannot be removed");
        }
        if (isDotDot(name)) {
            throw new FsException(Errno.ENOTEMPTY, "\"..\" cannot be removed");
        }
        Topology topology = volume.topology();
        begin(NAME_RESERVE_BYTES, true, true);
        try {
            Attributes known = existing(parent, name);
            if (known.type() != FileType.DIRECTORY) {
                throw new FsException(Errno.ENOTDIR, "inode " + known.inum());
            }
            if (known.inum() == parent || known.inum() == ROOT_INUM) {
                throw new FsException(Errno.EBUSY, "a directory that names itself, or the root");
            }
            Inode directory = openExclusive(topology, parent);
            try {
                requireChangeable(directory, false);
                Directory.Entry entry = directory.directory().find(topology, name);
                Inode inode = openExclusiveBelow(topology, directory, known.inum());
                try {
                    requireUnprotected(inode);
                    if (!inode.directory().isEmpty(topology)) {
                        throw new FsException(Errno.ENOTEMPTY, "inode " + known.inum());
                    }
                    long now = clock.currentTimeMicros();
                    touch(directory, now);
                    directory.directory().remove(topology, entry);
                    dropName(inode, now);
                } finally {
                    closeExclusive(inode);
                }
            } finally {
                closeExclusive(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> PathFinder.join(paths.pathOf(topology, parent), name));
        } finally {
            sync.modifications().unlockExclusive();
        }
    }

    /**
     * Renames: rename(2), renameat2(2).
     *
     * @throws FsException EINVAL for a directory that would come below itself; ENOENT; EEXIST; ENOTEMPTY; EISDIR; ENOTDIR
     */
    public void rename(long parent, MemorySegment name, long newParent, MemorySegment newName, RenameMode mode) {
        requireName(name);
        requireNewName(newName);
        if (isDot(name) || isDotDot(name) || isDot(newName) || isDotDot(newName)) {
            throw new FsException(Errno.EINVAL, "\".\" and \"..\" cannot be renamed");
        }
        Topology topology = volume.topology();
        Rename rename = new Rename(topology, parent, name, newParent, newName, mode);
        try {
            while (!rename(rename)) {
                // A name came to mean another inode meanwhile.
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> PathFinder.join(paths.pathOf(topology, parent), name));
        }
    }

    private boolean rename(Rename rename) {
        rename.look();
        boolean alone = rename.needsToBeAlone();
        begin(2 * NAME_RESERVE_BYTES, true, alone);
        try {
            if (alone) {
                // Looked up again now that directories stay where they are.
                rename.look();
                rename.checkAncestors();
            }
            return rename.run();
        } finally {
            if (alone) {
                sync.modifications().unlockExclusive();
            } else {
                sync.modifications().unlockShared();
            }
        }
    }

    /** One renaming, which may have to look more than once. */
    private final class Rename {
        private final Topology topology;
        private final long parent;
        private final MemorySegment name;
        private final long newParent;
        private final MemorySegment newName;
        private final RenameMode mode;
        private Attributes source;
        private Attributes target;

        private Rename(
                Topology topology,
                long parent,
                MemorySegment name,
                long newParent,
                MemorySegment newName,
                RenameMode mode) {
            this.topology = topology;
            this.parent = parent;
            this.name = name;
            this.newParent = newParent;
            this.newName = newName;
            this.mode = mode;
        }

        /** What the names mean now, with no gate of an inode held, and what cannot be whatever happens. */
        private void look() {
            source = existing(parent, name);
            target = lookup(newParent, newName);
            if (target == null) {
                if (mode == RenameMode.EXCHANGE) {
                    throw new FsException(Errno.ENOENT, "nothing to exchange with");
                }
                return;
            }
            if (mode == RenameMode.NO_REPLACE) {
                throw new FsException(Errno.EEXIST, "the name is taken");
            }
            if (mode == RenameMode.REPLACE && source.inum() != target.inum()) {
                if (isDirectory(source) && !isDirectory(target)) {
                    throw new FsException(Errno.ENOTDIR, "a directory replaces only a directory");
                }
                if (!isDirectory(source) && isDirectory(target)) {
                    throw new FsException(Errno.EISDIR, "only a directory replaces a directory");
                }
            }
        }

        private boolean needsToBeAlone() {
            return isDirectory(source) || (target != null && isDirectory(target));
        }

        /** Alone with the directories: no directory comes below itself, and none that is above another is empty. */
        private void checkAncestors() {
            if (isDirectory(source) && isAtOrAbove(source.inum(), newParent)) {
                throw new FsException(Errno.EINVAL, "a directory would come below itself");
            }
            if (target != null && isDirectory(target) && isAtOrAbove(target.inum(), parent)) {
                throw new FsException(
                        mode == RenameMode.EXCHANGE ? Errno.EINVAL : Errno.ENOTEMPTY, "a directory above the other");
            }
        }

        private boolean isAtOrAbove(long inum, long below) {
            long at = below;
            for (int depth = 0; depth < PARENTS_MAX; depth++) {
                if (at == inum) {
                    return true;
                }
                if (at == ROOT_INUM) {
                    return false;
                }
                Inode directory = FileSystem.this.open(topology, at);
                try {
                    at = parentOf(directory);
                } finally {
                    close(directory);
                }
            }
            throw new FsException(Errno.EIO, "directories above inode " + below + " have no end");
        }

        /** @return false when a name has come to mean something else */
        private boolean run() {
            long low = Math.min(parent, newParent);
            long high = Math.max(parent, newParent);
            Inode first = openExclusive(topology, low);
            try {
                Inode second = low == high ? first : openExclusive(topology, high);
                try {
                    return run(parent == low ? first : second, newParent == low ? first : second);
                } finally {
                    if (low != high) {
                        closeExclusive(second);
                    }
                }
            } finally {
                closeExclusive(first);
            }
        }

        private boolean run(Inode from, Inode to) {
            requireChangeable(from, false);
            requireChangeable(to, target == null);
            Directory.Entry entry = from.directory().find(topology, name);
            Directory.Entry other = to.directory().find(topology, newName);
            if (entry == null
                    || entry.inum() != source.inum()
                    || (other == null) != (target == null)
                    || (other != null && other.inum() != target.inum())) {
                return false;
            }
            if (other != null && other.inum() == entry.inum()) {
                return true;
            }
            // By number, below their directories.
            boolean sourceFirst = target == null || source.inum() < target.inum();
            Inode lower = openExclusiveBelow(topology, sourceFirst ? from : to, (sourceFirst ? source : target).inum());
            try {
                if (target == null) {
                    move(from, to, entry, null, lower, null);
                    return true;
                }
                Inode higher =
                        openExclusiveBelow(topology, sourceFirst ? to : from, (sourceFirst ? target : source).inum());
                try {
                    move(from, to, entry, other, sourceFirst ? lower : higher, sourceFirst ? higher : lower);
                    return true;
                } finally {
                    closeExclusive(higher);
                }
            } finally {
                closeExclusive(lower);
            }
        }

        private void move(
                Inode from, Inode to, Directory.Entry entry, Directory.Entry other, Inode moved, Inode replaced) {
            requireUnprotected(moved);
            if (replaced != null) {
                requireUnprotected(replaced);
                if (mode == RenameMode.REPLACE
                        && isDirectory(target)
                        && !replaced.directory().isEmpty(topology)) {
                    throw new FsException(Errno.ENOTEMPTY, "inode " + target.inum());
                }
            }
            long now = clock.currentTimeMicros();
            touch(from, now);
            touch(to, now);
            if (replaced == null) {
                insert(topology, to, newName, moved.inum(), moved.type());
            } else {
                to.directory().retarget(topology, other, moved.inum(), moved.type(), mirrorTid());
            }
            changed(moved, to, now);
            if (mode == RenameMode.EXCHANGE) {
                from.directory().retarget(topology, entry, replaced.inum(), replaced.type(), mirrorTid());
                changed(replaced, from, now);
                return;
            }
            from.directory().remove(topology, entry);
            if (replaced != null) {
                dropName(replaced, now);
            }
        }

        private void changed(Inode inode, Inode directory, long now) {
            InodeBlock fields = pfs.change(inode);
            fields.setIparent(directory.inum());
            fields.setCtimeMicros(now);
        }
    }

    /**
     * Changes attributes, all or none.
     *
     * @return what they are then
     * @throws FsException EFBIG; EISDIR or EINVAL for the size of what has none
     */
    public Attributes setAttributes(long inum, AttributeChange change) {
        Topology topology = volume.topology();
        boolean shrinks = change.hasSize();
        begin(INODE_RESERVE_BYTES + (shrinks ? 2 * Limits.BLOCK_BYTES_MAX : 0), shrinks, false);
        try {
            Inode inode = openExclusive(topology, inum);
            try {
                setAttributes(topology, inode, change);
                return inode.attributes();
            } finally {
                closeExclusive(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        } finally {
            sync.modifications().unlockShared();
        }
    }

    private void setAttributes(Topology topology, Inode inode, AttributeChange change) {
        int uflags = inode.block().uflags();
        if ((uflags & (IMMUTABLE | APPEND_ONLY)) != 0 && !change.hasUflags()) {
            throw new FsException(Errno.EPERM, "inode " + inode.inum() + " is immutable or append-only");
        }
        long now = clock.currentTimeMicros();
        if (change.hasSize()) {
            requireFile(inode);
            if (inode.type() != FileType.REGULAR) {
                throw new FsException(Errno.EINVAL, "inode " + inode.inum() + " has no size to change");
            }
            if (change.size() < 0) {
                throw new FsException(Errno.EINVAL, "a size of " + change.size());
            }
            pfs.change(inode);
            inode.fileData().setSize(topology, pfs.buffers(), change.size());
        }
        InodeBlock fields = pfs.change(inode);
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
        if (offset < 0 || from.byteSize() > WRITE_BYTES_MAX) {
            throw new FsException(Errno.EINVAL, "a write of " + from.byteSize() + " bytes at " + offset);
        }
        Topology topology = volume.topology();
        boolean committed = false;
        while (true) {
            begin(0, false, false);
            try {
                Inode inode = openExclusive(topology, inum);
                try {
                    FileData file = requireFile(inode);
                    long at = (flags & WRITE_APPEND) != 0 ? file.sizeBytes() : offset;
                    if (at > Limits.FILE_BYTES_MAX - from.byteSize()) {
                        throw new FsException(Errno.EFBIG, "a write at " + at);
                    }
                    // Space is counted when a block turns dirty, so that what was accepted can be flushed.
                    long needed = (inode.isChanged() ? 0 : INODE_RESERVE_BYTES)
                            + file.newDirtyBlocks(at, from.byteSize()) * BLOCK_RESERVE_BYTES;
                    if (needed == 0 || volume.budget().reserve(needed, false)) {
                        write(topology, inode, at, from, flags);
                        return (int) from.byteSize();
                    }
                } finally {
                    closeExclusive(inode);
                }
            } catch (CorruptBlockException | DeviceErrorException e) {
                throw fault(e, () -> paths.pathOf(topology, inum));
            } finally {
                sync.modifications().unlockShared();
            }
            if (committed) {
                throw noSpace();
            }
            // What is reserved is more than what it takes: a commit tells.
            commit();
            committed = true;
        }
    }

    private void write(Topology topology, Inode inode, long at, MemorySegment from, int flags) {
        if (from.byteSize() == 0) {
            return;
        }
        InodeBlock fields = pfs.change(inode);
        inode.fileData().write(topology, pfs.buffers(), at, from);
        if ((flags & WRITE_KEEP_TIMES) == 0) {
            long now = clock.currentTimeMicros();
            fields.setMtimeMicros(now);
            fields.setCtimeMicros(now);
        }
        if ((flags & WRITE_DROP_SETID) != 0) {
            fields.setMode(withoutSetId(fields.mode()));
        }
    }

    /**
     * Prepares, or zeroes, a range of a file: fallocate(2).
     *
     * @throws FsException ENOSPC when there is less space than the range would take; EFBIG; EINVAL; EISDIR
     */
    public void allocate(long inum, long offset, long length, AllocateMode mode) {
        if (offset < 0 || length <= 0) {
            throw new FsException(Errno.EINVAL, length + " bytes at " + offset);
        }
        if (offset > Limits.FILE_BYTES_MAX - length) {
            throw new FsException(Errno.EFBIG, length + " bytes at " + offset);
        }
        boolean takes = mode == AllocateMode.EXTEND || mode == AllocateMode.KEEP_SIZE;
        if (takes && !isReadOnly() && length > volume.budget().availableBytes()) {
            throw noSpace();
        }
        Topology topology = volume.topology();
        begin(INODE_RESERVE_BYTES + 2 * BLOCK_RESERVE_BYTES, !takes, false);
        try {
            Inode inode = openExclusive(topology, inum);
            try {
                FileData file = requireFile(inode);
                requireUnprotected(inode);
                if (inode.type() != FileType.REGULAR) {
                    throw new FsException(Errno.EINVAL, "inode " + inum + " is no file");
                }
                if (mode == AllocateMode.KEEP_SIZE) {
                    return;
                }
                InodeBlock fields = pfs.change(inode);
                long end = offset + length;
                if (!takes) {
                    file.zero(topology, pfs.buffers(), offset, end);
                }
                boolean extends_ = mode == AllocateMode.EXTEND || mode == AllocateMode.ZERO_RANGE;
                if (extends_ && end > file.sizeBytes()) {
                    file.setSize(topology, pfs.buffers(), end);
                }
                long now = clock.currentTimeMicros();
                fields.setMtimeMicros(now);
                fields.setCtimeMicros(now);
            } finally {
                closeExclusive(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, inum));
        } finally {
            sync.modifications().unlockShared();
        }
    }

    /**
     * Copies from one file to another, or within one: copy_file_range(2). Whole blocks that are on the medium are shared where
     * both offsets lie alike, and the rest is copied.
     *
     * @return bytes copied; fewer at the end of the source, or because a part is enough for one request
     * @throws FsException EINVAL for ranges of the same file that overlap
     */
    public long copyRange(long from, long fromOffset, long to, long toOffset, long length) {
        if (fromOffset < 0 || toOffset < 0 || length < 0 || fromOffset > Limits.FILE_BYTES_MAX - length) {
            throw new FsException(Errno.EINVAL, length + " bytes from " + fromOffset + " to " + toOffset);
        }
        if (toOffset > Limits.FILE_BYTES_MAX - length) {
            throw new FsException(Errno.EFBIG, length + " bytes to " + toOffset);
        }
        if (from == to && fromOffset < toOffset + length && toOffset < fromOffset + length) {
            throw new FsException(Errno.EINVAL, "the ranges overlap");
        }
        if (isReadOnly()) {
            throw readOnly();
        }
        long shared = from == to ? 0 : share(from, fromOffset, to, toOffset, length);
        if (shared > 0) {
            return shared;
        }
        int part = (int) Math.min(length, WRITE_BYTES_MAX);
        MemorySegment buffer = MemorySegment.ofArray(new byte[part]);
        int read = read(from, fromOffset, buffer);
        return read == 0 ? 0 : write(to, toOffset, buffer.asSlice(0, read), 0);
    }

    /** @return bytes that both have in common now; 0 when the range does not begin with a whole block that can be shared */
    private long share(long from, long fromOffset, long to, long toOffset, long length) {
        if (((fromOffset | toOffset) & (Limits.BLOCK_BYTES_MAX - 1)) != 0 || length < Limits.BLOCK_BYTES_MAX) {
            return 0;
        }
        Topology topology = volume.topology();
        begin(INODE_RESERVE_BYTES + SHARE_BLOCKS_MAX * SHARE_RESERVE_BYTES, false, false);
        try {
            Inode first = openExclusive(topology, Math.min(from, to));
            try {
                Inode second = openExclusive(topology, Math.max(from, to));
                try {
                    Inode source = from < to ? first : second;
                    Inode target = from < to ? second : first;
                    FileData file = requireFile(source);
                    requireFile(target);
                    requireUnprotected(target);
                    if (source.type() != FileType.REGULAR || target.type() != FileType.REGULAR) {
                        throw new FsException(Errno.EINVAL, "no file");
                    }
                    long bytes = Math.min(length, (long) SHARE_BLOCKS_MAX * Limits.BLOCK_BYTES_MAX);
                    int blocks = file.shareableBlocks(topology, fromOffset, bytes);
                    if (blocks == 0) {
                        return 0;
                    }
                    InodeBlock fields = pfs.change(target);
                    target.fileData().share(topology, pfs.buffers(), file, fromOffset, toOffset, blocks);
                    long now = clock.currentTimeMicros();
                    fields.setMtimeMicros(now);
                    fields.setCtimeMicros(now);
                    return (long) blocks * Limits.BLOCK_BYTES_MAX;
                } finally {
                    closeExclusive(second);
                }
            } finally {
                closeExclusive(first);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw fault(e, () -> paths.pathOf(topology, from));
        } finally {
            sync.modifications().unlockShared();
        }
    }

    /** Makes an inode durable, with all that leads to it: survives a power cut once this returns. EIO when it cannot. */
    public void fsync(long inum) {
        sync();
    }

    /** Makes everything durable that was done before. */
    public void sync() {
        if (sync != null) {
            commit();
        }
    }

    private void commit() {
        try {
            sync.commit();
        } catch (IOException e) {
            throw new FsException(Errno.EIO, "the commit failed: " + e.getMessage());
        }
    }

    /**
     * Begins a modification, with the modification gate held.
     *
     * @param bytes the most that it may come to take; 0 when the caller reserves later
     * @param givesBack whether it may use the space kept back
     * @param alone whether to hold the gate exclusively
     */
    private void begin(long bytes, boolean givesBack, boolean alone) {
        if (sync == null) {
            throw readOnly();
        }
        throttle();
        sync.schedule();
        for (boolean committed = false; ; committed = true) {
            if (alone) {
                sync.modifications().lockExclusive();
            } else {
                sync.modifications().lockShared();
            }
            boolean failed = sync.failure() != null;
            if (!failed && (bytes == 0 || volume.budget().reserve(bytes, givesBack))) {
                return;
            }
            if (alone) {
                sync.modifications().unlockExclusive();
            } else {
                sync.modifications().unlockShared();
            }
            if (failed) {
                throw readOnly();
            }
            if (committed) {
                throw noSpace();
            }
            commit();
        }
    }

    private void throttle() {
        try {
            sync.throttle();
        } catch (IOException e) {
            throw readOnly();
        }
    }

    private Inode openExclusive(Topology topology, long inum) {
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

    private Inode openExclusiveBelow(Topology topology, Inode directory, long inum) {
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

    private void closeExclusive(Inode inode) {
        inode.gate().unlockExclusive();
        inodes.release(inode);
    }

    /** What a name means; without gates of inodes held. */
    private Attributes existing(long parent, MemorySegment name) {
        Attributes found = lookup(parent, name);
        if (found == null) {
            throw new FsException(Errno.ENOENT, "no such name");
        }
        return found;
    }

    private void insert(Topology topology, Inode directory, MemorySegment name, long inum, FileType type) {
        if (!directory.directory().insert(topology, name, inum, type, mirrorTid())) {
            throw new FsException(Errno.ENOSPC, "too many names with the same hash");
        }
    }

    /** Of the commit that will have what is being done now. */
    private long mirrorTid() {
        return sync.nextTid();
    }

    private void touch(Inode directory, long now) {
        InodeBlock fields = pfs.change(directory);
        fields.setMtimeMicros(now);
        fields.setCtimeMicros(now);
    }

    /** One name of an inode is gone; with the last one it goes too, unless somebody has it open. */
    private void dropName(Inode inode, long now) {
        InodeBlock fields = pfs.change(inode);
        // A directory has one name, whatever other systems count in its links (format section 8.5).
        long left = inode.type() == FileType.DIRECTORY ? 0 : Math.max(0, fields.nlinks() - 1);
        fields.setNlinks(left);
        fields.setCtimeMicros(now);
        if (left == 0) {
            if (inodes.countOpens(inode, 0) == 0) {
                inode.remove(pfs.buffers());
            } else {
                pfs.setNameless(inode, true);
            }
        }
    }

    /** The fields of a new inode (format section 8.6). */
    private static InodeBlock newFields(InodeBlock directory, long inum, NewInode what, long now) {
        InodeBlock fields = new InodeBlock(MemorySegment.ofArray(new byte[Limits.INODE_BYTES]));
        boolean groupOfDirectory = (directory.mode() & SETGID) != 0;
        int mode = what.mode();
        if (groupOfDirectory && what.type() == FileType.DIRECTORY) {
            mode |= SETGID;
        }
        fields.setVersion(InodeBlock.VERSION);
        fields.setTimes(now, now, 0, now);
        fields.setType(what.type());
        fields.setOpFlags(what.type().hasData() ? InodeBlock.OP_DIRECTDATA : 0);
        fields.setMode(mode);
        fields.setOwner(what.uid(), groupOfDirectory ? directory.gid() : what.gid());
        fields.setDevice(what.rmajor(), what.rminor());
        fields.setInum(inum);
        fields.setNlinks(1);
        fields.setIparent(directory.inum());
        fields.setName(InodeBlock.nameOf(inum), inum);
        fields.setAlgorithms(directory.compAlgo(), directory.checkAlgo());
        return fields;
    }

    private static int withoutSetId(int mode) {
        boolean executable = (mode & GROUP_EXECUTE) != 0;
        return mode & ~SETUID & (executable ? ~SETGID : ~0);
    }

    private static boolean isDirectory(Attributes attributes) {
        return attributes.type() == FileType.DIRECTORY;
    }

    /** @param gainsName whether a name is added, which an append-only directory allows */
    private static void requireChangeable(Inode directory, boolean gainsName) {
        requireDirectory(directory);
        InodeBlock fields = directory.block();
        if ((fields.uflags() & (gainsName ? IMMUTABLE : IMMUTABLE | APPEND_ONLY)) != 0) {
            throw new FsException(Errno.EPERM, "directory " + directory.inum() + " is immutable or append-only");
        }
        if (fields.nlinks() == 0 && directory.inum() != ROOT_INUM) {
            throw new FsException(Errno.ENOENT, "directory " + directory.inum() + " was removed");
        }
    }

    private static void requireUnprotected(Inode inode) {
        if ((inode.block().uflags() & (IMMUTABLE | APPEND_ONLY)) != 0) {
            throw new FsException(Errno.EPERM, "inode " + inode.inum() + " is immutable or append-only");
        }
    }

    private static void requireName(MemorySegment name) {
        if (name.byteSize() > Limits.NAME_BYTES_MAX) {
            throw new FsException(Errno.ENAMETOOLONG, "a name has at most 255 bytes");
        }
        if (name.byteSize() == 0) {
            throw new FsException(Errno.ENOENT, "a name of no bytes");
        }
    }

    private static void requireNewName(MemorySegment name) {
        requireName(name);
        for (long i = 0; i < name.byteSize(); i++) {
            byte b = name.get(ValueLayout.JAVA_BYTE, i);
            if (b == 0 || b == '/') {
                throw new FsException(Errno.EINVAL, "a name without '/' and NUL");
            }
        }
    }

    private static FsException noSpace() {
        return new FsException(Errno.ENOSPC, "no space that may be used");
    }

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

    private void close(Inode inode) {
        inode.gate().unlockShared();
        inodes.release(inode);
    }

    private FsException fault(RuntimeException damage, Supplier<String> path) {
        volume.faults()
                .report(() -> "PFS " + PathFinder.text(pfs.pfs().label()) + ", " + path.get() + ": "
                        + (damage instanceof DeviceErrorException error
                                ? "read error in " + error.ref() + ": " + error.getMessage()
                                : damage.getMessage()));
        return new FsException(Errno.EIO, String.valueOf(damage.getMessage()));
    }

    private static void requireDirectory(Inode inode) {
        if (inode.type() != FileType.DIRECTORY) {
            throw new FsException(Errno.ENOTDIR, "inode " + inode.inum());
        }
    }

    private static FileData requireFile(Inode inode) {
        return switch (inode.type()) {
            case REGULAR, SYMLINK -> inode.fileData();
            case DIRECTORY -> throw new FsException(Errno.EISDIR, "inode " + inode.inum());
            case FIFO, CHARACTER_DEVICE, BLOCK_DEVICE, SOCKET, WHITEOUT ->
                throw new FsException(Errno.EINVAL, "inode " + inode.inum() + " has no content");
        };
    }

    private static long parentOf(Inode directory) {
        return directory.inum() == ROOT_INUM ? ROOT_INUM : directory.block().iparent();
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
