package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapNode;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** The freemap by itself (format section 6): the tree, the slots, the bitmaps. */
final class FreemapCheck {
    private static final Set<BlockType> ALLOWED = EnumSet.of(BlockType.FREEMAP_NODE, BlockType.FREEMAP_LEAF);
    private static final int TOP_KEYBITS = 64;
    private static final int SLOT_BYTES = 65536;
    private static final int SLOT_FIRST = 1;
    private static final int SLOT_LAST = 40;
    private static final int LEVELS = 5;
    private static final int BLOCK_RADIX = 15;
    private static final int CHECK_METHOD = 5;
    private static final long LOW_BITS = 0x5555555555555555L;
    private static final int SUB_GRANULE_BIT = 10;
    private static final int CLASS_RADIX = 16;

    /** Unreadable ranges that are kept apart; further ones widen the last, and less is verified. */
    private static final int LOST_MAX = 1024;

    private final Context context;
    private final Reporter reporter;
    private final VolumeHeader header;
    private final long totalBytes;
    private long nodeCount;
    private int leafCount;
    private long[] leafGibs = new long[16];
    private long[] leafOffsets = new long[16];
    private int lostCount;
    private final long[] lostFrom = new long[LOST_MAX];
    private final long[] lostTo = new long[LOST_MAX];

    FreemapCheck(Context context, VolumeHeader header, long totalBytes) {
        this.context = context;
        this.reporter = context.reporter();
        this.header = header;
        this.totalBytes = totalBytes;
    }

    /** Verifies tree and leaves. */
    void check() {
        Place top = Place.root("freemap", 0, -1L, header.freemapTid());
        for (BlockRef ref : context.tables().accept(header.freemapBlockSet(), top, ALLOWED)) {
            if (Key.less(header.freemapTid(), ref.mirrorTid())) {
                reporter.note(
                        "freemap-tid",
                        "freemap: mirror_tid " + Long.toUnsignedString(ref.mirrorTid()) + " is above freemap_tid "
                                + Long.toUnsignedString(header.freemapTid()),
                        ref);
            }
            block(ref, TOP_KEYBITS);
        }
    }

    long nodeCount() {
        return nodeCount;
    }

    /** Leaves that can be used. */
    int leafCount() {
        return leafCount;
    }

    /** Number of the GiB that a leaf describes; leaves are in ascending order. */
    long leafGib(int leaf) {
        return leafGibs[leaf];
    }

    /** Index of the leaf for a GiB, or a negative number. */
    int leafOf(long gib) {
        return Arrays.binarySearch(leafGibs, 0, leafCount, gib);
    }

    /** The leaf again, or null; valid until the next block is read. */
    FreemapLeaf leaf(int leaf) {
        BlockRef ref = BlockRef.builder(BlockType.FREEMAP_LEAF)
                .dataOff(leafOffsets[leaf] | BLOCK_RADIX)
                .build();
        MemorySegment bytes = context.loader().loadVerified(ref);
        return bytes == null ? null : new FreemapLeaf(bytes);
    }

    /** Whether the part of the freemap that describes this GiB could not be read. */
    boolean isLost(long gib) {
        long at = gib << Limits.FREEMAP_LEAF_KEYBITS;
        for (int i = 0; i < lostCount; i++) {
            if (Key.lessOrEqual(lostFrom[i], at) && Key.lessOrEqual(at, lostTo[i])) {
                return true;
            }
        }
        return false;
    }

    private void block(BlockRef ref, int parentKeybits) {
        reporter.onReference();
        int level = level(ref.keybits());
        if (level == 0 || (level == 1) != (ref.type() == BlockType.FREEMAP_LEAF) || ref.keybits() >= parentKeybits) {
            problem("level and type contradict each other", ref);
            lose(ref);
            return;
        }
        if (ref.radix() != BLOCK_RADIX) {
            problem("radix " + ref.radix() + ", expected 15", ref);
            lose(ref);
            return;
        }
        long slot = (ref.offsetBytes() - ref.key()) / SLOT_BYTES;
        boolean inSlot = (ref.offsetBytes() - ref.key()) % SLOT_BYTES == 0 && slot >= SLOT_FIRST && slot <= SLOT_LAST;
        if (!inSlot || (slot - 1) % LEVELS != level - 1) {
            problem("not in a reserved slot of its level", ref);
            lose(ref);
            return;
        }
        if (ref.checkMethod() != CHECK_METHOD) {
            problem("check method " + ref.checkMethod(), ref);
        }
        if (!Key.less(ref.key(), totalBytes)) {
            problem("beyond the end of the volume", ref);
            return;
        }
        MemorySegment bytes = context.loader().load(ref, "freemap");
        if (bytes == null) {
            lose(ref);
            return;
        }
        if (ref.type() == BlockType.FREEMAP_NODE) {
            nodeCount++;
            Place place = new Place("freemap", ref, ref.key(), ref.keyEnd(), level, ref.mirrorTid());
            List<BlockRef> children = context.tables().accept(new FreemapNode(bytes).table(), place, ALLOWED);
            for (BlockRef child : children) {
                block(child, ref.keybits());
            }
        } else {
            leaf(ref, new FreemapLeaf(bytes));
        }
    }

    private void leaf(BlockRef ref, FreemapLeaf leaf) {
        long gib = ref.key() >>> Limits.FREEMAP_LEAF_KEYBITS;
        if (leafCount > 0 && leafGibs[leafCount - 1] >= gib) {
            problem("a second leaf for the same GiB", ref);
            return;
        }
        if (leafCount == leafGibs.length) {
            leafGibs = Arrays.copyOf(leafGibs, 2 * leafCount);
            leafOffsets = Arrays.copyOf(leafOffsets, 2 * leafCount);
        }
        leafGibs[leafCount] = gib;
        leafOffsets[leafCount] = ref.offsetBytes();
        leafCount++;
        for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            segment(ref, leaf, gib, segment);
        }
    }

    private void segment(BlockRef ref, FreemapLeaf leaf, long gib, int segment) {
        String where = String.format("freemap segment %x", (gib * FreemapLeaf.SEGMENT_COUNT + segment) << 22);
        long freeGranules = FreemapLeaf.GRANULE_COUNT;
        boolean illegal = false;
        for (int word = 0; word < 8; word++) {
            long bits = leaf.bitmapWord(segment, word);
            long low = bits & LOW_BITS;
            long high = (bits >>> 1) & LOW_BITS;
            illegal |= (low & ~high) != 0;
            freeGranules -= Long.bitCount(low | high);
        }
        if (illegal) {
            reporter.problem(ProblemCode.FREEMAP, where + ": state 01 in the bitmap", ref);
        }
        long free = freeGranules * Limits.FREEMAP_GRANULE_BYTES;
        if (leaf.availBytes(segment) != free) {
            reporter.problem(
                    ProblemCode.FREEMAP,
                    where + ": avail " + Integer.toUnsignedString(leaf.availBytes(segment)) + ", the bitmap says "
                            + free,
                    ref);
        }
        linear(ref, leaf, segment, where);
        int allocationClass = leaf.allocationClass(segment);
        if (allocationClass != 0 && (allocationClass & 0xFF) != CLASS_RADIX) {
            reporter.note("class", String.format("%s: class %04x", where, allocationClass), ref);
        }
        if (free != 0 && ((ref.freemapBigmask() >>> SUB_GRANULE_BIT) & 1) == 0) {
            reporter.note("bigmask", where + ": free space, but bigmask excludes 1 KiB", ref);
        }
        if (free != 0 && isStatic(gib, segment)) {
            reporter.problem(ProblemCode.FREEMAP, where + ": reserved or out of range, but marked free", ref);
        }
    }

    private void linear(BlockRef ref, FreemapLeaf leaf, int segment, String where) {
        int linear = leaf.linear(segment);
        if (linear < 0 || linear > FreemapLeaf.LINEAR_FULL || linear % Limits.KIB != 0) {
            reporter.problem(ProblemCode.FREEMAP, where + ": linear " + linear, ref);
            return;
        }
        int granule = linear / Limits.FREEMAP_GRANULE_BYTES;
        if (linear % Limits.FREEMAP_GRANULE_BYTES != 0
                && leaf.granule(segment, granule) != FreemapLeaf.Granule.ALLOCATED) {
            reporter.note(
                    "linear",
                    where + ": linear " + linear + " points into a granule that is " + leaf.granule(segment, granule),
                    ref);
        }
    }

    /** Whether a segment is never allocated from: reserved, before the first allocation, or past the end. */
    boolean isStatic(long gib, int segment) {
        long number = gib * FreemapLeaf.SEGMENT_COUNT + segment;
        long first = Math.ceilDiv(header.allocatorBeg(), Limits.FREEMAP_SEGMENT_BYTES);
        return segment == 0 || number < first || number >= totalBytes / Limits.FREEMAP_SEGMENT_BYTES;
    }

    private void lose(BlockRef ref) {
        if (lostCount < LOST_MAX) {
            lostFrom[lostCount] = ref.key();
            lostTo[lostCount] = ref.keyEnd();
            lostCount++;
            return;
        }
        int last = LOST_MAX - 1;
        lostFrom[last] = Key.less(ref.key(), lostFrom[last]) ? ref.key() : lostFrom[last];
        lostTo[last] = Key.less(lostTo[last], ref.keyEnd()) ? ref.keyEnd() : lostTo[last];
    }

    private void problem(String text, BlockRef ref) {
        reporter.problem(ProblemCode.FREEMAP, "freemap: " + text + ": " + Place.label(ref), ref);
    }

    private static int level(int keybits) {
        return switch (keybits) {
            case 30 -> 1;
            case 38 -> 2;
            case 46 -> 3;
            case 54 -> 4;
            case 62 -> 5;
            default -> 0;
        };
    }
}
