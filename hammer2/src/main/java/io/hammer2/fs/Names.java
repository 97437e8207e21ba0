package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.inode.Directory;
import io.hammer2.fs.inode.DirectorySink;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What names mean: look-up and listing. Who only reads never holds the gates of two inodes.
 *
 * @see NameChanges
 */
final class Names {
    /** A name whose target is missing again and again names nothing. */
    private static final int LOOKUPS_MAX = 3;

    private static final MemorySegment DOT = MemorySegment.ofArray(new byte[] {'.'});

    private static final MemorySegment DOT_DOT = MemorySegment.ofArray(new byte[] {'.', '.'});

    private static final long COOKIE_AFTER_DOT = 1;

    private static final long COOKIE_AFTER_DOT_DOT = 2;

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

    /** As {@link #lookup}; ENOENT where there is no such name. */
    Attributes existing(long parent, MemorySegment name) {
        Attributes found = lookup(parent, name);
        if (found == null) {
            throw new FsException(Errno.ENOENT, "no such name");
        }
        return found;
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

    static void requireName(MemorySegment name) {
        if (name.byteSize() > Limits.NAME_BYTES_MAX) {
            throw new FsException(Errno.ENAMETOOLONG, "a name has at most 255 bytes");
        }
        if (name.byteSize() == 0) {
            throw new FsException(Errno.ENOENT, "a name of no bytes");
        }
    }

    static void requireNewName(MemorySegment name) {
        requireName(name);
        for (long i = 0; i < name.byteSize(); i++) {
            byte b = name.get(ValueLayout.JAVA_BYTE, i);
            if (b == 0 || b == '/') {
                throw new FsException(Errno.EINVAL, "a name without '/' and NUL");
            }
        }
    }

    static boolean isDot(MemorySegment name) {
        return name.byteSize() == 1 && name.get(ValueLayout.JAVA_BYTE, 0) == '.';
    }

    static boolean isDotDot(MemorySegment name) {
        return name.byteSize() == 2
                && name.get(ValueLayout.JAVA_BYTE, 0) == '.'
                && name.get(ValueLayout.JAVA_BYTE, 1) == '.';
    }
}
