package io.hammer2.fs.freemap;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.freemap.SpaceReport.PfsSpace;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.lwkt.LwktThread;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.function.IntConsumer;

/**
 * Finds out whose the space of a committed volume is, on one cpu, reading all block tables and no file data.
 *
 * <p>The first PFS that leads to a granule owns it, a second makes it shared. A table that several PFSs lead to is walked twice,
 * whatever their number: for the first of them, and when the second comes, since all that is below is shared then.
 *
 * <p>Takes the memory that it was given. A volume for which that is too little is walked in parts, each of which marks what lies in one
 * range of the volume.
 */
public final class SpaceCensus {
    private static final short NOBODY = 0;
    private static final short SHARED = 1;

    /** The list of PFSs: above their roots. */
    private static final short VOLUME = 2;

    private static final short FIRST_PFS = 3;

    private static final int GRANULE_RADIX = 14;
    private static final int GRANULES_PER_GIB = (int) (Limits.GIB >>> GRANULE_RADIX);
    private static final long BYTES_PER_GIB = 2L * GRANULES_PER_GIB;
    private static final int REFERENCES_PER_TURN = 512;
    private static final int DAMAGE_LINES_MAX = 100;

    private final BlockIo io;
    private final VolumeHeader header;
    private final long memoryBytes;
    private final IntConsumer progress;
    private final Map<Long, Short> pfsByKey = new HashMap<>();
    private final List<Pfs> pfss = new ArrayList<>();
    private final List<String> damage = new ArrayList<>();
    private long damageCount;

    private OwnedPlaces tables;

    /** By the number of a GiB, the owner of each of its granules; of the range that is walked now. */
    private NavigableMap<Long, short[]> granules = new TreeMap<>();

    private long from;
    private long to;
    private long markedInAll;
    private int referencesInTurn;

    private long sharedGranules;
    private long volumeGranules;
    private long waitingGranules;
    private long unmappedGranules;

    /** A PFS and how much only it holds. */
    private static final class Pfs {
        private final BlockRef ref;
        private String label;
        private boolean isSnapshot;
        private long granules;

        private Pfs(BlockRef ref) {
            this.ref = ref;
        }
    }

    /**
     * @param io with a small cache of its own
     * @param header committed, and valid as long as this takes
     * @param memoryBytes half of it for the granules: 1 MiB for 8 GiB in use
     * @param progress hears now and then how much is done, in percent
     */
    public SpaceCensus(BlockIo io, VolumeHeader header, long memoryBytes, IntConsumer progress) {
        this.io = io;
        this.header = header;
        this.memoryBytes = memoryBytes;
        this.progress = progress;
    }

    /**
     * Looks at everything. The thread blocks where something must be read, and gives the cpu up now and then.
     *
     * @throws OutOfMemoryBudgetException when the memory is too little for so many tables
     * @throws CorruptBlockException when a part of the space map cannot be read
     */
    public SpaceReport run() {
        long size = header.fileSystemBytes();
        long partBytes = Math.max(1, memoryBytes / 2 / BYTES_PER_GIB) * Limits.GIB;
        FreemapTree map =
                new FreemapTree(new Topology(io), header.freemapBlockSet().copyValidated(size), size, firstManaged());
        BlockTable root = header.superRootBlockSet().copyValidated(size);
        for (from = 0; from < size; from = to) {
            // Sizes are multiples of 8 MiB: the last GiB may be short, and no sum overflows.
            to = from + Math.min(partBytes, size - from);
            granules = new TreeMap<>();
            tables = new OwnedPlaces(memoryBytes / 2);
            boolean isFirst = from == 0;
            long damageBefore = damageCount;
            below(root, VOLUME, 0, 0);
            if (!isFirst) {
                // The same damage as in the first part.
                damageCount = damageBefore;
            }
            compare(map);
        }
        return report(size);
    }

    private long firstManaged() {
        return (header.allocatorBeg() + Limits.FREEMAP_SEGMENT_BYTES - 1) & -Limits.FREEMAP_SEGMENT_BYTES;
    }

    private void below(BlockTable table, short owner, int inodeLevel, int depth) {
        for (int slot = 0; slot < table.entryCount(); slot++) {
            if (++referencesInTurn == REFERENCES_PER_TURN) {
                referencesInTurn = 0;
                progress();
                LwktThread.yieldNow();
            }
            switch (table.type(slot)) {
                case INODE -> inode(table, slot, owner, inodeLevel);
                case INDIRECT -> {
                    mark(table, slot, owner);
                    indirect(table, slot, owner, inodeLevel, depth);
                }
                default -> mark(table, slot, owner);
            }
        }
    }

    private void inode(BlockTable table, int slot, short owner, int inodeLevel) {
        boolean isPfs = inodeLevel == 1;
        short below = isPfs ? ownerOf(table.ref(slot)) : owner;
        mark(table, slot, below);
        if (inodeLevel == BlockWalk.BELOW_INODE) {
            damaged(below, "inode below an inode that is no root: " + table.ref(slot));
            return;
        }
        BlockTable blocks = null;
        try {
            CachedBlock block = io.load(table, slot);
            try {
                InodeBlock inode = (InodeBlock) block.block();
                if (isPfs) {
                    Pfs pfs = pfss.get(below - FIRST_PFS);
                    pfs.label = NameText.of(inode.name());
                    pfs.isSnapshot = inode.pfsSubtype() != 0;
                }
                blocks = inode.isDirectData() ? null : inode.blockSet().copyValidated(io.totalBytes());
            } finally {
                io.release(block);
            }
        } catch (CorruptBlockException e) {
            damaged(below, e.at(table.ref(slot)).getMessage());
        } catch (DeviceErrorException e) {
            damaged(below, e.getMessage());
        }
        if (blocks != null) {
            below(blocks, below, inodeLevel + 1, 0);
        }
    }

    private void indirect(BlockTable table, int slot, short owner, int inodeLevel, int depth) {
        long place = table.dataOff(slot);
        short before = tables.put(place, owner);
        if (before == owner || before == SHARED) {
            tables.put(place, before);
            return;
        }
        short below = before == NOBODY ? owner : SHARED;
        tables.put(place, below);
        if (depth == Limits.TREE_DEPTH_MAX) {
            damaged(owner, "more than " + Limits.TREE_DEPTH_MAX + " levels of indirect blocks: " + table.ref(slot));
            return;
        }
        BlockTable blocks = null;
        try {
            CachedBlock block = io.load(table, slot);
            try {
                blocks = block.table().copy();
            } finally {
                io.release(block);
            }
        } catch (CorruptBlockException e) {
            damaged(owner, e.at(table.ref(slot)).getMessage());
        } catch (DeviceErrorException e) {
            damaged(owner, e.getMessage());
        }
        if (blocks != null) {
            below(blocks, below, inodeLevel, depth + 1);
        }
    }

    private short ownerOf(BlockRef root) {
        return pfsByKey.computeIfAbsent(root.key(), key -> {
            if (pfss.size() > Short.MAX_VALUE - FIRST_PFS - 1) {
                throw new OutOfMemoryBudgetException("more than " + pfss.size() + " PFSs");
            }
            pfss.add(new Pfs(root));
            return (short) (FIRST_PFS + pfss.size() - 1);
        });
    }

    private void mark(BlockTable table, int slot, short owner) {
        int radix = table.radix(slot);
        long offset = table.offsetBytes(slot);
        if (radix == 0 || offset < from || offset >= to) {
            return;
        }
        short[] owners = granules.computeIfAbsent(offset / Limits.GIB, gib -> new short[GRANULES_PER_GIB]);
        // No block crosses a GiB.
        int first = (int) ((offset & (Limits.GIB - 1)) >>> GRANULE_RADIX);
        int last = (int) (((offset + (1L << radix) - 1) & (Limits.GIB - 1)) >>> GRANULE_RADIX);
        for (int granule = first; granule <= last; granule++) {
            markedInAll += owners[granule] == NOBODY ? 1 : 0;
            owners[granule] = owners[granule] == NOBODY || owners[granule] == owner ? owner : SHARED;
        }
    }

    private void progress() {
        long used = (header.allocatorSize() - header.allocatorFree()) >>> GRANULE_RADIX;
        // What waits for bulkfree counts as used and is never met, so it is an estimate.
        progress.accept(Math.clamp(used <= 0 ? 0 : markedInAll * 100 / used, 0, 99));
    }

    /** Counts what was met against the space map. */
    private void compare(FreemapTree map) {
        for (Long gib = nextGib(map, from); gib != null; gib = nextGib(map, gib + Limits.GIB)) {
            FreemapLeaf leaf = map.leaf(gib).map();
            short[] owners = granules.get(gib / Limits.GIB);
            for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
                if (map.isManaged(gib + (long) segment * Limits.FREEMAP_SEGMENT_BYTES)) {
                    compare(leaf, segment, owners);
                }
            }
        }
    }

    private Long nextGib(FreemapTree map, long at) {
        if (at >= to) {
            return null;
        }
        Long used = granules.ceilingKey(at / Limits.GIB);
        Long mapped = map.keyFrom(at);
        long next =
                Math.min(used == null ? Long.MAX_VALUE : used * Limits.GIB, mapped == null ? Long.MAX_VALUE : mapped);
        return next >= to ? null : (Long) next;
    }

    private void compare(FreemapLeaf leaf, int segment, short[] owners) {
        for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
            short owner = owners == null ? NOBODY : owners[segment * FreemapLeaf.GRANULE_COUNT + granule];
            boolean isFree = leaf.granule(segment, granule) == Granule.FREE;
            unmappedGranules += isFree && owner != NOBODY ? 1 : 0;
            switch (owner) {
                case NOBODY -> waitingGranules += isFree ? 0 : 1;
                case SHARED -> sharedGranules++;
                case VOLUME -> volumeGranules++;
                default -> pfss.get(owner - FIRST_PFS).granules++;
            }
        }
    }

    private SpaceReport report(long size) {
        List<PfsSpace> spaces = new ArrayList<>();
        long used = sharedGranules + volumeGranules + waitingGranules;
        for (Pfs pfs : pfss) {
            String label = pfs.label == null ? "(damaged)" : pfs.label;
            spaces.add(new PfsSpace(pfs.ref.key(), label, pfs.isSnapshot, pfs.ref.dataCount(), bytes(pfs.granules)));
            used += pfs.granules;
        }
        long managed = Freemap.managedBytes(size, firstManaged());
        return new SpaceReport(
                size,
                size - managed,
                managed - bytes(used),
                bytes(waitingGranules),
                bytes(sharedGranules),
                bytes(volumeGranules),
                bytes(unmappedGranules),
                spaces,
                damageCount,
                damage);
    }

    private static long bytes(long granules) {
        return granules << GRANULE_RADIX;
    }

    private void damaged(short owner, String line) {
        damageCount++;
        if (damage.size() < DAMAGE_LINES_MAX && from == 0) {
            boolean isPfs = owner >= FIRST_PFS;
            String label = isPfs ? pfss.get(owner - FIRST_PFS).label : null;
            damage.add((isPfs ? "PFS " + (label == null ? "(damaged)" : label) : "volume") + ": " + line);
        }
    }
}
