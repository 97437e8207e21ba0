package io.hammer2.fs.freemap;

import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.NameText;
import java.util.function.Consumer;

/** Collects the granules of all blocks that a walk meets, and what damage, with the PFS that it is in. */
final class InUse implements BlockWalk.Visitor {
    private final BlockIo io;
    private final GranuleMap granules;
    private final Runnable onReference;
    private final Consumer<String> onDamage;

    /** Where the walk is; null in the super-root. */
    private BlockRef pfsRoot;

    /** @param onReference called for each reference; may throw to end the walk */
    InUse(BlockIo io, GranuleMap granules, Runnable onReference, Consumer<String> onDamage) {
        this.io = io;
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
        if (table.type(slot) == BlockType.INODE) {
            BlockRef ref = table.ref(slot);
            pfsRoot = ref.isPfsRoot() ? ref : pfsRoot;
        }
        return true;
    }

    @Override
    public void unreadable(CorruptBlockException damage) {
        onDamage.accept(place() + damage.getMessage());
    }

    @Override
    public void unreadable(DeviceErrorException failure) {
        onDamage.accept(place() + failure.getMessage() + " in " + failure.ref());
    }

    private String place() {
        return pfsRoot == null ? "super-root: " : "PFS " + label() + ": ";
    }

    private String label() {
        try {
            CachedBlock block = io.load(pfsRoot);
            try {
                return NameText.of(((InodeBlock) block.block()).name());
            } finally {
                io.release(block);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            return "with key " + Key.text(pfsRoot.key());
        }
    }
}
