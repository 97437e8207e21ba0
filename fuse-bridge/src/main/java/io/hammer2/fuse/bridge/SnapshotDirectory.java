package io.hammer2.fuse.bridge;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.PfsInfo;
import io.hammer2.fuse.DirectorySink;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseException;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.NodeAttributes;
import io.hammer2.fuse.NodeChange;
import io.hammer2.fuse.VolumeStatistics;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A mounted PFS with its snapshots, to be read, below {@code .snapshots} in its root directory: {@code .snapshots/LABEL/...}. The directory
 * is not on the medium; what has that name there is shown instead.
 *
 * <p>A node id is the inode number, with the number of the snapshot in its bits 48 to 62: 0 for what is mounted, 1 for the directory itself.
 * Inode numbers of that size are not given out in any volume's life; one that a damaged volume has is EOVERFLOW.
 */
public final class SnapshotDirectory implements FuseOperations {
    private static final MemorySegment NAME = MemorySegment.ofArray(".snapshots".getBytes(StandardCharsets.US_ASCII))
            .asReadOnly();

    private static final MemorySegment PARENT = MemorySegment.ofArray(new byte[] {'.', '.'});
    private static final MemorySegment SELF = MemorySegment.ofArray(new byte[] {'.'});

    private static final int NUMBER_SHIFT = 48;
    private static final long INUM_MASK = (1L << NUMBER_SHIFT) - 1;
    private static final int DIRECTORY_NUMBER = 1;
    private static final long DIRECTORY = (long) DIRECTORY_NUMBER << NUMBER_SHIFT | ROOT;
    private static final int READ_AND_SEARCH = 0555;

    private static final long COOKIE_PARENT = 1;
    private static final long COOKIE_SNAPSHOTS = 2;

    /** In the root directory, behind what is on the medium. */
    private static final long COOKIE_END = Long.MAX_VALUE;

    private static final long KEY_COOKIE = Long.MAX_VALUE;

    private final FuseBridge mounted;
    private final SnapshotViews snapshots;
    private final boolean listed;

    /** Of what nobody can write, nothing that is shown ever changes. */
    private final boolean changes;

    private SnapshotDirectory(FuseBridge mounted, SnapshotViews snapshots, boolean listed, boolean changes) {
        this.mounted = mounted;
        this.snapshots = snapshots;
        this.listed = listed;
        this.changes = changes;
    }

    /**
     * The operations of a mounted PFS, with that directory.
     *
     * @param owner as of {@link FuseBridge#of}
     * @param mountedReadOnly as of {@link FuseBridge#of}
     * @param listed whether the root directory lists it; it can be entered in any case
     */
    public static SnapshotDirectory of(FileSystem files, int owner, boolean mountedReadOnly, boolean listed) {
        return new SnapshotDirectory(
                FuseBridge.of(files, owner, mountedReadOnly),
                new SnapshotViews(files, owner, DIRECTORY_NUMBER + 1),
                listed,
                !files.isReadOnly());
    }

    private static int numberOf(long node) {
        return (int) (node >>> NUMBER_SHIFT);
    }

    /** Operations on a node of a snapshot; of the directory itself they are done here. */
    private FuseBridge snapshot(long node) {
        return snapshots.bridge(numberOf(node));
    }

    private static boolean isMounted(long node) {
        return numberOf(node) == 0;
    }

    private static long inum(long node) {
        return node & INUM_MASK;
    }

    private static long node(int number, long inum) {
        if ((inum & ~INUM_MASK) != 0) {
            throw FuseErrno.EOVERFLOW.exception();
        }
        return (long) number << NUMBER_SHIFT | inum;
    }

    private void mark(int number, NodeAttributes into) {
        into.node(node(number, into.node()));
        if (changes && number != 0) {
            into.uncached();
        }
    }

    private static void requireMounted(long node) {
        if (!isMounted(node)) {
            throw FuseErrno.EROFS.exception();
        }
    }

    @Override
    public boolean isCacheable(long node) {
        return !changes || isMounted(node);
    }

    @Override
    public boolean lookup(FuseCall call, long parent, MemorySegment name, NodeAttributes into) {
        if (parent == DIRECTORY) {
            return lookupSnapshot(call, name, into);
        }
        int number = numberOf(parent);
        if (number == 0) {
            if (mounted.lookup(call, parent, name, into)) {
                mark(0, into);
                return true;
            }
            if (parent == ROOT && name.mismatch(NAME) < 0) {
                describe(call, into);
                return true;
            }
            return false;
        }
        if (inum(parent) == ROOT && name.mismatch(PARENT) < 0) {
            describe(call, into);
            return true;
        }
        if (!snapshot(parent).lookup(call, inum(parent), name, into)) {
            throw absent();
        }
        mark(number, into);
        return true;
    }

    private boolean lookupSnapshot(FuseCall call, MemorySegment name, NodeAttributes into) {
        if (name.mismatch(SELF) < 0) {
            describe(call, into);
            return true;
        }
        if (name.mismatch(PARENT) < 0) {
            mounted.getattr(call, ROOT, into);
            return true;
        }
        int number = snapshots.find(name);
        if (number == 0) {
            throw absent();
        }
        snapshots.bridge(number).getattr(call, ROOT, into);
        mark(number, into);
        return true;
    }

    /** That there is no such name, not to be remembered: there may be one soon. */
    private static FuseException absent() {
        return FuseErrno.ENOENT.exception();
    }

    /** The directory: as the root directory, but that nobody can write to it. */
    private void describe(FuseCall call, NodeAttributes into) {
        mounted.getattr(call, ROOT, into);
        into.node(DIRECTORY)
                .mode(NodeAttributes.DIRECTORY | (into.mode() & READ_AND_SEARCH))
                .size(0, 0);
        if (changes) {
            into.uncached();
        }
    }

    @Override
    public void forget(long node, long lookups) {}

    @Override
    public void getattr(FuseCall call, long node, NodeAttributes into) {
        if (node == DIRECTORY) {
            describe(call, into);
        } else if (isMounted(node)) {
            mounted.getattr(call, node, into);
        } else {
            snapshot(node).getattr(call, inum(node), into);
            mark(numberOf(node), into);
        }
    }

    @Override
    public int readlink(FuseCall call, long node, MemorySegment into) {
        return isMounted(node)
                ? mounted.readlink(call, node, into)
                : snapshot(node).readlink(call, inum(node), into);
    }

    @Override
    public boolean opensAreStateless() {
        return mounted.opensAreStateless();
    }

    @Override
    public boolean opendirsAreStateless() {
        return mounted.opendirsAreStateless();
    }

    @Override
    public long open(FuseCall call, long node, int flags) {
        return isMounted(node)
                ? mounted.open(call, node, flags)
                : snapshot(node).open(call, inum(node), flags);
    }

    @Override
    public long create(FuseCall call, long parent, MemorySegment name, int mode, int flags, NodeAttributes into) {
        requireMounted(parent);
        return mounted.create(call, parent, name, mode, flags, into);
    }

    @Override
    public long tmpfile(FuseCall call, long parent, int mode, int flags, NodeAttributes into) {
        requireMounted(parent);
        return mounted.tmpfile(call, parent, mode, flags, into);
    }

    @Override
    public void mknod(
            FuseCall call, long parent, MemorySegment name, int mode, int major, int minor, NodeAttributes into) {
        requireMounted(parent);
        mounted.mknod(call, parent, name, mode, major, minor, into);
    }

    @Override
    public void mkdir(FuseCall call, long parent, MemorySegment name, int mode, NodeAttributes into) {
        requireMounted(parent);
        mounted.mkdir(call, parent, name, mode, into);
    }

    @Override
    public void symlink(FuseCall call, long parent, MemorySegment name, MemorySegment target, NodeAttributes into) {
        requireMounted(parent);
        mounted.symlink(call, parent, name, target, into);
    }

    @Override
    public void link(FuseCall call, long node, long parent, MemorySegment name, NodeAttributes into) {
        requireMounted(parent);
        requireSame(node);
        mounted.link(call, node, parent, name, into);
    }

    /** What is in a snapshot is on another file system, as far as links and copies go. */
    private static void requireSame(long node) {
        if (!isMounted(node)) {
            throw FuseErrno.EXDEV.exception();
        }
    }

    @Override
    public void unlink(FuseCall call, long parent, MemorySegment name) {
        requireMounted(parent);
        mounted.unlink(call, parent, name);
    }

    @Override
    public void rmdir(FuseCall call, long parent, MemorySegment name) {
        requireMounted(parent);
        mounted.rmdir(call, parent, name);
    }

    @Override
    public void rename(
            FuseCall call, long parent, MemorySegment name, long newParent, MemorySegment newName, int flags) {
        requireMounted(parent);
        requireMounted(newParent);
        mounted.rename(call, parent, name, newParent, newName, flags);
    }

    @Override
    public void setattr(FuseCall call, long node, NodeChange change, NodeAttributes into) {
        requireMounted(node);
        mounted.setattr(call, node, change, into);
    }

    @Override
    public int write(FuseCall call, long node, long handle, long offset, MemorySegment from, int flags) {
        requireMounted(node);
        return mounted.write(call, node, handle, offset, from, flags);
    }

    @Override
    public void fsync(FuseCall call, long node, boolean dataOnly) {
        if (isMounted(node)) {
            mounted.fsync(call, node, dataOnly);
        }
    }

    @Override
    public void syncfs(FuseCall call) {
        mounted.syncfs(call);
    }

    @Override
    public void fallocate(FuseCall call, long node, long handle, long offset, long length, int mode) {
        requireMounted(node);
        mounted.fallocate(call, node, handle, offset, length, mode);
    }

    @Override
    public long copyFileRange(
            FuseCall call,
            long node,
            long handle,
            long offset,
            long toNode,
            long toHandle,
            long toOffset,
            long length) {
        requireMounted(toNode);
        requireSame(node);
        return mounted.copyFileRange(call, node, handle, offset, toNode, toHandle, toOffset, length);
    }

    @Override
    public int read(FuseCall call, long node, long handle, long offset, MemorySegment into) {
        return isMounted(node)
                ? mounted.read(call, node, handle, offset, into)
                : snapshot(node).read(call, inum(node), handle, offset, into);
    }

    @Override
    public void release(long node, long handle) {
        if (isMounted(node)) {
            mounted.release(node, handle);
        }
    }

    @Override
    public long opendir(FuseCall call, long node) {
        if (node == DIRECTORY) {
            return 0;
        }
        return isMounted(node) ? mounted.opendir(call, node) : snapshot(node).opendir(call, inum(node));
    }

    @Override
    public void readdir(FuseCall call, long node, long handle, long cookie, DirectorySink sink) {
        if (node == DIRECTORY) {
            listSnapshots(cookie, sink);
        } else if (!isMounted(node)) {
            int number = numberOf(node);
            boolean isRoot = inum(node) == ROOT;
            snapshot(node)
                    .readdir(
                            call,
                            inum(node),
                            handle,
                            cookie,
                            (inum, type, name, next) -> sink.entry(
                                    isRoot && name.mismatch(PARENT) < 0 ? DIRECTORY : node(number, inum),
                                    type,
                                    name,
                                    next));
        } else if (node == ROOT && listed) {
            listRoot(call, handle, cookie, sink);
        } else {
            mounted.readdir(call, node, handle, cookie, sink);
        }
    }

    private void listRoot(FuseCall call, long handle, long cookie, DirectorySink sink) {
        if (cookie == COOKIE_END) {
            return;
        }
        boolean[] full = new boolean[1];
        mounted.readdir(call, ROOT, handle, cookie, (inum, type, name, next) -> {
            boolean taken = sink.entry(inum, type, name, next);
            full[0] |= !taken;
            return taken;
        });
        if (!full[0] && !mounted.has(ROOT, NAME)) {
            sink.entry(DIRECTORY, NodeAttributes.DIRECTORY, NAME, COOKIE_END);
        }
    }

    private void listSnapshots(long cookie, DirectorySink sink) {
        if (cookie < COOKIE_PARENT && !sink.entry(DIRECTORY, NodeAttributes.DIRECTORY, SELF, COOKIE_PARENT)) {
            return;
        }
        if (cookie < COOKIE_SNAPSHOTS && !sink.entry(ROOT, NodeAttributes.DIRECTORY, PARENT, COOKIE_SNAPSHOTS)) {
            return;
        }
        for (PfsInfo snapshot : snapshots.list()) {
            long own = snapshot.nameKey() & KEY_COOKIE;
            if (own >= cookie
                    && !sink.entry(
                            node(snapshots.numberOf(snapshot), ROOT),
                            NodeAttributes.DIRECTORY,
                            snapshot.labelBytes(),
                            own + 1)) {
                return;
            }
        }
    }

    @Override
    public void releasedir(long node, long handle) {
        if (isMounted(node)) {
            mounted.releasedir(node, handle);
        }
    }

    @Override
    public void statfs(FuseCall call, VolumeStatistics into) {
        mounted.statfs(call, into);
    }

    @Override
    public void access(FuseCall call, long node, int mask) {
        if (isMounted(node)) {
            mounted.access(call, node, mask);
        } else if ((mask & ACCESS_WRITE) != 0) {
            throw FuseErrno.EROFS.exception();
        } else if (node != DIRECTORY) {
            snapshot(node).access(call, inum(node), mask);
        }
    }

    @Override
    public long lseek(FuseCall call, long node, long handle, long offset, int whence) {
        return isMounted(node)
                ? mounted.lseek(call, node, handle, offset, whence)
                : snapshot(node).lseek(call, inum(node), handle, offset, whence);
    }

    @Override
    public int ioctl(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        // The directory is no file of the volume, but a request to the volume may be made through it.
        if (isMounted(node) || node == DIRECTORY) {
            return mounted.ioctl(call, isMounted(node) ? node : ROOT, command, in, out);
        }
        return snapshot(node).ioctl(call, inum(node), command, in, out);
    }
}
