package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.inode.Directory;
import io.hammer2.fs.inode.DirectorySink;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The operations on names: look-up, listing, and all that makes, moves or removes them.
 *
 * <p>Gates, in this order: the volume's modification gate, shared (exclusive where directories are removed or change places);
 * directories, by number; what they name, by number. What is named is known not to be a directory wherever the modification
 * gate is shared, so it is the end of every chain of waiting, whatever the names on a volume say. Who only reads never holds two.
 */
final class Names {
    /** As the other ports have it (format section 16.4). */
    private static final long LINKS_MAX = 0xFFFF_FFFFL;

    /** Directories above one another, before they are taken for a circle. */
    private static final int PARENTS_MAX = 1 << 16;

    private static final long NAME_RESERVE_BYTES = 2 * Access.INODE_RESERVE_BYTES;

    private static final long SYMLINK_RESERVE_BYTES = 8 * Limits.KIB;

    /** A name whose target is missing again and again names nothing. */
    private static final int LOOKUPS_MAX = 3;

    private static final MemorySegment DOT = MemorySegment.ofArray(new byte[] {'.'});

    private static final MemorySegment DOT_DOT = MemorySegment.ofArray(new byte[] {'.', '.'});

    private static final long COOKIE_AFTER_DOT = 1;

    private static final long COOKIE_AFTER_DOT_DOT = 2;

    private static final int SETGID = 02000;

    private final Access access;

    Names(Access access) {
        this.access = access;
    }

    /** {@link FileSystem#lookup}. */
    Attributes lookup(long parent, MemorySegment name) {
        if (name.byteSize() > Limits.NAME_BYTES_MAX) {
            throw new FsException(Errno.ENAMETOOLONG, "a name has at most 255 bytes");
        }
        Topology topology = access.topology();
        try {
            if (isDot(name)) {
                // Of a file, too: so a kernel finds again what a file handle of open_by_handle_at(2) or NFS is of.
                Inode inode = access.open(topology, parent);
                try {
                    return inode.attributes();
                } finally {
                    access.close(inode);
                }
            }
            // The directory's gate is let go before the target's is taken: nobody who reads ever holds two.
            // If the target went meanwhile, its name did too.
            for (int tries = 0; ; tries++) {
                long inum = find(topology, parent, name);
                Attributes found = inum == Directory.NONE ? null : attributesOrNull(topology, inum);
                if (found != null || inum == Directory.NONE) {
                    return found;
                }
                if (isDotDot(name) && isRemoved(topology, parent)) {
                    // Somebody has it open, and its parent was removed after it: no name leads there any more.
                    return null;
                }
                if (tries == LOOKUPS_MAX) {
                    throw missing(topology, parent, inum);
                }
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> PathFinder.join(access.paths().pathOf(topology, parent), name));
        }
    }

    /** Inode number of a name in a directory, '.' not among them, or {@link Directory#NONE}. */
    private long find(Topology topology, long parent, MemorySegment name) {
        Inode directory = access.open(topology, parent);
        try {
            Access.requireDirectory(directory);
            return isDotDot(name)
                    ? Access.parentOf(directory)
                    : directory.directory().lookup(topology, name);
        } finally {
            access.close(directory);
        }
    }

    private boolean isRemoved(Topology topology, long directory) {
        Inode inode = access.open(topology, directory);
        try {
            return inode.block().nlinks() == 0;
        } finally {
            access.close(inode);
        }
    }

    private Attributes attributesOrNull(Topology topology, long inum) {
        Inode inode = access.inodes().acquire(inum);
        try {
            if (!inode.lockShared(topology, access.pfs().index())) {
                return null;
            }
            try {
                return inode.attributes();
            } finally {
                inode.gate().unlockShared();
            }
        } finally {
            access.inodes().release(inode);
        }
    }

    private CorruptBlockException missing(Topology topology, long parent, long inum) {
        Inode directory = access.open(topology, parent);
        try {
            return new CorruptBlockException(
                    directory.committedRef(),
                    "target of a directory entry",
                    "an inode",
                    "none with number " + Key.text(inum));
        } finally {
            access.close(directory);
        }
    }

    /** {@link FileSystem#readdir}. */
    void readdir(long inum, long cookie, DirectorySink sink) {
        Topology topology = access.topology();
        Listing listing = new Listing(sink);
        try {
            Inode directory = access.open(topology, inum);
            try {
                Access.requireDirectory(directory);
                list(topology, directory, cookie, listing);
            } finally {
                access.close(directory);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            // What was taken is good. Who comes back for more meets the damage first, and the error.
            if (!listing.tookAny) {
                throw access.fault(e, () -> access.paths().pathOf(topology, inum));
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

    private static void list(Topology topology, Inode directory, long cookie, DirectorySink sink) {
        long inum = directory.inum();
        if (cookie < COOKIE_AFTER_DOT && !sink.entry(inum, FileType.DIRECTORY, DOT, COOKIE_AFTER_DOT)) {
            return;
        }
        if (cookie < COOKIE_AFTER_DOT_DOT
                && !sink.entry(Access.parentOf(directory), FileType.DIRECTORY, DOT_DOT, COOKIE_AFTER_DOT_DOT)) {
            return;
        }
        directory.directory().list(topology, cookie <= COOKIE_AFTER_DOT_DOT ? 0 : cookie, sink);
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
        requireNewName(name);
        Topology topology = access.topology();
        access.begin(NAME_RESERVE_BYTES + (target == null ? 0 : SYMLINK_RESERVE_BYTES), 0, false, false);
        try {
            Inode directory = access.openExclusive(topology, parent);
            try {
                requireChangeable(directory, true);
                if (isDot(name) || isDotDot(name) || directory.directory().find(topology, name) != null) {
                    throw new FsException(Errno.EEXIST, "the name is taken");
                }
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
        requireNewName(name);
        Topology topology = access.topology();
        if (access.typeOf(inum) == FileType.DIRECTORY) {
            throw new FsException(Errno.EPERM, "a directory has one name");
        }
        access.begin(NAME_RESERVE_BYTES, 0, false, false);
        try {
            Inode directory = access.openExclusive(topology, parent);
            try {
                requireChangeable(directory, true);
                if (isDot(name) || isDotDot(name) || directory.directory().find(topology, name) != null) {
                    throw new FsException(Errno.EEXIST, "the name is taken");
                }
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
        requireName(name);
        if (isDot(name) || isDotDot(name)) {
            throw new FsException(Errno.EISDIR, "a directory");
        }
        Topology topology = access.topology();
        try {
            while (!unlink(topology, parent, name, existing(parent, name))) {
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
                    long now = access.now();
                    access.touch(directory, now);
                    directory.directory().remove(topology, entry);
                    dropName(inode, now);
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
        requireName(name);
        if (isDot(name)) {
            throw new FsException(Errno.EINVAL, "\".\" cannot be removed");
        }
        if (isDotDot(name)) {
            throw new FsException(Errno.ENOTEMPTY, "\"..\" cannot be removed");
        }
        Topology topology = access.topology();
        access.begin(NAME_RESERVE_BYTES, 0, true, true);
        try {
            Attributes known = existing(parent, name);
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
                    long now = access.now();
                    access.touch(directory, now);
                    directory.directory().remove(topology, entry);
                    dropName(inode, now);
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
        requireName(name);
        requireNewName(newName);
        if (isDot(name) || isDotDot(name) || isDot(newName) || isDotDot(newName)) {
            throw new FsException(Errno.EINVAL, "\".\" and \"..\" cannot be renamed");
        }
        Topology topology = access.topology();
        Rename rename = new Rename(topology, parent, name, newParent, newName, mode);
        try {
            while (!rename(rename)) {
                // A name came to mean another inode meanwhile.
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> PathFinder.join(access.paths().pathOf(topology, parent), name));
        }
    }

    private boolean rename(Rename rename) {
        rename.look();
        boolean alone = rename.needsToBeAlone();
        access.begin(2 * NAME_RESERVE_BYTES, 0, true, alone);
        try {
            if (alone) {
                // Looked up again now that directories stay where they are.
                rename.look();
                rename.checkAncestors();
            }
            return rename.run();
        } finally {
            access.end(alone);
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
        }

        /** Once both are known to have been there at the same time. */
        private void requireSameKind() {
            if (mode == RenameMode.REPLACE && target != null) {
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
                if (at == FileSystem.ROOT_INUM) {
                    return false;
                }
                Inode directory = access.open(topology, at);
                try {
                    at = Access.parentOf(directory);
                } finally {
                    access.close(directory);
                }
            }
            throw new FsException(Errno.EIO, "directories above inode " + below + " have no end");
        }

        /** @return false when a name has come to mean something else */
        private boolean run() {
            long low = Math.min(parent, newParent);
            long high = Math.max(parent, newParent);
            Inode first = access.openExclusive(topology, low);
            try {
                Inode second = low == high ? first : access.openExclusive(topology, high);
                try {
                    return run(parent == low ? first : second, newParent == low ? first : second);
                } finally {
                    if (low != high) {
                        access.closeExclusive(second);
                    }
                }
            } finally {
                access.closeExclusive(first);
            }
        }

        private boolean run(Inode from, Inode to) {
            Access.requireDirectory(from);
            Access.requireDirectory(to);
            Directory.Entry entry = from.directory().find(topology, name);
            Directory.Entry other = to.directory().find(topology, newName);
            if (entry == null
                    || entry.inum() != source.inum()
                    || (other == null) != (target == null)
                    || (other != null && other.inum() != target.inum())) {
                return false;
            }
            requireChangeable(from, false);
            requireChangeable(to, target == null);
            if (other != null && other.inum() == entry.inum()) {
                return true;
            }
            requireSameKind();
            // By number, below their directories.
            boolean sourceFirst = target == null || source.inum() < target.inum();
            Inode lower = access.openExclusiveBelow(
                    topology, sourceFirst ? from : to, (sourceFirst ? source : target).inum());
            try {
                if (target == null) {
                    move(from, to, entry, null, lower, null);
                    return true;
                }
                Inode higher = access.openExclusiveBelow(
                        topology, sourceFirst ? to : from, (sourceFirst ? target : source).inum());
                try {
                    move(from, to, entry, other, sourceFirst ? lower : higher, sourceFirst ? higher : lower);
                    return true;
                } finally {
                    access.closeExclusive(higher);
                }
            } finally {
                access.closeExclusive(lower);
            }
        }

        private void move(
                Inode from, Inode to, Directory.Entry entry, Directory.Entry other, Inode moved, Inode replaced) {
            Access.requireUnprotected(moved);
            if (replaced != null) {
                Access.requireUnprotected(replaced);
                if (mode == RenameMode.REPLACE
                        && isDirectory(target)
                        && !replaced.directory().isEmpty(topology)) {
                    throw new FsException(Errno.ENOTEMPTY, "inode " + target.inum());
                }
            }
            long now = access.now();
            access.touch(from, now);
            access.touch(to, now);
            if (replaced == null) {
                insert(topology, to, newName, moved.inum(), moved.type());
            } else {
                to.directory().retarget(topology, other, moved.inum(), moved.type(), access.mirrorTid());
            }
            changed(moved, to, now);
            if (mode == RenameMode.EXCHANGE) {
                from.directory().retarget(topology, entry, replaced.inum(), replaced.type(), access.mirrorTid());
                changed(replaced, from, now);
                return;
            }
            from.directory().remove(topology, entry);
            if (replaced != null) {
                dropName(replaced, now);
            }
        }

        private void changed(Inode inode, Inode directory, long now) {
            InodeBlock fields = access.pfs().change(inode);
            fields.setIparent(directory.inum());
            fields.setCtimeMicros(now);
        }
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

    private static boolean isDirectory(Attributes attributes) {
        return attributes.type() == FileType.DIRECTORY;
    }

    /** @param gainsName whether a name is added, which an append-only directory allows */
    private static void requireChangeable(Inode directory, boolean gainsName) {
        Access.requireDirectory(directory);
        InodeBlock fields = directory.block();
        if ((fields.uflags() & (gainsName ? Access.IMMUTABLE : Access.IMMUTABLE | Access.APPEND_ONLY)) != 0) {
            throw new FsException(Errno.EPERM, "directory " + directory.inum() + " is immutable or append-only");
        }
        if (fields.nlinks() == 0 && directory.inum() != FileSystem.ROOT_INUM) {
            throw new FsException(Errno.ENOENT, "directory " + directory.inum() + " was removed");
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

    private static boolean isDot(MemorySegment name) {
        return name.byteSize() == 1 && name.get(ValueLayout.JAVA_BYTE, 0) == '.';
    }

    private static boolean isDotDot(MemorySegment name) {
        return name.byteSize() == 2
                && name.get(ValueLayout.JAVA_BYTE, 0) == '.'
                && name.get(ValueLayout.JAVA_BYTE, 1) == '.';
    }
}
