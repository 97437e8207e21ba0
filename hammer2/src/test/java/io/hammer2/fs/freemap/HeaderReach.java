package io.hammer2.fs.freemap;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** What the copies of a volume's header lead to, against the newest freemap. */
public final class HeaderReach {
    private HeaderReach() {}

    /** Valid copies of the header, in their order on the device. */
    public static List<VolumeHeader> headers(BlockDevice device) throws IOException {
        List<VolumeHeader> headers = new ArrayList<>();
        for (int copy = 0; copy < Limits.VOLUME_HEADER_COPIES; copy++) {
            long offset = VolumeHeader.copyOffset(copy);
            if (offset + Limits.VOLUME_HEADER_BYTES <= device.sizeBytes()) {
                MemorySegment bytes = Arena.ofAuto().allocate(Limits.VOLUME_HEADER_BYTES, 4096);
                device.readFully(offset, bytes);
                VolumeHeader header = new VolumeHeader(bytes);
                if (header.defect() == null) {
                    headers.add(header);
                }
            }
        }
        return headers;
    }

    /** Granules that are free in the newest freemap although a header leads to them, each with the transaction of that header. */
    public static List<String> freeButReached(Lwkt lwkt, BlockDevice device) throws Exception {
        return freeButReached(lwkt, device, false);
    }

    /** @param forgotten for a control: as if the newest commit had freed everything */
    public static List<String> freeButReached(Lwkt lwkt, BlockDevice device, boolean forgotten) throws Exception {
        List<VolumeHeader> headers = headers(device);
        VolumeHeader newest = headers.stream()
                .max((a, b) -> Long.compareUnsigned(a.mirrorTid(), b.mirrorTid()))
                .orElseThrow();
        return lwkt.run(0, () -> {
            List<String> wrong = new ArrayList<>();
            long size = newest.fileSystemBytes();
            try (BlockIo io = new BlockIo(Cpu.current(), device, size, new PendingWrites(), 4L << 20)) {
                BlockTable root = forgotten
                        ? BlockTable.empty(Limits.BLOCK_SET_COUNT)
                        : newest.freemapBlockSet().copyValidated(size);
                FreemapTree freemap = new FreemapTree(new Topology(io), root, size, firstManaged(newest));
                for (VolumeHeader header : headers) {
                    GranuleMap reached = reached(io, header);
                    for (Long gib = reached.gibFrom(0); gib != null; gib = reached.gibFrom(gib + Limits.GIB)) {
                        compare(freemap, gib, reached, header.mirrorTid(), wrong);
                    }
                }
            }
            return wrong;
        });
    }

    private static long firstManaged(VolumeHeader header) {
        return (header.allocatorBeg() + Limits.FREEMAP_SEGMENT_BYTES - 1) & -Limits.FREEMAP_SEGMENT_BYTES;
    }

    private static GranuleMap reached(BlockIo io, VolumeHeader header) {
        GranuleMap reached = new GranuleMap(0, (header.fileSystemBytes() + Limits.GIB - 1) & -Limits.GIB);
        InUse inUse = new InUse(reached, () -> {}, (pfsRoot, inum, damage) -> {
            throw new AssertionError("header " + header.mirrorTid() + ": " + damage);
        });
        BlockTable root = header.superRootBlockSet().copyValidated(io.totalBytes());
        try {
            new BlockWalk(io, inUse, 16L << 20).below(root, 0);
        } catch (CorruptBlockException e) {
            throw new AssertionError("header " + header.mirrorTid(), e);
        }
        return reached;
    }

    private static void compare(FreemapTree freemap, long gib, GranuleMap reached, long tid, List<String> wrong) {
        FreemapLeaf map = freemap.leaf(gib).map();
        for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
            long offset = gib + (long) segment * Limits.FREEMAP_SEGMENT_BYTES;
            for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                boolean isReached = (reached.segmentWord(offset, granule / Long.SIZE) >>> granule & 1) != 0;
                if (isReached && map.granule(segment, granule) == Granule.FREE) {
                    wrong.add("transaction %d leads to %x, which is free"
                            .formatted(tid, offset + (long) granule * Limits.FREEMAP_GRANULE_BYTES));
                }
            }
        }
    }
}
