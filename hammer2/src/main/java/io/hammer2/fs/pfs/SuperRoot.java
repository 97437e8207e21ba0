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

    /** Begins to change what it holds, within a commit; nobody else sees it until the edit is closed. */
    public Edit edit() {
        return new Edit();
    }

    /** The super-root while a commit changes it, with its gate held. */
    public final class Edit implements AutoCloseable {
        private boolean changed;

        private Edit() {
            inode.gate().lockExclusive();
        }

        /** As {@link SuperRoot#find}, with what was changed so far. */
        public Pfs find(Label label) {
            try (Cursor cursor = inode.cursor(topology)) {
                return SuperRoot.this.find(cursor, label);
            }
        }

        /** Whether so many names with the hash of this one could still be added: it has room for 32768 (section 16.4). */
        boolean hasFreeKeys(Label label, int wanted) {
            long hash = DirectoryHash.of(label.bytes());
            long end = DirectoryHash.bucketEnd(hash);
            long left = end - hash + 1;
            try (Cursor cursor = inode.cursor(topology)) {
                for (boolean more = cursor.seek(hash);
                        more && Key.lessOrEqual(cursor.key(), end);
                        more = cursor.next()) {
                    left--;
                }
            }
            return left >= wanted;
        }

        /** A key for a PFS with this name: the first of its hash that is not in use (section 10.3). */
        long freeKey(Label label) {
            long key = DirectoryHash.of(label.bytes());
            try (Cursor cursor = inode.cursor(topology)) {
                for (boolean more = cursor.seek(key); more && cursor.key() == key; more = cursor.next()) {
                    key++;
                }
            }
            return key;
        }

        /** Lets the entry of a PFS, which may be new, refer to its root as that was just written. */
        public void put(BlockRef root) {
            begin();
            if (!topology.replace(inode.chain(), root.key(), root)) {
                topology.insert(inode.chain(), root);
            }
        }

        /** Takes a PFS out. */
        public void remove(long key) {
            begin();
            if (!topology.replace(inode.chain(), key, null)) {
                throw new IllegalStateException("no PFS at " + Key.text(key));
            }
        }

        /** Writes the super-root, if anything was changed. @return the reference to it, or null */
        public BlockRef flush(InodeFlush flush) {
            return changed ? flush.flush(inode) : null;
        }

        /** The check and compression methods that its references have; those of new ones are the same (section 5.4). */
        int methods() {
            return inode.committedRef().methods();
        }

        private void begin() {
            inode.change(inode.committedRef().modifyTid() + 1);
            changed = true;
        }

        @Override
        public void close() {
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
    public Pfs find(Label label) {
        inode.gate().lockShared();
        try (Cursor cursor = topology.cursor(inode.flushedTable())) {
            return find(cursor, label);
        } finally {
            inode.gate().unlockShared();
        }
    }

    private Pfs find(Cursor cursor, Label label) {
        long hash = DirectoryHash.of(label.bytes());
        for (boolean more = cursor.seek(hash);
                more && Key.lessOrEqual(cursor.key(), DirectoryHash.bucketEnd(hash));
                more = cursor.next()) {
            Pfs pfs = at(cursor);
            if (pfs.label().equals(label)) {
                return pfs;
            }
        }
        return null;
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
