package io.hammer2.fs.freemap;

import io.hammer2.fs.chain.Chain;
import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.flush.Flush;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * The space map of a volume, owned by the volume cpu. Leaves are read, or made, when something first looks at their GiB.
 *
 * <p>Nothing is ever freed here: what was allocated stays so until bulkfree finds that no header leads to it (section 14).
 *
 * <p>Each block is written to the next of its eight slots, once per commit, so that each of the four headers still finds the
 * freemap it was committed with (section 6.2).
 */
public final class Freemap {
    private static final int ROTATION_SETS = 8;
    private static final int LEVELS = 5;

    /** Key bits from one level to the next. */
    private static final int LEVEL_KEYBITS = 8;

    private static final int BLOCK_RADIX = 15;
    private static final int BIGMASK_ANY = -1;

    private final Topology topology;
    private final long sizeBytes;
    private final long firstManagedBytes;
    private final Chain root;
    private final NavigableMap<Long, Leaf> leaves = new TreeMap<>();
    private final NavigableMap<Long, SegmentLease> leases = new TreeMap<>();
    private long freeBytes;

    /** A leaf in memory. */
    private static final class Leaf {
        private final long key;
        private final FreemapLeaf map;

        /** As committed, or null for one that is not yet on the medium. */
        private BlockRef ref;

        private boolean dirty;

        private Leaf(long key, FreemapLeaf map, BlockRef ref) {
            this.key = key;
            this.map = map;
            this.ref = ref;
        }
    }

    /**
     * @param topology of the volume cpu
     * @param committed the freemap block set of the header, validated
     * @param sizeBytes of the file system
     * @param allocatorBeg of the header: what lies below is not managed
     * @param freeBytes allocator_free of the header
     */
    public Freemap(Topology topology, BlockTable committed, long sizeBytes, long allocatorBeg, long freeBytes) {
        this.topology = topology;
        this.sizeBytes = sizeBytes;
        this.firstManagedBytes = roundUp(allocatorBeg, Limits.FREEMAP_SEGMENT_BYTES);
        this.root = Chain.root(Chain.Kind.FREEMAP, committed);
        this.freeBytes = freeBytes;
    }

    /** Free bytes, as the header's allocator_free has them; without what leases took since {@link #flush} last folded them in. */
    public long freeBytes() {
        return freeBytes;
    }

    /** The root table, for the header; complete after {@link #flush}. */
    public BlockTable rootTable() {
        return root.table();
    }

    /**
     * Lends a segment for blocks of a class: one of that class or of none, with room; if there is none left, any with room
     * ("relaxed", section 6.6).
     *
     * @param near logical offset to look from, wrapping at the end
     * @param radix of a block that it must have room for
     * @return null when the volume is full
     */
    public SegmentLease lease(int allocationClass, long near, int radix) {
        SegmentLease lease = search(allocationClass, near, radix, false);
        return lease != null ? lease : search(allocationClass, near, radix, true);
    }

    /** Takes a lease back, with what was allocated in it. */
    public void giveBack(SegmentLease lease) {
        fold(lease);
        leases.remove(lease.offsetBytes());
    }

    /**
     * Marks a block allocated, as recovery does for blocks that are newer than the freemap (section 13.4).
     *
     * @return whether any of it was free
     */
    public boolean markAllocated(long offsetBytes, int radix) {
        if (offsetBytes < firstManagedBytes || leases.containsKey(segmentOf(offsetBytes))) {
            return false;
        }
        Leaf leaf = leaf(Key.base(offsetBytes, Limits.FREEMAP_LEAF_KEYBITS));
        int segment = (int) ((offsetBytes - leaf.key) / Limits.FREEMAP_SEGMENT_BYTES);
        int inSegment = (int) (offsetBytes & (Limits.FREEMAP_SEGMENT_BYTES - 1));
        int first = inSegment / Limits.FREEMAP_GRANULE_BYTES;
        int last = (inSegment + (1 << radix) - 1) / Limits.FREEMAP_GRANULE_BYTES;
        boolean wasFree = false;
        for (int granule = first; granule <= last; granule++) {
            Granule before = leaf.map.granule(segment, granule);
            if (before == Granule.FREE) {
                leaf.map.setAvailBytes(segment, leaf.map.availBytes(segment) - Limits.FREEMAP_GRANULE_BYTES);
                freeBytes -= Limits.FREEMAP_GRANULE_BYTES;
                wasFree = true;
            }
            if (before != Granule.ALLOCATED) {
                leaf.map.setGranule(segment, granule, Granule.ALLOCATED);
                leaf.dirty = true;
            }
        }
        return wasFree;
    }

    /**
     * Folds in the leases, and gives every changed block to {@code write} for its next slot. After this {@link #rootTable} refers
     * to the result.
     *
     * @param mirrorTid of the commit
     * @param write starts to write a block at a logical offset; the bytes do not change until the commit ends
     */
    public void flush(long mirrorTid, BiConsumer<Long, MemorySegment> write) {
        leases.values().forEach(this::fold);
        for (Leaf leaf : leaves.values()) {
            if (leaf.dirty) {
                writeLeaf(leaf, mirrorTid, write);
            }
        }
        Flush nodes = new Flush(
                (before, ref, stored) -> place(before, ref, stored, write), CheckCode.FREEMAP.code(), mirrorTid);
        nodes.below(root);
    }

    private void writeLeaf(Leaf leaf, long mirrorTid, BiConsumer<Long, MemorySegment> write) {
        BlockRef.Builder ref = leaf.ref != null
                ? leaf.ref.toBuilder()
                : BlockRef.builder(BlockType.FREEMAP_LEAF)
                        .key(leaf.key, Limits.FREEMAP_LEAF_KEYBITS)
                        .methods(CheckCode.FREEMAP.code(), 0)
                        .freemapHints(BIGMASK_ANY, availBytes(leaf.map));
        ref.tids(mirrorTid, leaf.ref == null ? mirrorTid : leaf.ref.modifyTid() + 1);
        BlockRef before = leaf.ref != null ? leaf.ref : ref.build();
        // A copy, since allocation goes on while the commit is written.
        BlockRef written =
                place(before, ref, MemorySegment.ofArray(leaf.map.bytes().toArray(ValueLayout.JAVA_BYTE)), write);
        if (leaf.ref == null) {
            topology.insert(root, written);
        } else {
            topology.replace(root, leaf.key, written);
        }
        leaf.ref = written;
        leaf.dirty = false;
    }

    /** The slot after the one that the block has now (section 6.2). */
    private static BlockRef place(
            BlockRef before, BlockRef.Builder ref, MemorySegment stored, BiConsumer<Long, MemorySegment> write) {
        int level = (before.keybits() - Limits.FREEMAP_LEAF_KEYBITS) / LEVEL_KEYBITS;
        int set = before.radix() == 0 ? 0 : (setOf(before, level) + 1) % ROTATION_SETS;
        long offset = before.key() + (long) Limits.BLOCK_BYTES_MAX * (1 + LEVELS * set + level);
        CheckCode.FREEMAP.store(stored, ref.check());
        write.accept(offset, stored);
        return ref.dataOff(offset | BLOCK_RADIX).build();
    }

    private static int setOf(BlockRef ref, int level) {
        long slot = (ref.offsetBytes() - ref.key()) / Limits.BLOCK_BYTES_MAX;
        long set = (slot - 1 - level) / LEVELS;
        if (slot != 1 + LEVELS * set + level || set < 0 || set >= ROTATION_SETS) {
            throw new CorruptBlockException(
                    ref, "place of a freemap block", "one of its eight slots", Key.text(ref.offsetBytes()));
        }
        return (int) set;
    }

    private SegmentLease search(int allocationClass, long near, int radix, boolean relaxed) {
        long start = Key.base(Math.floorMod(near, sizeBytes), Limits.FREEMAP_LEAF_KEYBITS);
        long count = (sizeBytes + Limits.GIB - 1) / Limits.GIB;
        for (long i = 0; i < count; i++) {
            long key = (start + i * Limits.GIB) % (count * Limits.GIB);
            Leaf leaf = leaf(key);
            for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
                long offset = key + (long) segment * Limits.FREEMAP_SEGMENT_BYTES;
                int found = leaf.map.allocationClass(segment);
                boolean suits = relaxed || found == 0 || found == allocationClass;
                if (suits && leaf.map.availBytes(segment) > 0 && !leases.containsKey(offset)) {
                    SegmentLease lease = new SegmentLease(offset, allocationClass, leaf.map.segmentAlone(segment));
                    if (lease.hasRoom(radix)) {
                        leases.put(offset, lease);
                        return lease;
                    }
                }
            }
        }
        return null;
    }

    private void fold(SegmentLease lease) {
        int granules = lease.takeGranuleCount();
        Leaf leaf = leaf(Key.base(lease.offsetBytes(), Limits.FREEMAP_LEAF_KEYBITS));
        int segment = (int) ((lease.offsetBytes() - leaf.key) / Limits.FREEMAP_SEGMENT_BYTES);
        MemorySegment entry = leaf.map.segmentAlone(segment).bytes();
        if (entry.mismatch(lease.map().bytes()) >= 0) {
            entry.copyFrom(lease.map().bytes());
            leaf.dirty = true;
        }
        freeBytes -= (long) granules * Limits.FREEMAP_GRANULE_BYTES;
    }

    private Leaf leaf(long key) {
        Leaf leaf = leaves.get(key);
        if (leaf == null) {
            leaf = load(key);
            leaves.put(key, leaf);
        }
        return leaf;
    }

    private Leaf load(long key) {
        try (Cursor cursor = topology.cursor(root)) {
            if (!cursor.seek(key) || cursor.key() != key) {
                return new Leaf(key, newLeaf(key), null);
            }
            if (cursor.type() != BlockType.FREEMAP_LEAF) {
                throw cursor.unexpected("leaf of the freemap", "FREEMAP_LEAF");
            }
            CachedBlock block = cursor.load();
            try {
                MemorySegment copy = MemorySegment.ofArray(new byte[Limits.FREEMAP_BLOCK_BYTES]);
                copy.copyFrom(block.bytes());
                return new Leaf(key, new FreemapLeaf(copy), block.ref());
            } finally {
                topology.io().release(block);
            }
        }
    }

    /** Everything free but what lies outside of the volume, is reserved, or was there before the freemap (section 6.5). */
    private FreemapLeaf newLeaf(long key) {
        FreemapLeaf leaf = new FreemapLeaf(MemorySegment.ofArray(new byte[Limits.FREEMAP_BLOCK_BYTES]));
        long low = Math.max(firstManagedBytes, key + Limits.RESERVED_SEGMENT_BYTES);
        long high = Math.min(key + Limits.GIB, sizeBytes & -Limits.FREEMAP_SEGMENT_BYTES);
        for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            long offset = key + (long) segment * Limits.FREEMAP_SEGMENT_BYTES;
            if (offset >= low && offset < high) {
                leaf.setAvailBytes(segment, Limits.FREEMAP_SEGMENT_BYTES);
            } else {
                leaf.setLinear(segment, FreemapLeaf.LINEAR_FULL);
                for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                    leaf.setGranule(segment, granule, Granule.ALLOCATED);
                }
            }
        }
        return leaf;
    }

    private static long availBytes(FreemapLeaf leaf) {
        long sum = 0;
        for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            sum += leaf.availBytes(segment);
        }
        return sum;
    }

    private static long segmentOf(long offset) {
        return offset & -Limits.FREEMAP_SEGMENT_BYTES;
    }

    private static long roundUp(long value, long unit) {
        return (value + unit - 1) / unit * unit;
    }
}
