package io.hammer2.fs.freemap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Allocates, commits and opens again, on volumes of any size; an independent checker looks at each commit. */
class FreemapTest {
    private static final List<BlockType> TYPES =
            List.of(BlockType.INODE, BlockType.INDIRECT, BlockType.DATA, BlockType.DIRENT);

    private final BitSet used = new BitSet();
    private final long[] next = new long[TYPES.size()];
    private final SegmentLease[] leases = new SegmentLease[TYPES.size()];
    private boolean full;

    /** From one leaf to a volume whose leaves need a node above them. */
    @ParameterizedTest
    @ValueSource(longs = {64L << 20, 1L << 30, (3L << 30) + (8L << 20), 40L << 30})
    void what_is_allocated_stays_allocated_over_commits_and_mounts(long sizeBytes) throws Exception {
        long seed = sizeBytes;
        Random random = new Random(seed);
        MemoryBlockDevice device = new MemoryBlockDevice(sizeBytes);
        Newfs.format(List.of(device), NewfsOptions.defaults(0, () -> new UUID(random.nextLong(), random.nextLong())));
        VolumeHeader header = new VolumeHeader(MemorySegment.ofArray(new byte[Limits.VOLUME_HEADER_BYTES]));
        device.readFully(0, header.bytes());
        for (int mount = 0; mount < 4; mount++) {
            try (Lwkt lwkt = Lwkt.stepped(1, seed + mount)) {
                lwkt.run(0, () -> {
                    BlockIo io = new BlockIo(lwkt.cpu(0), device, sizeBytes, new PendingWrites(), 16 * 65536);
                    mounted(device, header, new Topology(io), sizeBytes, random);
                    io.close();
                    return null;
                });
            }
        }
        assertEquals(sizeBytes == 64L << 20, full, "whether the volume was filled");
    }

    private void mounted(
            MemoryBlockDevice device, VolumeHeader header, Topology topology, long sizeBytes, Random random)
            throws IOException {
        Freemap freemap = Freemap.of(topology, header, line -> {});
        for (int commit = 0; commit < 3; commit++) {
            for (int i = 0; i < 400; i++) {
                allocate(freemap, sizeBytes, random);
            }
            long tid = header.mirrorTid() + 1;
            freemap.flush(tid, (offset, bytes) -> {
                try {
                    device.writeFully(offset, bytes);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            BlockTable table = header.freemapBlockSet();
            for (int slot = 0; slot < table.slotCount(); slot++) {
                table.clear(slot);
            }
            for (int slot = 0; slot < freemap.rootTable().entryCount(); slot++) {
                table.set(slot, freemap.rootTable().ref(slot));
            }
            header.setTids(tid, tid);
            header.setAllocator(header.allocatorSize(), freemap.freeBytes(), header.allocatorBeg());
            header.updateCrcs();
            device.writeFully(0, header.bytes());
            List<String> problems = new ArrayList<>();
            Fsck.check(List.of(device), FsckOptions.DEFAULT.withBestHeaderOnly(true), finding -> {
                if (finding.severity() == Finding.Severity.PROBLEM) {
                    problems.add(finding.text());
                }
            });
            assertEquals(List.of(), problems);
        }
        for (int i = 0; i < leases.length; i++) {
            if (leases[i] != null) {
                freemap.giveBack(leases[i]);
                leases[i] = null;
            }
        }
        // What the leases held is in the map, but not in a commit: the next mount may hand it out again, as after a
        // crash.
        freemap.flush(header.mirrorTid() + 1, (offset, bytes) -> {});
    }

    private void allocate(Freemap freemap, long sizeBytes, Random random) {
        int which = random.nextInt(TYPES.size());
        int radix = which == 2 ? 10 + random.nextInt(7) : which == 1 ? 12 + random.nextInt(3) : 10;
        for (int tries = 0; tries < 2; tries++) {
            if (leases[which] != null) {
                long place = leases[which].allocate(radix, 0);
                if (place != SegmentLease.NONE) {
                    use(place, sizeBytes);
                    return;
                }
                freemap.giveBack(leases[which]);
            }
            // Far apart, so that many leaves come into being.
            next[which] = random.nextInt(10) == 0 ? (random.nextLong() & Long.MAX_VALUE) % sizeBytes : next[which];
            leases[which] = freemap.lease(SegmentLease.classOf(TYPES.get(which)), next[which], radix);
            if (leases[which] == null) {
                full = true;
                return;
            }
            if (random.nextInt(8) == 0) {
                freemap.giveBack(leases[which]);
                leases[which] = freemap.lease(
                        SegmentLease.classOf(TYPES.get(which)), random.nextLong() & Long.MAX_VALUE, radix);
                assertNotNull(leases[which]);
            }
        }
    }

    private void use(long dataOff, long sizeBytes) {
        long offset = dataOff & ~63L;
        int size = 1 << (dataOff & 63);
        assertTrue(offset + size <= sizeBytes);
        assertTrue(offset % Limits.GIB >= Limits.RESERVED_SEGMENT_BYTES, "in a reserved segment");
        int first = (int) (offset / 1024);
        int found = used.nextSetBit(first);
        assertTrue(found < 0 || found >= first + size / 1024, "allocated twice: " + Long.toHexString(offset));
        used.set(first, first + size / 1024);
    }
}
