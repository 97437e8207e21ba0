package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.BlockSharing;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;

/** The operations by which blocks of file data come to be shared: copying ranges, and finding what is stored twice. */
final class Sharing {
    /** Blocks that one request shares, each perhaps below an indirect block of its own in a sparse file. */
    private static final int SHARE_BLOCKS_MAX = 256;

    private static final long SHARE_RESERVE_BYTES = Limits.KIB;

    private final Access access;
    private final Contents contents;

    Sharing(Access access, Contents contents) {
        this.access = access;
        this.contents = contents;
    }

    /** {@link FileSystem#copyRange}. */
    long copyRange(long from, long fromOffset, long to, long toOffset, long length, int flags) {
        if (fromOffset < 0 || toOffset < 0 || length < 0 || fromOffset > Limits.FILE_BYTES_MAX - length) {
            throw new FsException(Errno.EINVAL, length + " bytes from " + fromOffset + " to " + toOffset);
        }
        if (toOffset > Limits.FILE_BYTES_MAX - length) {
            throw new FsException(Errno.EFBIG, length + " bytes to " + toOffset);
        }
        if (from == to && fromOffset < toOffset + length && toOffset < fromOffset + length) {
            throw new FsException(Errno.EINVAL, "the ranges overlap");
        }
        if (access.isReadOnly()) {
            throw Access.readOnly();
        }
        long shared = from == to ? 0 : share(from, fromOffset, to, toOffset, length, flags);
        if (shared > 0) {
            return shared;
        }
        requireUnprotected(to);
        int part = (int) Math.min(length, Contents.WRITE_BYTES_MAX);
        MemorySegment buffer = MemorySegment.ofArray(new byte[part]);
        int read = contents.read(from, fromOffset, buffer);
        return read == 0 ? 0 : contents.write(to, toOffset, buffer.asSlice(0, read), flags);
    }

    /** What was opened before it was protected can still be written, as the kernel may have that cached; but not by this. */
    private void requireUnprotected(long inum) {
        Topology topology = access.topology();
        try {
            Inode inode = access.open(topology, inum);
            try {
                Access.requireUnprotected(inode);
            } finally {
                access.close(inode);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        }
    }

    /** @return bytes that both have in common now; 0 when the range does not begin with a whole block that can be shared */
    private long share(long from, long fromOffset, long to, long toOffset, long length, int flags) {
        if (((fromOffset | toOffset) & (Limits.BLOCK_BYTES_MAX - 1)) != 0 || length < Limits.BLOCK_BYTES_MAX) {
            return 0;
        }
        Topology topology = access.topology();
        access.begin(Access.INODE_RESERVE_BYTES + SHARE_BLOCKS_MAX * SHARE_RESERVE_BYTES, 0, false, false);
        try {
            Inode first = access.openExclusive(topology, Math.min(from, to));
            try {
                Inode second = access.openExclusive(topology, Math.max(from, to));
                try {
                    Inode source = from < to ? first : second;
                    Inode target = from < to ? second : first;
                    Access.requireFile(source);
                    Access.requireFile(target);
                    Access.requireUnprotected(target);
                    if (source.type() != FileType.REGULAR || target.type() != FileType.REGULAR) {
                        throw new FsException(Errno.EINVAL, "no file");
                    }
                    long bytes = Math.min(length, (long) SHARE_BLOCKS_MAX * Limits.BLOCK_BYTES_MAX);
                    BlockSharing sharing = sharing(topology);
                    int blocks = sharing.shareableBlocks(source, fromOffset, bytes);
                    if (blocks == 0) {
                        return 0;
                    }
                    InodeBlock fields = access.pfs().change(target);
                    sharing.share(source, fromOffset, target, toOffset, blocks);
                    contents.modified(fields, flags);
                    return (long) blocks * Limits.BLOCK_BYTES_MAX;
                } finally {
                    access.closeExclusive(second);
                }
            } finally {
                access.closeExclusive(first);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, from));
        } finally {
            access.end(false);
        }
    }

    private BlockSharing sharing(Topology topology) {
        return new BlockSharing(topology, access.pfs().buffers());
    }

    /** {@link FileSystem#storedBlocks}. */
    long storedBlocks(long inum, long from, StoredBlockSink sink) {
        if (from < 0) {
            throw new FsException(Errno.EINVAL, "negative offset");
        }
        Topology topology = access.topology();
        try {
            Inode file = access.open(topology, inum);
            try {
                if (file.type() != FileType.REGULAR) {
                    throw new FsException(Errno.EINVAL, "inode " + inum + " is no file");
                }
                return sharing(topology)
                        .list(
                                file,
                                from,
                                (offset, ref) ->
                                        sink.block(offset, ref.dataOff(), ref.methods(), BlockSharing.checkWord(ref)));
            } finally {
                access.close(file);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            throw access.fault(e, () -> access.paths().pathOf(topology, inum));
        }
    }

    /** {@link FileSystem#shareBlock}. */
    ShareOutcome shareBlock(StoredBlock first, StoredBlock second) {
        if (first.dataOff() == second.dataOff()) {
            return ShareOutcome.ONE_ALREADY;
        }
        Topology topology = access.topology();
        // In the end it gives space back, so it may use what is kept for that.
        access.begin(Access.INODE_RESERVE_BYTES, 0, true, false);
        try {
            return shareBlock(topology, first, second);
        } catch (CorruptBlockException | DeviceErrorException e) {
            access.fault(e, () -> access.paths().pathOf(topology, second.inum()));
            return ShareOutcome.DAMAGED;
        } finally {
            access.end(false);
        }
    }

    private ShareOutcome shareBlock(Topology topology, StoredBlock first, StoredBlock second) {
        Inode lower = openOrNull(topology, Math.min(first.inum(), second.inum()));
        if (lower == null) {
            return first.inum() <= second.inum() ? ShareOutcome.FIRST_CHANGED : ShareOutcome.SECOND_CHANGED;
        }
        try {
            if (first.inum() == second.inum()) {
                return shareBlock(topology, lower, first, lower, second);
            }
            Inode upper = openOrNull(topology, Math.max(first.inum(), second.inum()));
            if (upper == null) {
                return first.inum() > second.inum() ? ShareOutcome.FIRST_CHANGED : ShareOutcome.SECOND_CHANGED;
            }
            try {
                boolean inOrder = first.inum() < second.inum();
                return shareBlock(topology, inOrder ? lower : upper, first, inOrder ? upper : lower, second);
            } finally {
                access.closeExclusive(upper);
            }
        } finally {
            access.closeExclusive(lower);
        }
    }

    private ShareOutcome shareBlock(
            Topology topology, Inode firstFile, StoredBlock first, Inode secondFile, StoredBlock second) {
        BlockSharing sharing = sharing(topology);
        BlockRef one = at(sharing, firstFile, first);
        if (one == null) {
            return ShareOutcome.FIRST_CHANGED;
        }
        BlockRef other = at(sharing, secondFile, second);
        if (other == null) {
            return ShareOutcome.SECOND_CHANGED;
        }
        if (one.radix() != other.radix() || !sharing.haveSameContent(one, other)) {
            return ShareOutcome.DIFFERENT;
        }
        access.pfs().change(secondFile);
        sharing.refer(secondFile, second.offset(), one);
        return ShareOutcome.SHARED;
    }

    /** The block, if it is what somebody has seen. */
    private static BlockRef at(BlockSharing sharing, Inode file, StoredBlock seen) {
        BlockRef found = file.type() == FileType.REGULAR ? sharing.at(file, seen.offset()) : null;
        return found != null && found.dataOff() == seen.dataOff() ? found : null;
    }

    private Inode openOrNull(Topology topology, long inum) {
        if (inum <= 0) {
            return null;
        }
        try {
            return access.openExclusive(topology, inum);
        } catch (FsException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
            return null;
        }
    }
}
