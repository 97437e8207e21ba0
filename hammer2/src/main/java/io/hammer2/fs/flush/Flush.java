package io.hammer2.fs.flush;

import io.hammer2.fs.chain.Chain;
import io.hammer2.fs.media.BlockRef;

/**
 * Writes the changed indirect blocks below one inode (or the nodes of the freemap), each after its children, and leaves the
 * root table to its owner. With the inode's gate held exclusively.
 *
 * <p>Tidies up on the way (format section 7.2): a block without entries goes, and one whose entries fit into the table above
 * is absorbed by it.
 */
public final class Flush {
    private final BlockWriter writer;
    private final int checkMethod;
    private final long mirrorTid;

    /**
     * @param checkMethod of the indirect blocks: that of the inode's own reference (section 5.4)
     * @param mirrorTid of the commit that this belongs to (section 12)
     */
    public Flush(BlockWriter writer, int checkMethod, long mirrorTid) {
        this.writer = writer;
        this.checkMethod = checkMethod;
        this.mirrorTid = mirrorTid;
    }

    /** After this the chain has no chains below it, and each of its references is to a block that is being written. */
    public void below(Chain chain) {
        // Downwards, since absorbing and removing change what follows.
        for (int slot = chain.table().entryCount() - 1; slot >= 0; slot--) {
            Chain child = chain.child(slot);
            if (child == null) {
                continue;
            }
            below(child);
            if (child.table().entryCount() == 0) {
                chain.remove(slot);
            } else if (chain.canAbsorb(slot)) {
                chain.absorb(slot);
            } else {
                chain.written(slot, write(chain.table().ref(slot), child));
            }
        }
    }

    private BlockRef write(BlockRef before, Chain child) {
        Counters counters = Counters.of(child.table());
        BlockRef.Builder ref = BlockRef.builder(before.type())
                .key(before.key(), before.keybits())
                .methods(checkMethod, 0)
                .leafCount(counters.leafCount())
                .counts(counters.dataCount(), counters.inodeCount())
                .tids(mirrorTid, counters.modifyTid());
        return writer.writeTable(before, ref, child.table());
    }
}
