package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Chain;
import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.lwkt.Gate;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An inode in use, from {@link InodeTable#acquire}. Its gate guards all that lies below it: hold it, shared or, to change
 * something, exclusively around every other call.
 *
 * <p>What it is now is what was committed, with {@link Changes} over it if there are any.
 */
public final class Inode {
    /** Check method of an inode in a directory that wants none for its data (format section 5.4). */
    private static final int CHECK_DEFAULT = 3;

    private final long inum;
    private final Gate gate;
    private final FileData fileData = new FileData(this);
    private final Directory directory = new Directory(this);

    // Under the gate.
    private InodeContent content;
    private Changes changes;
    private boolean removed;
    private boolean indexed;

    /** Blocks in a row that did not get smaller. */
    private int compressionMisses;

    // Owned by the shard of the InodeTable, under its token.
    Inode nextInBucket;
    Inode older;
    Inode newer;
    int users;
    int opens;

    /** Whether it is in the dirty set of its PFS, which is one of its users; under that one's token. */
    private boolean dirty;

    Inode(long inum) {
        this.inum = inum;
        this.gate = new Gate(inum);
    }

    /** One that no table has: the super-root, and the root of a PFS. */
    public Inode(InodeContent content) {
        this(content.block().inum());
        this.content = content;
        this.indexed = true;
    }

    public long inum() {
        return inum;
    }

    public Gate gate() {
        return gate;
    }

    /** The inode's own fields as they are now. */
    public InodeBlock block() {
        gate.assertHeldShared();
        return changes != null ? changes.block : content.block();
    }

    public FileType type() {
        return block().type();
    }

    /** What stat shows. */
    public Attributes attributes() {
        gate.assertHeldShared();
        if (changes == null) {
            return content.attributes();
        }
        // Sharers may each make one; they are alike.
        Attributes known = changes.attributes;
        if (known == null) {
            long stored = changes.block.isDirectData()
                    ? 0
                    : (content == null ? 0 : content.ref().dataCount());
            known = Attributes.of(changes.block, stored + changes.newBytes());
            changes.attributes = known;
        }
        return known;
    }

    /** The reference to it in the last commit, or null when that does not have it. */
    public BlockRef committedRef() {
        gate.assertHeldShared();
        return content == null ? null : content.ref();
    }

    public FileData fileData() {
        return fileData;
    }

    public Directory directory() {
        return directory;
    }

    /** Among the leaves of the inode's own tree, as it is now. */
    public Cursor cursor(Topology topology) {
        gate.assertHeldShared();
        Chain chain = changes == null ? null : changes.chainOrNull();
        if (chain != null) {
            return topology.cursor(chain);
        }
        return topology.cursor(content == null ? InodeContent.NO_TABLE : content.table());
    }

    /** The methods byte of references in this inode's table: check method of the metadata, inherited compression (section 5.4). */
    int methods() {
        if (content != null) {
            return content.ref().methods();
        }
        int check = changes.block.checkAlgo() & 0xF;
        return (check == 0 ? CHECK_DEFAULT : check) << 4 | (changes.block.compAlgo() & 0xF);
    }

    /** The root table of its tree as last flushed: what bulkfree must know of an inode that no index has. */
    public BlockTable flushedTable() {
        gate.assertHeldShared();
        return content == null ? InodeContent.NO_TABLE : content.table();
    }

    // Changes, with the gate held exclusively.

    /**
     * The inode's own fields, to be changed.
     *
     * @param modifyTid of the operation
     */
    public InodeBlock change(long modifyTid) {
        gate.assertHeldExclusive();
        if (changes == null) {
            byte[] copy = content.block().bytes().toArray(ValueLayout.JAVA_BYTE);
            changes = new Changes(new InodeBlock(MemorySegment.ofArray(copy)));
        }
        changes.attributes = null;
        changes.modifyTid = modifyTid;
        return changes.block;
    }

    /** The inode's own fields, to be changed further after {@link #change}. */
    InodeBlock changing() {
        gate.assertHeldExclusive();
        changes.attributes = null;
        return changes.block;
    }

    /** What {@link #change} has made; null when nothing is. */
    Changes changes() {
        return changes;
    }

    /** Its tree, to be changed. */
    public Chain chain() {
        gate.assertHeldExclusive();
        return changes.chain(content);
    }

    /** Begins the existence of a new inode: {@code fields} are its own. */
    public void begin(InodeBlock fields, long modifyTid) {
        gate.assertHeldExclusive();
        if (content != null || changes != null) {
            throw new IllegalStateException("inode " + inum + " exists");
        }
        changes = new Changes(fields);
        changes.modifyTid = modifyTid;
    }

    /** Ends its existence: it has neither names nor users any more. */
    public void remove(BufferPool buffers) {
        gate.assertHeldExclusive();
        removed = true;
        if (changes != null) {
            changes.discardBlocks(buffers);
        }
    }

    /** Whether it is here, to be looked at. */
    public boolean exists() {
        return content != null || changes != null;
    }

    public boolean isRemoved() {
        return removed;
    }

    /** Whether the last commit's index has it. */
    public boolean isIndexed() {
        return indexed;
    }

    public void setIndexed(boolean isIndexed) {
        indexed = isIndexed;
    }

    /** Whether there is anything to flush. */
    public boolean isChanged() {
        gate.assertHeldShared();
        return changes != null;
    }

    /** Whether to try to compress a block: of a file that gains nothing, only one in {@code missesMax}. */
    boolean isWorthCompressing(int missesMax) {
        return compressionMisses < missesMax || ++compressionMisses % missesMax == 0;
    }

    /** Forgets that it gained nothing, since it is to be tried in another way. */
    public void retryCompression() {
        gate.assertHeldExclusive();
        compressionMisses = 0;
    }

    void noteCompression(boolean gained) {
        compressionMisses = gained ? 0 : compressionMisses + 1;
    }

    /** A flush has written all of it. */
    void flushed(InodeContent written) {
        gate.assertHeldExclusive();
        content = written;
        changes = null;
    }

    InodeContent content() {
        return content;
    }

    /** It as the last flush has left it, or null when none had it. */
    public InodeContent committed() {
        gate.assertHeldShared();
        return content;
    }

    /** Under the token of the dirty set. */
    public boolean isDirty() {
        return dirty;
    }

    public void setDirty(boolean isDirty) {
        dirty = isDirty;
    }

    // Locking.

    /**
     * Takes the gate shared, and reads the inode first if it is not here yet.
     *
     * @return false, without the gate, when there is no such inode
     */
    public boolean lockShared(Topology topology, InodeIndex index) {
        gate.lockShared();
        while (content == null && changes == null && !removed) {
            gate.unlockShared();
            if (!lockExclusive(null, topology, index)) {
                return false;
            }
            gate.unlockExclusive();
            gate.lockShared();
        }
        boolean there = !removed;
        if (!there) {
            gate.unlockShared();
        }
        return there;
    }

    /** As {@link #lockShared}, exclusively. */
    public boolean lockExclusive(Topology topology, InodeIndex index) {
        return lockExclusive(null, topology, index);
    }

    /** As {@link #lockExclusive}, while the caller holds the gate of {@code parent}, a directory that names this inode. */
    public boolean lockExclusiveBelow(Inode parent, Topology topology, InodeIndex index) {
        return lockExclusive(parent.gate, topology, index);
    }

    private boolean lockExclusive(Gate parent, Topology topology, InodeIndex index) {
        if (parent == null) {
            gate.lockExclusive();
        } else {
            gate.lockExclusiveBelow(parent);
        }
        boolean there = false;
        try {
            there = !removed && (content != null || changes != null || load(topology, index.table()));
            return there;
        } finally {
            if (!there) {
                gate.unlockExclusive();
            }
        }
    }

    private boolean load(Topology topology, BlockTable index) {
        try (Cursor cursor = topology.cursor(index)) {
            if (inum < 0 || !cursor.seek(inum) || cursor.key() != inum) {
                return false;
            }
            if (cursor.type() != BlockType.INODE) {
                throw cursor.unexpected("leaf of the inode index", "INODE");
            }
            CachedBlock block = cursor.load();
            try {
                content = InodeContent.of(
                                block.ref(),
                                (InodeBlock) block.block(),
                                topology.io().totalBytes())
                        .requireInum(inum);
                indexed = true;
            } finally {
                topology.io().release(block);
            }
            return true;
        }
    }
}
