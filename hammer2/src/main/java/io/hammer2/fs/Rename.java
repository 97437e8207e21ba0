package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.inode.Directory;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import java.lang.foreign.MemorySegment;

/** One renaming (rename(2)), which may have to look more than once. Its gates are those of {@link NameChanges}. */
final class Rename {
    /** Directories above one another, before they are taken for a circle. */
    private static final int PARENTS_MAX = 1 << 16;

    private final Access access;
    private final Names names;
    private final NameChanges changes;
    private final Topology topology;
    private final Request asked;
    private Attributes source;
    private Attributes target;

    /** What is asked for: which name of which directory becomes which. */
    record Request(long parent, MemorySegment name, long newParent, MemorySegment newName, RenameMode mode) {}

    Rename(Access access, Names names, NameChanges changes, Request asked) {
        this.access = access;
        this.names = names;
        this.changes = changes;
        this.topology = access.topology();
        this.asked = asked;
    }

    /**
     * Looks and renames.
     *
     * @return false when a name has come to mean another inode meanwhile: to be done again
     */
    boolean step() {
        look();
        boolean alone = needsToBeAlone();
        access.begin(2 * NameChanges.NAME_RESERVE_BYTES, 0, true, alone);
        try {
            if (alone) {
                // Looked up again now that directories stay where they are.
                look();
                checkAncestors();
            }
            return run();
        } finally {
            access.end(alone);
        }
    }

    /** What the names mean now, with no gate of an inode held, and what cannot be whatever happens. */
    private void look() {
        source = names.existing(asked.parent, asked.name);
        target = names.lookup(asked.newParent, asked.newName);
        if (target == null) {
            if (asked.mode == RenameMode.EXCHANGE) {
                throw new FsException(Errno.ENOENT, "nothing to exchange with");
            }
            return;
        }
        if (asked.mode == RenameMode.NO_REPLACE) {
            throw new FsException(Errno.EEXIST, "the name is taken");
        }
    }

    /** Once both are known to have been there at the same time. */
    private void requireSameKind() {
        if (asked.mode == RenameMode.REPLACE && target != null) {
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
        if (isDirectory(source) && isAtOrAbove(source.inum(), asked.newParent)) {
            throw new FsException(Errno.EINVAL, "a directory would come below itself");
        }
        if (target != null && isDirectory(target) && isAtOrAbove(target.inum(), asked.parent)) {
            throw new FsException(
                    asked.mode == RenameMode.EXCHANGE ? Errno.EINVAL : Errno.ENOTEMPTY, "a directory above the other");
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
        long low = Math.min(asked.parent, asked.newParent);
        long high = Math.max(asked.parent, asked.newParent);
        Inode first = access.openExclusive(topology, low);
        try {
            Inode second = low == high ? first : access.openExclusive(topology, high);
            try {
                return run(asked.parent == low ? first : second, asked.newParent == low ? first : second);
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
        Directory.Entry entry = from.directory().find(topology, asked.name);
        Directory.Entry other = to.directory().find(topology, asked.newName);
        if (entry == null
                || entry.inum() != source.inum()
                || (other == null) != (target == null)
                || (other != null && other.inum() != target.inum())) {
            return false;
        }
        NameChanges.requireChangeable(from, false);
        NameChanges.requireChangeable(to, target == null);
        if (other != null && other.inum() == entry.inum()) {
            return true;
        }
        requireSameKind();
        // By number, below their directories.
        boolean sourceFirst = target == null || source.inum() < target.inum();
        Inode lower =
                access.openExclusiveBelow(topology, sourceFirst ? from : to, (sourceFirst ? source : target).inum());
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

    private void move(Inode from, Inode to, Directory.Entry entry, Directory.Entry other, Inode moved, Inode replaced) {
        Access.requireUnprotected(moved);
        if (replaced != null) {
            Access.requireUnprotected(replaced);
            if (asked.mode == RenameMode.REPLACE
                    && isDirectory(target)
                    && !replaced.directory().isEmpty(topology)) {
                throw new FsException(Errno.ENOTEMPTY, "inode " + target.inum());
            }
        }
        long now = access.now();
        access.touch(from, now);
        access.touch(to, now);
        if (replaced == null) {
            changes.insert(topology, to, asked.newName, moved.inum(), moved.type());
        } else {
            to.directory().retarget(topology, other, moved.inum(), moved.type(), access.mirrorTid());
        }
        changed(moved, to, now);
        if (asked.mode == RenameMode.EXCHANGE) {
            from.directory().retarget(topology, entry, replaced.inum(), replaced.type(), access.mirrorTid());
            changed(replaced, from, now);
            return;
        }
        from.directory().remove(topology, entry);
        if (replaced != null) {
            changes.dropName(replaced, now);
        }
    }

    private void changed(Inode inode, Inode directory, long now) {
        InodeBlock fields = access.pfs().change(inode);
        fields.setIparent(directory.inum());
        fields.setCtimeMicros(now);
    }

    private static boolean isDirectory(Attributes attributes) {
        return attributes.type() == FileType.DIRECTORY;
    }
}
