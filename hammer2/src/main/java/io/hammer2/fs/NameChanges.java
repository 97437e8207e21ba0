package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.inode.Directory;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;

/**
 * All that makes, moves or removes names.
 *
 * <p>Gates, in this order: the volume's modification gate, shared (exclusive where directories are removed or change places);
 * directories, by number; what they name, by number. What is named is known not to be a directory wherever the modification
 * gate is shared, so it is the end of every chain of waiting, whatever the names on a volume say.
 */
final class NameChanges {
    /** What a change of one name can take at a flush, at most. */
    static final long NAME_RESERVE_BYTES = 2 * Access.INODE_RESERVE_BYTES;

    /** As the other ports have it (format section 16.4). */
    private static final long LINKS_MAX = 0xFFFF_FFFFL;

    private static final long SYMLINK_RESERVE_BYTES = 8 * Limits.KIB;

    private static final int SETGID = 02000;

    private final Access access;
    private final Names names;

    NameChanges(Access access, Names names) {
        this.access = access;
        this.names = names;
    }

    /** {@link FileSystem#create}. */
    Attributes create(long parent, MemorySegment name, NewInode what) {
        if (what.type() == FileType.SYMLINK || what.type() == FileType.WHITEOUT) {
            throw new FsException(Errno.EINVAL, "a " + what.type() + " is not made like this");
        }
        return create(parent, name, what, null);
    }

    /** {@link FileSystem#symlink}. */
    Attributes symlink(long parent, MemorySegment name, MemorySegment target, NewInode what) {
        if (what.type() != FileType.SYMLINK || target.byteSize() == 0) {
            throw new FsException(Errno.EINVAL, "no symbolic link");
        }
        if (target.byteSize() > Limits.SYMLINK_BYTES_MAX) {
            throw new FsException(Errno.ENAMETOOLONG, "a target of " + target.byteSize() + " bytes");
        }
        return create(parent, name, what, target);
    }

    private Attributes create(long parent, MemorySegment name, NewInode what, MemorySegment target) {
        Names.requireNewName(name);
        Topology topology = access.topology();
        access.begin(NAME_RESERVE_BYTES + (target == null ? 0 : SYMLINK_RESERVE_BYTES), 0, false, false);
        try {
            Inode directory = access.openExclusive(topology, parent);
            try {
                requireFree(topology, directory, name);
                long now = access.now();
                long inum = access.pfs().takeInum();
                access.touch(directory, now);
                insert(topology, directory, name, inum, what.type());
                Inode inode = access.inodes().acquire(inum);
                try {
                    inode.gate().lockExclusiveBelow(directory.gate());
                    try {
                        access.pfs().begin(inode, newFields(directory.block(), inum, what, now));
                        if (target != null) {
                            inode.fileData().write(topology, access.pfs().buffers(), 0, target);
                        }
                        return inode.attributes();
                    } finally {
                        inode.gate().unlockExclusive();
                    }
                } finally {
                    access.inodes().release(inode);
                }
            } finally {
                access.closeExclusive(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> PathFinder.join(access.paths().pathOf(topology, parent), name));
        } finally {
            access.end(false);
        }
    }

    /** {@link FileSystem#createUnnamed}. */
    Attributes createUnnamed(long parent, NewInode what) {
        if (what.type() != FileType.REGULAR) {
            throw new FsException(Errno.EINVAL, "only a file can be without a name");
        }
        Topology topology = access.topology();
        access.begin(NAME_RESERVE_BYTES, 0, false, false);
        try {
            Inode directory = access.open(topology, parent);
            try {
                Access.requireDirectory(directory);
                long inum = access.pfs().takeInum();
                InodeBlock fields = newFields(directory.block(), inum, what, access.now());
                fields.setNlinks(0);
                Inode inode = access.inodes().acquire(inum);
                inode.gate().lockExclusiveBelow(directory.gate());
                try {
                    access.pfs().begin(inode, fields);
                    access.pfs().setNameless(inode, true);
                    access.inodes().countOpens(inode, 1);
                    return inode.attributes();
                } finally {
                    inode.gate().unlockExclusive();
                }
            } finally {
                access.close(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, parent));
        } finally {
            access.end(false);
        }
    }

    /** {@link FileSystem#link}. */
    Attributes link(long inum, long parent, MemorySegment name) {
        Names.requireNewName(name);
        Topology topology = access.topology();
        if (access.typeOf(inum) == FileType.DIRECTORY) {
            throw new FsException(Errno.EPERM, "a directory has one name");
        }
        access.begin(NAME_RESERVE_BYTES, 0, false, false);
        try {
            Inode directory = access.openExclusive(topology, parent);
            try {
                requireFree(topology, directory, name);
                Inode inode = access.openExclusiveBelow(topology, directory, inum);
                try {
                    Access.requireUnprotected(inode);
                    if (inode.block().nlinks() >= LINKS_MAX) {
                        throw new FsException(Errno.EMLINK, "inode " + inum);
                    }
                    long now = access.now();
                    access.touch(directory, now);
                    insert(topology, directory, name, inum, inode.type());
                    InodeBlock fields = access.pfs().change(inode);
                    if (fields.nlinks() == 0) {
                        fields.setIparent(parent);
                        access.pfs().setNameless(inode, false);
                    }
                    fields.setNlinks(fields.nlinks() + 1);
                    fields.setCtimeMicros(now);
                    return inode.attributes();
                } finally {
                    access.closeExclusive(inode);
                }
            } finally {
                access.closeExclusive(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> PathFinder.join(access.paths().pathOf(topology, parent), name));
        } finally {
            access.end(false);
        }
    }

    /** {@link FileSystem#unlink}. */
    void unlink(long parent, MemorySegment name) {
        Names.requireName(name);
        if (Names.isDot(name) || Names.isDotDot(name)) {
            throw new FsException(Errno.EISDIR, "a directory");
        }
        Topology topology = access.topology();
        try {
            while (!unlink(topology, parent, name, names.existing(parent, name))) {
                // The name came to mean another inode meanwhile.
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> PathFinder.join(access.paths().pathOf(topology, parent), name));
        }
    }

    private boolean unlink(Topology topology, long parent, MemorySegment name, Attributes known) {
        if (known.type() == FileType.DIRECTORY) {
            throw new FsException(Errno.EISDIR, "a directory");
        }
        access.begin(NAME_RESERVE_BYTES, 0, true, false);
        try {
            Inode directory = access.openExclusive(topology, parent);
            try {
                requireChangeable(directory, false);
                Directory.Entry entry = directory.directory().find(topology, name);
                if (entry == null || entry.inum() != known.inum()) {
                    return false;
                }
                Inode inode = access.openExclusiveBelow(topology, directory, entry.inum());
                try {
                    Access.requireUnprotected(inode);
                    remove(topology, directory, entry, inode);
                } finally {
                    access.closeExclusive(inode);
                }
                return true;
            } finally {
                access.closeExclusive(directory);
            }
        } finally {
            access.end(false);
        }
    }

    /** {@link FileSystem#rmdir}. */
    void rmdir(long parent, MemorySegment name) {
        Names.requireName(name);
        if (Names.isDot(name)) {
            throw new FsException(Errno.EINVAL, "\".\" cannot be removed");
        }
        if (Names.isDotDot(name)) {
            throw new FsException(Errno.ENOTEMPTY, "\"..\" cannot be removed");
        }
        Topology topology = access.topology();
        access.begin(NAME_RESERVE_BYTES, 0, true, true);
        try {
            Attributes known = names.existing(parent, name);
            if (known.type() != FileType.DIRECTORY) {
                throw new FsException(Errno.ENOTDIR, "inode " + known.inum());
            }
            if (known.inum() == parent || known.inum() == FileSystem.ROOT_INUM) {
                throw new FsException(Errno.EBUSY, "a directory that names itself, or the root");
            }
            Inode directory = access.openExclusive(topology, parent);
            try {
                requireChangeable(directory, false);
                Directory.Entry entry = directory.directory().find(topology, name);
                Inode inode = access.openExclusiveBelow(topology, directory, known.inum());
                try {
                    Access.requireUnprotected(inode);
                    if (!inode.directory().isEmpty(topology)) {
                        throw new FsException(Errno.ENOTEMPTY, "inode " + known.inum());
                    }
                    remove(topology, directory, entry, inode);
                } finally {
                    access.closeExclusive(inode);
                }
            } finally {
                access.closeExclusive(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> PathFinder.join(access.paths().pathOf(topology, parent), name));
        } finally {
            access.end(true);
        }
    }

    /** {@link FileSystem#rename}. */
    void rename(long parent, MemorySegment name, long newParent, MemorySegment newName, RenameMode mode) {
        Names.requireName(name);
        Names.requireNewName(newName);
        if (Names.isDot(name) || Names.isDotDot(name) || Names.isDot(newName) || Names.isDotDot(newName)) {
            throw new FsException(Errno.EINVAL, "\".\" and \"..\" cannot be renamed");
        }
        Topology topology = access.topology();
        Rename rename = new Rename(access, names, this, new Rename.Request(parent, name, newParent, newName, mode));
        try {
            while (!rename.step()) {
                // A name came to mean another inode meanwhile.
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> PathFinder.join(access.paths().pathOf(topology, parent), name));
        }
    }

    /** That a new name can come into a directory, and this is one; with its gate held. */
    private static void requireFree(Topology topology, Inode directory, MemorySegment name) {
        requireChangeable(directory, true);
        if (Names.isDot(name) || Names.isDotDot(name) || directory.directory().find(topology, name) != null) {
            throw new FsException(Errno.EEXIST, "the name is taken");
        }
    }

    /**
     * Takes a name out of a directory; with both gates held exclusively.
     *
     * @param inode what it means, null where that cannot be read
     */
    void remove(Topology topology, Inode directory, Directory.Entry entry, Inode inode) {
        long now = access.now();
        access.touch(directory, now);
        directory.directory().remove(topology, entry);
        if (inode != null) {
            dropName(inode, now);
        }
    }

    /** A new name in a directory; with the gate of that held exclusively. */
    void insert(Topology topology, Inode directory, MemorySegment name, long inum, FileType type) {
        if (!directory.directory().insert(topology, name, inum, type, access.mirrorTid())) {
            throw new FsException(Errno.ENOSPC, "too many names with the same hash");
        }
    }

    /** One name of an inode is gone; with the last one it goes too, unless somebody has it open. */
    void dropName(Inode inode, long now) {
        InodeBlock fields = access.pfs().change(inode);
        // A directory has one name, whatever other systems count in its links (format section 8.5).
        long left = inode.type() == FileType.DIRECTORY ? 0 : Math.max(0, fields.nlinks() - 1);
        fields.setNlinks(left);
        fields.setCtimeMicros(now);
        if (left == 0) {
            if (access.inodes().countOpens(inode, 0) == 0) {
                inode.remove(access.pfs().buffers());
            } else {
                access.pfs().setNameless(inode, true);
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

    /** @param gainsName whether a name is added, which an append-only directory allows */
    static void requireChangeable(Inode directory, boolean gainsName) {
        Access.requireDirectory(directory);
        InodeBlock fields = directory.block();
        if ((fields.uflags() & (gainsName ? Access.IMMUTABLE : Access.IMMUTABLE | Access.APPEND_ONLY)) != 0) {
            throw new FsException(Errno.EPERM, "directory " + directory.inum() + " is immutable or append-only");
        }
        if (fields.nlinks() == 0 && directory.inum() != FileSystem.ROOT_INUM) {
            throw new FsException(Errno.ENOENT, "directory " + directory.inum() + " was removed");
        }
    }
}
