package io.hammer2.fs.freemap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.PfsInfo;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.freemap.SpaceReport.PfsSpace;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.InteropImages.Expectation;
import io.hammer2.fs.testing.InteropImages.Image;
import io.hammer2.fs.volume.Volume;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whose the space is, against sets of granules that were collected for each PFS alone. */
class SpaceCensusTest {
    private static final long MEMORY = 64L << 20;

    /** So little that there are as many parts as GiBs. */
    private static final long MEMORY_MIN = 300 << 10;

    static Stream<Image> images() {
        return InteropImages.all().stream().filter(image -> image.expectation() == Expectation.MOUNT);
    }

    @ParameterizedTest
    @MethodSource("images")
    void each_granule_is_whose_a_walk_of_each_pfs_alone_says(Image image) throws Exception {
        SpaceReport report = report(image.special(), MEMORY);
        assertEquals(
                report.sizeBytes(),
                report.usedBytes() + report.waitingBytes() + report.freeBytes() + report.reservedBytes());
        Map<Long, Long> expected = onlyBytes(image.special());
        for (PfsSpace pfs : report.pfss()) {
            assertEquals(expected.remove(pfs.nameKey()), pfs.onlyBytes(), pfs.label());
        }
        assertEquals(expected.remove(null), report.sharedBytes(), "shared");
        assertEquals(Map.of(), expected);
        assertEquals(free(image.special()), report.freeBytes() + report.unmappedBytes());
        assertEquals(report, report(image.special(), MEMORY_MIN));
    }

    @Test
    void too_little_memory_is_an_error_and_not_a_wrong_answer() {
        Image large = InteropImages.get("v08-bigdir");
        String message = assertThrows(Hammer2Exception.class, () -> report(large.special(), 1))
                .getMessage();
        assertTrue(message.contains("needs more"), message);
    }

    @Test
    void damage_is_told_with_its_pfs() throws Exception {
        SpaceReport report = report(InteropImages.get("x06-indirect").special(), MEMORY);
        assertTrue(report.damageCount() > 0);
        assertTrue(
                report.damage().getFirst().startsWith("PFS DATA: "),
                report.damage().toString());
    }

    private static SpaceReport report(String special, long memoryBytes) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        BlockDevices.openAll(special, OpenMode.INSPECT),
                        MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
            int[] last = {0};
            SpaceReport report = volume.spaceReport(memoryBytes, percent -> {
                assertTrue(percent >= 0 && percent < 100, percent + "%");
                last[0] = percent;
            });
            List<Long> keys = volume.pfsList().stream().map(PfsInfo::nameKey).toList();
            assertEquals(keys, report.pfss().stream().map(PfsSpace::nameKey).toList());
            return report;
        }
    }

    private interface Body<T> {
        T run(BlockIo io, Volume volume) throws Exception;
    }

    private static <T> T looking(String special, Body<T> body) throws Exception {
        Volume volume = Volume.open(BlockDevices.openAll(special, OpenMode.INSPECT));
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            return lwkt.run(0, () -> {
                try (BlockIo io =
                        new BlockIo(lwkt.cpu(0), volume.devices(), volume.sizeBytes(), new PendingWrites(), 1 << 20)) {
                    return body.run(io, volume);
                }
            });
        } finally {
            volume.close();
        }
    }

    /** By key of the PFS; what several hold at null. */
    private static Map<Long, Long> onlyBytes(String special) throws Exception {
        return looking(special, (io, volume) -> {
            Map<Long, BitSet> held = new HashMap<>();
            BlockTable header = volume.header().superRootBlockSet().copyValidated(io.totalBytes());
            BitSet above = new BitSet();
            // Whose each reference is: that of the PFS root met last, each with a memory of its own.
            Map<Long, BlockTable> roots = new HashMap<>();
            new BlockWalk(io, new Collector(above, roots), MEMORY).below(header, 0);
            for (Map.Entry<Long, BlockTable> root : roots.entrySet()) {
                BitSet own = new BitSet();
                held.put(root.getKey(), own);
                new BlockWalk(io, new Collector(own, null), MEMORY).below(root.getValue(), 1);
            }
            held.put(0L, above);
            Map<Long, Long> only = new HashMap<>();
            BitSet shared = new BitSet();
            held.forEach((key, set) -> {
                BitSet rest = (BitSet) set.clone();
                held.forEach((other, others) -> {
                    if (!other.equals(key)) {
                        rest.andNot(others);
                        BitSet both = (BitSet) set.clone();
                        both.and(others);
                        shared.or(both);
                    }
                });
                if (key != 0) {
                    only.put(key, managed(rest, volume));
                }
            });
            only.put(null, managed(shared, volume));
            return only;
        });
    }

    private static long managed(BitSet granules, Volume volume) {
        long first = (volume.header().allocatorBeg() + (4 << 20) - 1) & -(4L << 20);
        return Limits.FREEMAP_GRANULE_BYTES
                * granules.stream()
                        .filter(granule -> (long) granule * Limits.FREEMAP_GRANULE_BYTES >= first)
                        .count();
    }

    /** The granules of what a walk meets; of PFS roots, if asked to, only where they are. */
    private record Collector(BitSet granules, Map<Long, BlockTable> roots) implements BlockWalk.Visitor {
        @Override
        public boolean visit(BlockTable table, int slot) {
            boolean isPfs = roots != null
                    && table.type(slot) == BlockType.INODE
                    && table.ref(slot).isPfsRoot();
            if (isPfs) {
                MemorySegment alone = MemorySegment.ofArray(new byte[Limits.BLOCK_REF_BYTES]);
                BlockTable.of(alone).set(0, table.ref(slot));
                roots.put(table.ref(slot).key(), BlockTable.of(alone).copyValidated(Long.MAX_VALUE));
                return false;
            }
            if (table.radix(slot) != 0) {
                long first = table.offsetBytes(slot) / Limits.FREEMAP_GRANULE_BYTES;
                long last = (table.offsetBytes(slot) + (1L << table.radix(slot)) - 1) / Limits.FREEMAP_GRANULE_BYTES;
                granules.set((int) first, (int) last + 1);
            }
            return true;
        }

        @Override
        public void unreadable(CorruptBlockException damage) {
            throw damage;
        }

        @Override
        public void unreadable(DeviceErrorException failure) {
            throw failure;
        }
    }

    private static long free(String special) throws Exception {
        return looking(special, (io, volume) -> {
            long size = volume.sizeBytes();
            long first = (volume.header().allocatorBeg() + (4 << 20) - 1) & -(4L << 20);
            FreemapTree tree = new FreemapTree(
                    new Topology(io), volume.header().freemapBlockSet().copyValidated(size), size, first);
            long granules = 0;
            for (long gib = 0; gib < size; gib += Limits.GIB) {
                for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
                    if (tree.isManaged(gib + (long) segment * Limits.FREEMAP_SEGMENT_BYTES)) {
                        for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                            granules += tree.leaf(gib).map().granule(segment, granule) == Granule.FREE ? 1 : 0;
                        }
                    }
                }
            }
            return granules * Limits.FREEMAP_GRANULE_BYTES;
        });
    }
}
