package io.hammer2.fs.pfs;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.inode.Inode;
import io.hammer2.fs.inode.InodeContent;
import io.hammer2.fs.inode.InodeFlush;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.DirectoryHash;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The inode above all PFS roots, which it holds directly, by the hash of their names (format section 9.1). Used on the volume cpu
 * only.
 */
public final class SuperRoot {
    private final Topology topology;
    private final Inode inode;

    private SuperRoot(Topology topology, InodeContent content) {
        this.topology = topology;
        this.inode = new Inode(content);
    }

    /** Reads it; on the cpu of {@code topology}, where it is then used. */
    public static SuperRoot load(Topology topology, BlockRef ref) {
        CachedBlock block = topology.io().load(ref);
        try {
            return new SuperRoot(
                    topology,
                    InodeContent.of(
                            ref, (InodeBlock) block.block(), topology.io().totalBytes()));
        } finally {
            topology.io().release(block);
        }
    }

    /** Lets the entry of a PFS refer to its root as that was just written, and writes the super-root. @return its reference */
    public BlockRef commit(InodeFlush flush, List<BlockRef> pfsRoots) {
        inode.gate().lockExclusive();
        try {
            inode.change(inode.committedRef().modifyTid() + 1);
            for (BlockRef root : pfsRoots) {
                if (!topology.replace(inode.chain(), root.key(), root)) {
                    throw new IllegalStateException("no PFS at " + Key.text(root.key()));
                }
            }
            return flush.flush(inode);
        } finally {
            inode.gate().unlockExclusive();
        }
    }

    /**
     * All PFSs, in the order of their hashes.
     *
     * @param damaged takes what is wrong with each PFS that cannot be read; the others are listed
     */
    public List<Pfs> list(Consumer<CorruptBlockException> damaged) {
        List<Pfs> all = new ArrayList<>();
        inode.gate().lockShared();
        try (Cursor cursor = topology.cursor(inode.flushedTable())) {
            for (boolean more = cursor.seek(0); more; more = cursor.next()) {
                try {
                    all.add(at(cursor));
                } catch (CorruptBlockException e) {
                    damaged.accept(e);
                }
            }
        } catch (CorruptBlockException e) {
            damaged.accept(e);
        } finally {
            inode.gate().unlockShared();
        }
        return all;
    }

    /**
     * The PFS with this name, or null.
     *
     * @throws CorruptBlockException when something in its bucket is damaged
     */
    public Pfs find(byte[] label) {
        long hash = DirectoryHash.of(label);
        inode.gate().lockShared();
        try (Cursor cursor = topology.cursor(inode.flushedTable())) {
            for (boolean more = cursor.seek(hash);
                    more && Key.lessOrEqual(cursor.key(), DirectoryHash.bucketEnd(hash));
                    more = cursor.next()) {
                Pfs pfs = at(cursor);
                if (pfs.isNamed(label)) {
                    return pfs;
                }
            }
            return null;
        } finally {
            inode.gate().unlockShared();
        }
    }

    private Pfs at(Cursor cursor) {
        if (cursor.type() != BlockType.INODE) {
            throw cursor.unexpected("leaf of the super-root", "INODE");
        }
        CachedBlock block = cursor.load();
        try {
            InodeContent root = InodeContent.of(
                    block.ref(), (InodeBlock) block.block(), topology.io().totalBytes());
            if (root.type() != FileType.DIRECTORY) {
                throw new CorruptBlockException(
                        root.ref(),
                        "type of a PFS root",
                        "DIRECTORY",
                        root.type().toString());
            }
            root.block().pfsType();
            return new Pfs(root.requireInum(InodeBlock.ROOT_INUM));
        } finally {
            topology.io().release(block);
        }
    }
}
