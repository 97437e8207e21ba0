package io.hammer2.fs;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Directory;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import java.lang.foreign.MemorySegment;

/**
 * Takes out of a PFS what is damaged and therefore cannot be removed as usual: a name whose inode cannot be read, a directory whose
 * entries cannot be, an inode that cannot be. What is not damaged is refused; rm(1) does it better.
 */
final class Destruction {
    private static final long RESERVE_BYTES = 2 * Access.INODE_RESERVE_BYTES;

    private final Access access;
    private final NameChanges changes;

    Destruction(Access access, NameChanges changes) {
        this.access = access;
        this.changes = changes;
    }

    /** {@link FileSystem#destroyName}. */
    void name(long parent, MemorySegment name) {
        Topology topology = access.topology();
        access.begin(RESERVE_BYTES, 0, true, true);
        try {
            Inode directory = access.openExclusive(topology, parent);
            try {
                Access.requireDirectory(directory);
                Access.requireUnprotected(directory);
                Directory.Entry entry = directory.directory().find(topology, name);
                if (entry == null) {
                    throw new FsException(Errno.ENOENT, "no such name");
                }
                Inode inode = readable(topology, directory, entry);
                try {
                    if (inode != null && !hasUnreadableEntries(topology, inode)) {
                        throw intact("the inode " + entry.inum());
                    }
                    changes.remove(topology, directory, entry, inode);
                } finally {
                    if (inode != null) {
                        access.closeExclusive(inode);
                    }
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

    /** {@link FileSystem#destroyInode}. */
    void inode(long inum) {
        if (inum <= 0 || inum == FileSystem.ROOT_INUM) {
            throw new FsException(Errno.EINVAL, "inode " + inum + " is not one that can be destroyed");
        }
        Topology topology = access.topology();
        access.begin(RESERVE_BYTES, 0, true, true);
        try {
            requireEntry(topology, inum);
            try {
                access.closeExclusive(access.openExclusive(topology, inum));
                throw intact("the inode " + inum);
            } catch (CorruptBlockException | DeviceErrorException e) {
                access.pfs().drop(inum);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> "the index of inodes");
        } finally {
            access.end(true);
        }
    }

    /** Fails where the index itself is damaged on the way, since nothing can be taken out of it then. */
    private void requireEntry(Topology topology, long inum) {
        try (Cursor cursor = topology.cursor(access.pfs().index().table())) {
            if (!cursor.seek(inum) || cursor.key() != inum || cursor.type() != BlockType.INODE) {
                throw new FsException(Errno.ENOENT, "no inode " + inum + " in the last commit");
            }
        }
    }

    /** With its gate; null when it cannot be read, or is not there. */
    private Inode readable(Topology topology, Inode directory, Directory.Entry entry) {
        try {
            return access.openExclusiveBelow(topology, directory, entry.inum());
        } catch (CorruptBlockException | DeviceErrorException e) {
            return null;
        } catch (FsException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
            return null;
        }
    }

    private static boolean hasUnreadableEntries(Topology topology, Inode inode) {
        if (inode.type() != FileType.DIRECTORY) {
            return false;
        }
        try {
            // To the end, or to what cannot be read.
            return !inode.directory().list(topology, 0, (inum, type, name, next) -> true);
        } catch (CorruptBlockException | DeviceErrorException e) {
            return true;
        }
    }

    private static FsException intact(String what) {
        return new FsException(Errno.EEXIST, what + " is not damaged; remove it as usual");
    }
}
