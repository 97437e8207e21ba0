package io.hammer2.fs.freemap;

import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;

/** Collects the granules of all blocks that a walk meets, and what damage, with the PFS and the inode that it is in. */
final class InUse implements BlockWalk.Visitor {
    /** Takes a line about damage, and where it is. */
    @FunctionalInterface
    interface DamageSink {
        /**
         * @param pfsRoot reference to the root of the PFS; null in the super-root
         * @param inum number of the inode; 0 in the index of inodes
         */
        void damaged(BlockRef pfsRoot, long inum, String what);
    }

    private static final int PFS_LEVEL = 1;
    private static final int INODE_LEVEL = 2;

    private final GranuleMap granules;
    private final Runnable onReference;
    private final DamageSink onDamage;

    /** Where the walk is; null and 0 above. */
    private BlockRef pfsRoot;

    private long inum;

    /** @param onReference called for each reference; may throw to end the walk */
    InUse(GranuleMap granules, Runnable onReference, DamageSink onDamage) {
        this.granules = granules;
        this.onReference = onReference;
        this.onDamage = onDamage;
    }

    @Override
    public boolean visit(BlockTable table, int slot) {
        onReference.run();
        int radix = table.radix(slot);
        if (radix != 0) {
            granules.add(table.offsetBytes(slot), 1 << radix);
        }
        return true;
    }

    @Override
    public void enterInode(BlockTable table, int slot, int inodeLevel) {
        if (inodeLevel == PFS_LEVEL) {
            pfsRoot = table.ref(slot);
        } else if (inodeLevel == INODE_LEVEL) {
            inum = table.ref(slot).key();
        }
    }

    @Override
    public void leaveInode(int inodeLevel) {
        if (inodeLevel == PFS_LEVEL) {
            pfsRoot = null;
        } else if (inodeLevel == INODE_LEVEL) {
            inum = 0;
        }
    }

    @Override
    public void unreadable(CorruptBlockException damage) {
        onDamage.damaged(pfsRoot, inum, damage.getMessage());
    }

    @Override
    public void unreadable(DeviceErrorException failure) {
        onDamage.damaged(pfsRoot, inum, failure.getMessage() + " in " + failure.ref());
    }
}
