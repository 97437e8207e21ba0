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
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;

/**
 * The blocks of the freemap. Leaves are read, or made, when something first looks at their GiB, and forgotten again when there are
 * many that did not change.
 *
 * <p>Each block is written to the next of its eight slots, once per commit, so that each of the four headers still finds the
 * freemap it was committed with (format section 6.2).
 */
final class FreemapTree {
    private static final int ROTATION_SETS = 8;
    private static final int LEVELS = 5;

    /** Key bits from one level to the next. */
    private static final int LEVEL_KEYBITS = 8;

    private static final int BLOCK_RADIX = 15;
    private static final int BIGMASK_ANY = -1;

    /** Leaves, of 32 KiB each, that are kept without need. */
    private static final int LEAVES_KEPT = 256;

    private final Topology topology;
    private long sizeBytes;
    private final long firstManagedBytes;
    private final Chain root;
    private final NavigableMap<Long, Leaf> leaves = new TreeMap<>();

    /** When there are so many leaves, those that did not change are forgotten. */
    private int leavesMax = LEAVES_KEPT;

    /** A leaf in memory; {@link #changed} goes with each change of its map. */
    static final class Leaf {
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

        /** Logical offset of its GiB. */
        long key() {
            return key;
        }

        FreemapLeaf map() {
            return map;
        }

        void changed() {
            dirty = true;
        }
    }

    /**
     * @param committed the freemap block set of the header, validated
     * @param firstManagedBytes what lies below is never free
     */
    FreemapTree(Topology topology, BlockTable committed, long sizeBytes, long firstManagedBytes) {
        this.topology = topology;
        this.sizeBytes = sizeBytes;
        this.firstManagedBytes = firstManagedBytes;
        this.root = Chain.root(Chain.Kind.FREEMAP, committed);
    }

    /** For the header; complete after {@link #flush}. */
    BlockTable rootTable() {
        return root.table();
    }

    /** The file system has become larger: more of it is managed. */
    void grow(long newSizeBytes) {
        sizeBytes = newSizeBytes;
    }

    /** Leaves in memory. */
    int loadedCount() {
        return leaves.size();
    }

    /** The leaf of the GiB at {@code key}; valid until the thread next blocks. */
    Leaf leaf(long key) {
        Leaf leaf = leaves.get(key);
        if (leaf == null) {
            Leaf loaded = load(key);
            if (leaves.size() >= leavesMax) {
                leaves.values().removeIf(kept -> !kept.dirty);
                leavesMax = Math.max(LEAVES_KEPT, 2 * leaves.size());
            }
            // Loading may have blocked, and another thread have loaded it too.
            Leaf other = leaves.putIfAbsent(key, loaded);
            leaf = other != null ? other : loaded;
        }
        return leaf;
    }

    /** Key of the first leaf at or after {@code from} that is on the medium or was changed; null when there is none. */
    Long keyFrom(long from) {
        Long inMemory = leaves.ceilingKey(from);
        try (Cursor cursor = topology.cursor(root)) {
            if (!cursor.seek(from)) {
                return inMemory;
            }
            long onMedium = cursor.key();
            return inMemory != null && inMemory < onMedium ? inMemory : (Long) onMedium;
        }
    }

    /** Writes what changed; see {@link Freemap#flush}. */
    void flush(long mirrorTid, BiConsumer<Long, MemorySegment> write) {
        // A list of its own: writing may block, and others look at more leaves then.
        List<Leaf> dirty = leaves.values().stream().filter(leaf -> leaf.dirty).toList();
        dirty.forEach(leaf -> writeLeaf(leaf, mirrorTid, write));
        Flush nodes = new Flush(
                (before, ref, stored) -> place(before, ref, stored, write), CheckCode.FREEMAP.code(), mirrorTid);
        nodes.below(root);
    }

    private void writeLeaf(Leaf leaf, long mirrorTid, BiConsumer<Long, MemorySegment> write) {
        BlockRef.Builder ref = leaf.ref != null
                ? leaf.ref.toBuilder().freemapHints(BIGMASK_ANY, leaf.ref.freemapAvailBytes())
                : BlockRef.builder(BlockType.FREEMAP_LEAF)
                        .key(leaf.key, Limits.FREEMAP_LEAF_KEYBITS)
                        .methods(CheckCode.FREEMAP.code(), 0)
                        .freemapHints(BIGMASK_ANY, availBytes(leaf.map));
        ref.tids(mirrorTid, leaf.ref == null ? mirrorTid : leaf.ref.modifyTid() + 1);
        boolean isNew = leaf.ref == null;
        BlockRef before = isNew ? ref.build() : leaf.ref;
        leaf.dirty = false;
        // A copy, since allocation goes on while the commit is written.
        leaf.ref = place(before, ref, MemorySegment.ofArray(leaf.map.bytes().toArray(ValueLayout.JAVA_BYTE)), write);
        if (isNew) {
            topology.insert(root, leaf.ref);
        } else {
            topology.replace(root, leaf.key, leaf.ref);
        }
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
        for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            if (isManaged(key + (long) segment * Limits.FREEMAP_SEGMENT_BYTES)) {
                leaf.setFree(segment);
            } else {
                leaf.setLinear(segment, FreemapLeaf.LINEAR_FULL);
                for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                    leaf.setGranule(segment, granule, Granule.ALLOCATED);
                }
            }
        }
        return leaf;
    }

    /** Whether the segment at {@code offset} can ever be free (section 6.5). */
    boolean isManaged(long offset) {
        return offset >= firstManagedBytes
                && (offset & (Limits.GIB - 1)) >= Limits.RESERVED_SEGMENT_BYTES
                && offset + Limits.FREEMAP_SEGMENT_BYTES <= sizeBytes;
    }

    private static long availBytes(FreemapLeaf leaf) {
        long sum = 0;
        for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            sum += leaf.availBytes(segment);
        }
        return sum;
    }
}
