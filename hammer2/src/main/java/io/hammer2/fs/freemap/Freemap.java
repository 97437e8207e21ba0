package io.hammer2.fs.freemap;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.lang.foreign.MemorySegment;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The space map of a volume, owned by the volume cpu, where its methods are called by one thread at a time.
 *
 * <p>What was allocated stays so until {@link BulkFree} finds that no header leads to it (format section 14). For that the
 * freemap notes, from {@link #beginScan} on, what is allocated.
 */
public final class Freemap {
    private final FreemapTree tree;
    private long sizeBytes;
    private final long firstManagedBytes;
    private final long nearBytes;

    /** Free by the header's count and yet never to be had. */
    private final long neverFreeBytes;

    private final Consumer<String> log;
    private final NavigableMap<Long, SegmentLease> leases = new TreeMap<>();

    private final WholeBlocks wholeBlocks;
    private final RoomHints hints = new RoomHints();
    private long freeBytes;

    /** Hears of what {@link #merge} frees, before any of it is given out. */
    private Consumer<Freed> onFreed = freed -> {};

    /** What was allocated since the scan began; null while there is none. */
    private GranuleMap allocatedSinceScan;

    /**
     * @param committed the freemap block set of the header, validated
     * @param sizeBytes of the file system
     * @param firstManagedBytes what lies below is not managed
     * @param nearBytes where to look for space first
     */
    private Freemap(
            Topology topology,
            BlockTable committed,
            long sizeBytes,
            long firstManagedBytes,
            long neverFreeBytes,
            long freeBytes,
            long nearBytes,
            Consumer<String> log) {
        this.log = log;
        this.sizeBytes = sizeBytes;
        this.tree = new FreemapTree(topology, committed, sizeBytes, firstManagedBytes);
        this.firstManagedBytes = firstManagedBytes;
        this.neverFreeBytes = neverFreeBytes;
        this.freeBytes = freeBytes;
        this.wholeBlocks = new WholeBlocks(this::countWholeBlocksOf, nearBytes / Limits.GIB);
        this.nearBytes = nearBytes;
    }

    /**
     * The freemap that a header was committed with.
     *
     * @param topology of the volume cpu
     * @param log takes a line for each part of the map that cannot be used
     */
    public static Freemap of(Topology topology, VolumeHeader header, Consumer<String> log) {
        long size = header.fileSystemBytes();
        return of(
                topology,
                header.freemapBlockSet().copyValidated(size),
                size,
                header.allocatorBeg(),
                header.allocatorSize(),
                header.allocatorFree(),
                header.superRootBlockSet().ref(0).offsetBytes(),
                log);
    }

    /** As {@link #of(Topology, VolumeHeader, Consumer)}, with the fields of a header and a validated root table. */
    static Freemap of(
            Topology topology,
            BlockTable committed,
            long size,
            long allocatorBeg,
            long allocatorSize,
            long free,
            long near,
            Consumer<String> log) {
        long first = roundUp(allocatorBeg, Limits.FREEMAP_SEGMENT_BYTES);
        // The segment that newfs began, and the reserves of what the reference has enlarged (section 20, 2).
        long neverFree = Math.max(0, allocatorSize - managedBytes(size, first));
        return new Freemap(topology, committed, size, first, neverFree, free, near, log);
    }

    /** Places that have just become free. */
    @FunctionalInterface
    public interface Freed {
        /** Whether any of a block is among them. */
        boolean has(long offsetBytes, int radix);
    }

    /** {@code listener} hears of all that becomes free, at that moment; on the volume cpu. */
    public void onFreed(Consumer<Freed> listener) {
        onFreed = listener;
    }

    /** Free bytes, as the header's allocator_free has them; without what leases took since {@link #flush} last folded them in. */
    public long freeBytes() {
        return freeBytes;
    }

    /**
     * Bytes that can be allocated, in granules of 16 KiB: {@link #freeBytes} without what counts as free and is never given out
     * (section 16.1).
     */
    public long availableBytes() {
        return Math.max(0, freeBytes - neverFreeBytes);
    }

    /**
     * Bytes in free blocks of 64 KiB, each in its natural place, as far as they have been counted; what is lent counts as it was when
     * it was lent.
     */
    public long wholeBlockBytes() {
        return wholeBlocks.knownBytes();
    }

    /** Whether {@link #wholeBlockBytes} has seen all of the volume. */
    public boolean isWholeBlockCountComplete() {
        return wholeBlocks.isComplete(gibCount());
    }

    /** Looks at some more of the volume; reads as many leaves at most. The thread blocks. */
    public void countWholeBlocks(int gibs) {
        wholeBlocks.countMore(gibCount(), gibs);
    }

    /** Where the last commit found space: the place to look for more. */
    long nearBytes() {
        return nearBytes;
    }

    /** As the map has it, of the segment with that number in the GiB at {@code gib}. */
    long availableBytesOf(long gib, int segment) {
        boolean managed = tree.isManaged(gib + (long) segment * Limits.FREEMAP_SEGMENT_BYTES);
        return managed ? tree.leaf(gib).map().availBytes(segment) : 0;
    }

    private int countWholeBlocksOf(long gib) {
        FreemapLeaf map = mapToAllocateFrom(gib);
        int count = 0;
        for (int segment = 0; map != null && segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            boolean managed = tree.isManaged(gib * Limits.GIB + (long) segment * Limits.FREEMAP_SEGMENT_BYTES);
            count += managed && map.availBytes(segment) > 0 ? map.freeBlocks(segment) : 0;
        }
        if (count == 0) {
            hints.noWholeBlock(gib);
        }
        return count;
    }

    private long gibCount() {
        return (sizeBytes + Limits.GIB - 1) / Limits.GIB;
    }

    /** The root table, for the header; complete after {@link #flush}. */
    public BlockTable rootTable() {
        return tree.rootTable();
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
        if (lease.hasRoom(Limits.RADIX_MIN)) {
            // Searches have passed over it while it was lent.
            hints.room(lease.offsetBytes());
        }
    }

    /**
     * Marks a block allocated that something refers to: as recovery does for blocks newer than the freemap (section 13.4), and
     * sharing for a block that bulkfree may have staged (section 6.6).
     *
     * @return whether any of it was free
     */
    public boolean markAllocated(long offsetBytes, int radix) {
        if (!tree.isManaged(segmentOf(offsetBytes))) {
            return false;
        }
        int inSegment = (int) (offsetBytes - segmentOf(offsetBytes));
        SegmentLease lease = leases.get(segmentOf(offsetBytes));
        if (lease != null) {
            return lease.mark(inSegment, 1 << radix);
        }
        SegmentLease own = open(segmentOf(offsetBytes), 0);
        boolean wasFree = own.mark(inSegment, 1 << radix);
        fold(own);
        return wasFree;
    }

    /**
     * Marks a block allocated for one more reference to it (format section 11.5), unless it is free: it may have been staged by bulkfree
     * since nothing referred to it, and nothing stages or frees it in this commit then.
     *
     * @return false where any of it is free; then nothing was marked
     */
    public boolean claim(long offsetBytes, int radix) {
        if (isAnyFree(offsetBytes, 1 << radix)) {
            return false;
        }
        markAllocated(offsetBytes, radix);
        return true;
    }

    private boolean isAnyFree(long offsetBytes, int size) {
        long segment = segmentOf(offsetBytes);
        if (!tree.isManaged(segment)) {
            return false;
        }
        SegmentLease lease = leases.get(segment);
        return (lease != null ? lease : open(segment, 0)).isAnyFree((int) (offsetBytes - segment), size);
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
        tree.flush(mirrorTid, write);
    }

    /**
     * The file system has become larger; within a commit. What is new is free, also the rest of the GiB that it ended in (format section
     * 15.4, which tells how the reference does it).
     *
     * @return bytes that there are more to allocate from
     */
    public long grow(long newSizeBytes) {
        long oldSizeBytes = sizeBytes;
        long lastGib = oldSizeBytes & -Limits.GIB;
        if (lastGib < oldSizeBytes) {
            FreemapTree.Leaf leaf = tree.leaf(lastGib);
            for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
                long end = lastGib + (segment + 1L) * Limits.FREEMAP_SEGMENT_BYTES;
                if (end > oldSizeBytes && end <= newSizeBytes) {
                    leaf.map().setFree(segment);
                }
            }
            leaf.changed();
            hints.room(lastGib);
            wholeBlocks.changed(lastGib / Limits.GIB);
        }
        sizeBytes = newSizeBytes;
        tree.grow(newSizeBytes);
        long added = managedBytes(newSizeBytes, firstManagedBytes) - managedBytes(oldSizeBytes, firstManagedBytes);
        freeBytes += added;
        return added;
    }

    /**
     * From now on what is allocated is noted, as in use whatever {@link #merge} is told. The walk whose result is merged must be of
     * a commit that begins after this.
     */
    void beginScan() {
        if (!leases.isEmpty()) {
            throw new IllegalStateException("a scan begins while segments are lent: " + leases.keySet());
        }
        allocatedSinceScan = new GranuleMap(0, roundUp(sizeBytes, Limits.GIB));
    }

    void endScan() {
        allocatedSinceScan = null;
    }

    /** Key of the first GiB at or after {@code from} that has a leaf; null when there is none. */
    Long leafFrom(long from) {
        return tree.keyFrom(from);
    }

    /**
     * Applies the result of a walk to a GiB (section 14), between commits.
     *
     * @param gib its logical offset
     * @param referenced what the walk met
     * @param mayFree whether what an earlier pass staged may be given out again
     */
    MergeCounts merge(long gib, GranuleMap referenced, boolean mayFree) {
        if (allocatedSinceScan == null || !leases.isEmpty()) {
            throw new IllegalStateException("a merge without a scan, or while segments are lent");
        }
        FreemapTree.Leaf leaf = tree.leaf(gib);
        GranuleMap freedNow = new GranuleMap(gib, gib + Limits.GIB);
        LeafMerge merge = new LeafMerge(leaf, referenced, allocatedSinceScan, mayFree, freedNow);
        for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            if (tree.isManaged(gib + (long) segment * Limits.FREEMAP_SEGMENT_BYTES)) {
                merge.segment(segment);
            }
        }
        MergeCounts counts = merge.counts();
        wholeBlocks.changed(gib / Limits.GIB);
        freeBytes += (counts.freed() - counts.wereFree()) * Limits.FREEMAP_GRANULE_BYTES;
        if (counts.freed() > 0) {
            hints.room(gib);
            onFreed.accept((offset, radix) -> freedNow.hasAny(offset, 1 << radix));
        }
        return counts;
    }

    private SegmentLease search(int allocationClass, long near, int radix, boolean relaxed) {
        int hinted = relaxed ? 0 : allocationClass;
        long count = gibCount();
        long start = Math.floorMod(near, sizeBytes) / Limits.GIB;
        for (long gib = hints.next(hinted, radix, start); gib < count; gib = hints.next(hinted, radix, gib + 1)) {
            SegmentLease lease = searchGib(allocationClass, gib, radix, relaxed);
            if (lease != null) {
                return lease;
            }
        }
        for (long gib = hints.next(hinted, radix, 0); gib < start; gib = hints.next(hinted, radix, gib + 1)) {
            SegmentLease lease = searchGib(allocationClass, gib, radix, relaxed);
            if (lease != null) {
                return lease;
            }
        }
        return null;
    }

    private SegmentLease searchGib(int allocationClass, long gib, int radix, boolean relaxed) {
        FreemapLeaf map = mapToAllocateFrom(gib);
        for (int segment = 0; map != null && segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            long offset = gib * Limits.GIB + (long) segment * Limits.FREEMAP_SEGMENT_BYTES;
            int found = map.allocationClass(segment);
            boolean suits = relaxed || found == 0 || found == allocationClass;
            boolean anyRoom =
                    map.availBytes(segment) > 0 || (map.linear(segment) & (Limits.FREEMAP_GRANULE_BYTES - 1)) != 0;
            if (suits && anyRoom && tree.isManaged(offset) && !leases.containsKey(offset)) {
                SegmentLease lease = open(offset, allocationClass);
                if (lease.hasRoom(radix)) {
                    leases.put(offset, lease);
                    return lease;
                }
            }
        }
        hints.noRoom(relaxed ? 0 : allocationClass, radix, gib);
        return null;
    }

    /** Null where the map is damaged: nothing is written there then, and the rest of the volume can still be used. */
    private FreemapLeaf mapToAllocateFrom(long gib) {
        try {
            return tree.leaf(gib * Limits.GIB).map();
        } catch (CorruptBlockException | DeviceErrorException e) {
            hints.unusable(gib);
            log.accept("nothing is written to GiB " + gib + ", its space map cannot be read: " + e.getMessage());
            return null;
        }
    }

    private SegmentLease open(long offset, int allocationClass) {
        FreemapTree.Leaf leaf = tree.leaf(Key.base(offset, Limits.FREEMAP_LEAF_KEYBITS));
        int segment = (int) ((offset - leaf.key()) / Limits.FREEMAP_SEGMENT_BYTES);
        return new SegmentLease(offset, allocationClass, leaf.map().segmentAlone(segment));
    }

    private void fold(SegmentLease lease) {
        if (!lease.hasTaken()) {
            return;
        }
        if (allocatedSinceScan != null) {
            allocatedSinceScan.addSegment(lease.offsetBytes(), lease.taken());
        }
        freeBytes -= (long) lease.settle() * Limits.FREEMAP_GRANULE_BYTES;
        FreemapTree.Leaf leaf = tree.leaf(Key.base(lease.offsetBytes(), Limits.FREEMAP_LEAF_KEYBITS));
        int segment = (int) ((lease.offsetBytes() - leaf.key()) / Limits.FREEMAP_SEGMENT_BYTES);
        MemorySegment entry = leaf.map().segmentAlone(segment).bytes();
        if (entry.mismatch(lease.map().bytes()) >= 0) {
            entry.copyFrom(lease.map().bytes());
            leaf.changed();
            wholeBlocks.changed(leaf.key() / Limits.GIB);
        }
    }

    /** What can be allocated from in a volume of {@code size} bytes, of which everything below {@code first} is reserved. */
    static long managedBytes(long size, long first) {
        long reserves =
                (roundUp(size, Limits.GIB) - roundUp(first, Limits.GIB)) / Limits.GIB * Limits.RESERVED_SEGMENT_BYTES;
        return size - first - reserves;
    }

    private static long segmentOf(long offset) {
        return offset & -Limits.FREEMAP_SEGMENT_BYTES;
    }

    private static long roundUp(long value, long unit) {
        return (value + unit - 1) / unit * unit;
    }
}
