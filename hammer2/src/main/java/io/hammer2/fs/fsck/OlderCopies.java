package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.IndirectBlock;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Whether the commits of the other header copies could still be mounted: every block that can be reached from them matches its
 * check code. What they share with the newest commit was verified there. A note for each, and never a problem: their blocks
 * may have been freed and used again.
 */
final class OlderCopies {
    private final Context context;
    private final long totalBytes;
    private final Set<Long> seen = new HashSet<>();
    private long damagedCount;
    private BlockRef firstDamaged;

    OlderCopies(Context context, long totalBytes) {
        this.context = context;
        this.totalBytes = totalBytes;
    }

    void check(List<VolumeHeader> headers) {
        for (VolumeHeader header : headers) {
            seen.clear();
            damagedCount = 0;
            firstDamaged = null;
            table(header.superRootBlockSet(), 1);
            String commit = "older header, mirror_tid " + Long.toUnsignedString(header.mirrorTid()) + ": ";
            context.reporter()
                    .note(
                            "older-header",
                            commit
                                    + (damagedCount == 0
                                            ? "complete"
                                            : damagedCount + " damaged blocks, the first " + Place.label(firstDamaged)),
                            firstDamaged);
        }
    }

    private void table(BlockTable table, int depth) {
        List<BlockRef> refs = new ArrayList<>();
        for (int slot = 0; slot < table.slotCount(); slot++) {
            if (!table.isEmpty(slot) && table.typeCode(slot) < BlockType.values().length) {
                refs.add(table.ref(slot));
            }
        }
        refs.forEach(ref -> block(ref, depth));
    }

    private void block(BlockRef ref, int depth) {
        if (ref.radix() == 0) {
            return;
        }
        context.reporter().onReference();
        int radix = ref.radix();
        boolean possible = radix >= Limits.RADIX_MIN
                && radix <= Limits.RADIX_MAX
                && ref.offsetBytes() >= 0
                && ref.offsetBytes() <= totalBytes - ref.storedBytes()
                && depth <= 2 * Limits.TREE_DEPTH_MAX;
        boolean data = ref.type() == BlockType.DATA;
        if (possible
                && data
                && (context.storage().has(ref, BlockMap.VERIFIED)
                        || !context.options().readData())) {
            return;
        }
        MemorySegment bytes = possible ? context.loader().loadQuietly(ref) : null;
        if (bytes == null) {
            damagedCount++;
            firstDamaged = firstDamaged == null ? ref : firstDamaged;
            return;
        }
        // A table met twice on the way is walked once, or a hostile one that refers to itself would never end.
        if (context.storage().has(ref, BlockMap.WALKED) || (!data && !seen.add(ref.dataOff()))) {
            return;
        }
        if (ref.type() == BlockType.INDIRECT) {
            table(new IndirectBlock(bytes).table(), depth + 1);
        } else if (ref.type() == BlockType.INODE && bytes.byteSize() == Limits.INODE_BYTES) {
            InodeBlock inode = new InodeBlock(bytes);
            if (!inode.isDirectData()) {
                table(inode.blockSet(), depth + 1);
            }
        }
    }
}
