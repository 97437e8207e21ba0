package io.hammer2.fs.volume;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Fault;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.freemap.Freemap;
import io.hammer2.fs.freemap.SegmentLease;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.TreeWriter;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class RecoveryTest {
    private static final long OLD = 20;
    private static final long NEW = 30;
    private static final int DATA = SegmentLease.classOf(BlockType.DATA);

    @FunctionalInterface
    private interface Body {
        void run(Topology topology) throws Exception;
    }

    private static void onCpu(BlockDevice device, long sizeBytes, Body body) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            lwkt.run(0, () -> {
                BlockIo io = new BlockIo(lwkt.cpu(0), device, sizeBytes, new PendingWrites(), 16 * 65536);
                body.run(new Topology(io));
                io.close();
                return null;
            });
        }
    }

    private static List<String> problems(BlockDevice device) throws IOException {
        List<String> problems = new ArrayList<>();
        Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.code().word());
            }
        });
        return problems;
    }

    @Test
    void the_first_commit_on_a_volume_with_an_old_freemap_makes_it_good() throws Exception {
        var image = InteropImages.find("v21-freemap-lag");
        Assumptions.assumeTrue(image.isPresent());
        try (BlockDevice original = BlockDevices.open(image.get().volumes().getFirst(), OpenMode.INSPECT);
                MemoryBlockDevice device = MemoryBlockDevice.over(original)) {
            assertTrue(problems(device).contains("freemap-lag"));
            HeaderChoice choice = HeaderChoice.of(device);
            VolumeHeader header = choice.header();
            List<String> log = new ArrayList<>();
            onCpu(device, header.fileSystemBytes(), topology -> {
                Freemap freemap = Freemap.of(topology, header, line -> {});
                Recovery.run(topology.io(), header, freemap, log::add);
                long tid = header.mirrorTid() + 1;
                freemap.flush(tid, (offset, bytes) -> {
                    try {
                        device.writeFully(offset, bytes);
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                });
                BlockRef superRoot = header.superRootBlockSet().ref(0);
                new Headers(device, choice)
                        .commit(new Headers.Contents(tid, superRoot, freemap.rootTable(), freemap.freeBytes()));
            });
            assertEquals(List.of(), problems(device));
            assertEquals(1, log.size(), log.toString());
            assertFalse(Recovery.isNeeded(HeaderChoice.of(device).header()));
        }
    }

    /** A volume with an empty freemap of transaction {@link #OLD}, and above it these references. */
    private static VolumeHeader header(BlockRef... refs) {
        VolumeHeader header = new VolumeHeader(MemorySegment.ofArray(new byte[Limits.VOLUME_HEADER_BYTES]));
        header.clear();
        header.setVersion(1);
        header.setVoluSize(TreeWriter.DEVICE_BYTES);
        header.setAllocator(TreeWriter.DEVICE_BYTES, TreeWriter.DEVICE_BYTES, 16L << 20);
        header.setTids(NEW, OLD);
        for (int slot = 0; slot < refs.length; slot++) {
            header.superRootBlockSet().set(slot, refs[slot]);
        }
        return header;
    }

    private static BlockRef data(long key, long offset, int radix, long mirrorTid) {
        return BlockRef.builder(BlockType.DATA)
                .key(key, 16)
                .tids(mirrorTid, 0)
                .dataOff(offset | radix)
                .build();
    }

    private static BlockRef indirect(TreeWriter writer, long key, long mirrorTid, BlockRef... below)
            throws IOException {
        MemorySegment bytes = MemorySegment.ofArray(new byte[4096]);
        for (int slot = 0; slot < below.length; slot++) {
            BlockTable.of(bytes).set(slot, below[slot]);
        }
        return writer.write(BlockRef.builder(BlockType.INDIRECT).key(key, 30).tids(mirrorTid, 0), bytes);
    }

    /** All that can be allocated, in KiB of the volume. */
    private static BitSet fill(Freemap freemap) {
        BitSet taken = new BitSet();
        for (int radix : new int[] {16, 14, 10}) {
            SegmentLease lease = freemap.lease(DATA, 0, radix);
            while (lease != null) {
                for (long found = lease.allocate(radix, 0); found != SegmentLease.NONE; ) {
                    int first = (int) ((found & ~63L) / 1024);
                    taken.set(first, first + (1 << radix) / 1024);
                    found = lease.allocate(radix, 0);
                }
                freemap.giveBack(lease);
                lease = freemap.lease(DATA, 0, radix);
            }
        }
        return taken;
    }

    @Test
    void nothing_that_is_newer_than_the_freemap_is_given_out() throws Exception {
        Random random = new Random(1);
        TreeWriter writer = new TreeWriter(random);
        BitSet inUse = new BitSet();
        List<BlockRef> tables = new ArrayList<>();
        for (int table = 0; table < 3; table++) {
            BlockRef[] refs = new BlockRef[32];
            for (int i = 0; i < refs.length; i++) {
                // Every granule of the 512 KiB that one word of the map is for, sizes from 1 to 64 KiB.
                int radix = 10 + random.nextInt(7);
                long offset =
                        (512L << 20) + table * (3L << 20) + i * 65536L + (random.nextInt(1 << (16 - radix)) << radix);
                refs[i] = data(table * Limits.GIB + i * 65536L, offset, radix, NEW);
                inUse.set((int) (offset / 1024), (int) ((offset + (1 << radix)) / 1024));
            }
            BlockRef written = indirect(writer, table * Limits.GIB, NEW, refs);
            inUse.set((int) (written.offsetBytes() / 1024), (int)
                    ((written.offsetBytes() + written.storedBytes()) / 1024));
            tables.add(written);
        }
        onCpu(writer.device(), TreeWriter.DEVICE_BYTES, topology -> {
            VolumeHeader header = header(tables.toArray(BlockRef[]::new));
            Freemap freemap = Freemap.of(topology, header, line -> {});
            long before = freemap.freeBytes();
            Recovery.run(topology.io(), header, freemap, line -> {});
            long granules = inUse.stream().map(kib -> kib / 16).distinct().count();
            assertEquals(before - granules * Limits.FREEMAP_GRANULE_BYTES, freemap.freeBytes());
            BitSet taken = fill(freemap);
            assertFalse(taken.intersects(inUse));
            assertTrue(taken.cardinality() > 900 * 1024, "of the rest nothing is kept back");
        });
    }

    @Test
    void what_is_not_newer_is_not_looked_at() throws Exception {
        TreeWriter writer = new TreeWriter(new Random(2));
        BlockRef old = BlockRef.builder(BlockType.INDIRECT)
                .methods(CheckCode.XXHASH64.code(), 0)
                .key(0, 23)
                .tids(OLD, 0)
                .dataOff(700L << 20 | 14)
                .build();
        BlockRef table = indirect(writer, 0, NEW, old, data(8L << 20, 600L << 20, 16, NEW));
        onCpu(writer.device(), TreeWriter.DEVICE_BYTES, topology -> {
            VolumeHeader header = header(table);
            Freemap freemap = Freemap.of(topology, header, line -> {});
            List<String> log = new ArrayList<>();
            Recovery.run(topology.io(), header, freemap, log::add);
            assertEquals(1, log.size(), log.toString());
            assertTrue(log.getFirst().contains("2 newer blocks, 2 of them"), log.toString());
        });
    }

    @Test
    void a_table_that_refers_to_itself_ends_it() throws Exception {
        TreeWriter writer = new TreeWriter(new Random(3));
        long offset = writer.nextOffset(12);
        BlockRef[] selves = new BlockRef[32];
        for (int i = 0; i < selves.length; i++) {
            selves[i] = BlockRef.builder(BlockType.INDIRECT)
                    .methods(CheckCode.DISABLED.code(), 0)
                    .key((long) i << 20, 20)
                    .tids(NEW, 0)
                    .dataOff(offset | 12)
                    .build();
        }
        BlockRef table = indirect(writer, 0, NEW, selves);
        assertEquals(offset, table.offsetBytes());
        onCpu(writer.device(), TreeWriter.DEVICE_BYTES, topology -> {
            VolumeHeader header = header(table);
            Recovery.run(topology.io(), header, Freemap.of(topology, header, line -> {}), line -> {});
        });
    }

    @Test
    void damage_is_told_and_a_device_error_is_an_obstacle() throws Exception {
        TreeWriter writer = new TreeWriter(new Random(4));
        BlockRef table = indirect(writer, 0, NEW, data(0, 600L << 20, 16, NEW));
        FaultyBlockDevice device = new FaultyBlockDevice(writer.device(), 1, Faults.NONE);
        VolumeHeader header = header(table);
        device.alwaysAt(Fault.READ_ERROR, table.offsetBytes(), 1024);
        onCpu(device, TreeWriter.DEVICE_BYTES, topology -> {
            VolumeException refused = assertThrows(
                    VolumeException.class,
                    () -> Recovery.run(topology.io(), header, Freemap.of(topology, header, line -> {}), line -> {}));
            assertTrue(refused.getMessage().contains("space map"), refused.getMessage());
        });
        device.heal();
        device.writeFully(table.offsetBytes() + 4095, MemorySegment.ofArray(new byte[] {1}));
        onCpu(device, TreeWriter.DEVICE_BYTES, topology -> {
            List<String> log = new ArrayList<>();
            Recovery.run(topology.io(), header, Freemap.of(topology, header, line -> {}), log::add);
            assertTrue(log.getFirst().startsWith("damaged"), log.toString());
        });
    }
}
