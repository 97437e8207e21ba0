package io.hammer2.fs.freemap;

import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.LwktThread;

/**
 * Meets every block that can be reached from block tables, on one cpu, reading the tables and no file data. Trees that are shared
 * by snapshots are walked once.
 *
 * <p>Ends on any volume: an indirect block is entered once, and inodes nest no deeper than super-root, PFS root and inode (format
 * section 9). Takes the memory that it was given, and that of the tables on one path.
 */
public final class BlockWalk {
    /** {@link #below} the table of a PFS root: super-root, PFS root. */
    public static final int BELOW_PFS_ROOT = 2;

    /** {@link #below} the table of a file or directory: super-root, PFS root, inode. */
    public static final int BELOW_INODE = 3;

    /** References between two offers of the cpu to others. */
    private static final int REFERENCES_PER_TURN = 512;

    private final BlockIo io;
    private final Visitor visitor;
    private final PlaceSet entered;
    private int referencesInTurn;

    /** What a walk is made for. */
    public interface Visitor {
        /**
         * A reference that was reached; it may be to no storage, or one that was met before.
         *
         * @param table valid during the call
         * @return whether to go on below it
         */
        boolean visit(BlockTable table, int slot);

        /**
         * The walk goes to an inode and to what is below it; what is met until {@link #leaveInode} is there.
         *
         * @param inodeLevel inodes above it: 0 of the super-root, 1 of a PFS root
         */
        default void enterInode(BlockTable table, int slot, int inodeLevel) {}

        default void leaveInode(int inodeLevel) {}

        /** A table could not be read, or is not what a table may be; what is below it is not visited. */
        void unreadable(CorruptBlockException damage);

        /** The device did not give a table; what is below it is not visited. */
        void unreadable(DeviceErrorException failure);
    }

    /** @param memoryBytesMax for remembering which indirect blocks were entered */
    public BlockWalk(BlockIo io, Visitor visitor, long memoryBytesMax) {
        this.io = io;
        this.visitor = visitor;
        this.entered = new PlaceSet(memoryBytesMax);
    }

    /**
     * Walks what is below a table. The thread blocks where something must be read, and gives the cpu up now and then.
     *
     * @param root validated, and not changed meanwhile: of the volume header or of an inode
     * @param inodeLevel inodes above it: 0 for that of the volume header, {@link #BELOW_INODE} for that of
     *     a file or directory
     * @throws OutOfMemoryBudgetException when it needs more memory than it may take
     */
    public void below(BlockTable root, int inodeLevel) {
        table(root, inodeLevel, 0);
    }

    private void table(BlockTable table, int inodeLevel, int depth) {
        for (int slot = 0; slot < table.entryCount(); slot++) {
            if (++referencesInTurn == REFERENCES_PER_TURN) {
                referencesInTurn = 0;
                LwktThread.yieldNow();
            }
            BlockType type = table.type(slot);
            if (type == BlockType.FREEMAP_NODE || type == BlockType.FREEMAP_LEAF) {
                visitor.unreadable(new CorruptBlockException(
                        table.ref(slot), "type of a block", "one of a file tree", type.toString()));
            } else if (visitor.visit(table, slot)) {
                enter(table, slot, type, inodeLevel, depth);
            }
        }
    }

    private void enter(BlockTable table, int slot, BlockType type, int inodeLevel, int depth) {
        boolean isInode = type == BlockType.INODE;
        if (!isInode && (type != BlockType.INDIRECT || !entered.add(table.dataOff(slot)))) {
            return;
        }
        if (isInode ? inodeLevel == BELOW_INODE : depth == Limits.TREE_DEPTH_MAX) {
            visitor.unreadable(new CorruptBlockException(
                    table.ref(slot),
                    isInode ? "inode below an inode that is no root" : "levels of indirect blocks",
                    isInode ? "none" : "at most " + Limits.TREE_DEPTH_MAX,
                    "one more"));
            return;
        }
        if (isInode) {
            visitor.enterInode(table, slot, inodeLevel);
        }
        BlockTable below = load(table, slot, isInode);
        if (below != null) {
            table(below, isInode ? inodeLevel + 1 : inodeLevel, isInode ? 0 : depth + 1);
        }
        if (isInode) {
            visitor.leaveInode(inodeLevel);
        }
    }

    /** A copy, so that a deep walk pins nothing in the cache; null when there is nothing below, or it cannot be told. */
    private BlockTable load(BlockTable table, int slot, boolean isInode) {
        BlockRef ref = table.ref(slot);
        try {
            CachedBlock block = io.load(table, slot);
            try {
                if (!isInode) {
                    return block.table().copy();
                }
                InodeBlock inode = (InodeBlock) block.block();
                return inode.isDirectData() ? null : inode.blockSet().copyValidated(io.totalBytes());
            } finally {
                io.release(block);
            }
        } catch (CorruptBlockException e) {
            visitor.unreadable(e.at(ref));
        } catch (DeviceErrorException e) {
            visitor.unreadable(e);
        }
        return null;
    }
}
