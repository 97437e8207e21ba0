package io.hammer2.fs.freemap;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.flush.BlockWriter;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.BlockWrites;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.Map;

/** Finds places for the blocks of commits, on the volume cpu: in a lease for each kind of block, as the format groups them. */
public final class BlockPlacer implements BlockWriter {
    private final Freemap freemap;
    private final BlockWrites writes;
    private final BlockIo io;
    private final Map<BlockType, SegmentLease> leases = new EnumMap<>(BlockType.class);

    /** Where to look for the next lease of a kind: where the last one was. */
    private final Map<BlockType, Long> near = new EnumMap<>(BlockType.class);

    /** @param io of the volume cpu, which keeps the tables that are written */
    public BlockPlacer(Freemap freemap, BlockWrites writes, BlockIo io) {
        this.freemap = freemap;
        this.writes = writes;
        this.io = io;
    }

    /** @throws VolumeFullException when there is no place */
    @Override
    public BlockRef write(BlockRef before, BlockRef.Builder ref, MemorySegment stored) {
        BlockRef placed = place(before.type(), ref, stored);
        writes.writeCopy(placed.offsetBytes(), stored);
        return placed;
    }

    @Override
    public BlockRef writeTable(BlockRef before, BlockRef.Builder ref, BlockTable table) {
        BlockRef placed = write(before, ref, table.segment());
        io.put(placed, table);
        return placed;
    }

    /**
     * A place for a block of file data.
     *
     * @param key of the block
     * @return {@code data_off}
     * @throws VolumeFullException when there is none
     */
    public long allocateData(int radix, long key) {
        return allocate(BlockType.DATA, radix, key);
    }

    /**
     * Writes a block of file data that has a place.
     *
     * @param stored off-heap, a power of two of bytes; not changed until {@code done} says so, on the volume cpu
     */
    public void writeData(BlockRef ref, MemorySegment stored, Runnable done) {
        if (BlockWrites.isGathered(stored.byteSize())) {
            writes.writeCopy(ref.offsetBytes(), stored);
            done.run();
        } else {
            writes.write(ref.offsetBytes(), stored, done);
        }
    }

    /** Gives all leases back: the freemap then has all that was allocated. */
    public void giveBackLeases() {
        leases.values().forEach(freemap::giveBack);
        leases.clear();
    }

    private BlockRef place(BlockType type, BlockRef.Builder ref, MemorySegment stored) {
        int radix = Long.numberOfTrailingZeros(stored.byteSize());
        ref.check().fill((byte) 0);
        CheckCode.of(ref.checkMethod()).store(stored, ref.check());
        return ref.dataOff(allocate(type, radix, 0)).build();
    }

    private long allocate(BlockType type, int radix, long key) {
        SegmentLease lease = leases.get(type);
        if (lease != null) {
            long dataOff = lease.allocate(radix, key);
            if (dataOff != SegmentLease.NONE) {
                return dataOff;
            }
            freemap.giveBack(lease);
            leases.remove(type);
        }
        SegmentLease next =
                freemap.lease(SegmentLease.classOf(type), near.getOrDefault(type, freemap.nearBytes()), radix);
        if (next == null) {
            return allocateAnywhere(radix, key);
        }
        leases.put(type, next);
        near.put(type, next.offsetBytes());
        return next.allocate(radix, key);
    }

    /** The volume is all but full: what is left is in segments that were lent for other kinds. */
    private long allocateAnywhere(int radix, long key) {
        for (SegmentLease lease : leases.values()) {
            long dataOff = lease.allocate(radix, key);
            if (dataOff != SegmentLease.NONE) {
                return dataOff;
            }
        }
        throw new VolumeFullException();
    }
}
