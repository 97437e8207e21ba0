package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.volume.HeaderChoice;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** File systems that grow with their device: over every boundary that matters, in use, checked after each step. */
class GrowthTest {
    private static final long MIB = 1 << 20;

    /** Within a GiB, to its end, behind it, over the places of header copies. */
    private static final long[] SIZES_MIB = {64, 72, 512, 1024, 1032, 1904, 2048, 2056, 3000, 6144, 6152, 10_000};

    private final List<String> log = new ArrayList<>();
    private final Random random = new Random(1);

    @ParameterizedTest
    @ValueSource(ints = {1, 2})
    void a_volume_that_grew_is_as_one_that_was_made_so_large(int version) throws Exception {
        try (MemoryBlockDevice device = formatted(SIZES_MIB[0] * MIB, version)) {
            byte[] content = new byte[3 << 20];
            random.nextBytes(content);
            for (int step = 1; step < SIZES_MIB.length; step++) {
                long before = SIZES_MIB[step - 1] * MIB;
                long after = SIZES_MIB[step] * MIB;
                String name = "f" + step;
                long asked = step % 2 == 0 ? 0 : after;
                device.enlarge(after + 12345);
                // Something that could be taken for a header, where there will be one.
                spoil(device, before, after);
                try (Lwkt lwkt = Lwkt.stepped(2, step);
                        Hammer2 volume = open(lwkt, device)) {
                    FileSystem files = volume.mount("DATA");
                    lwkt.run(1, () -> write(files, name, content));
                    long free = lwkt.run(1, () -> files.statfs().blocksFree());
                    assertEquals(before, lwkt.run(1, () -> files.grow(asked)).beforeBytes());
                    assertEquals(after, volume.info().sizeBytes());
                    long larger = lwkt.run(1, () -> files.statfs().blocksFree());
                    assertTrue(larger >= free, "free " + free + " and then " + larger);
                    lwkt.run(1, () -> write(files, name + "-after", content));
                    assertFalse(volume.grow(0).isChanged());
                }
                assertEquals(List.of(), problems(device));
                assertHeaderAsMade(device, after, version);
                // Nothing is counted twice when the space map is compared with what is in use.
                try (Lwkt lwkt = Lwkt.stepped(1, step);
                        Hammer2 volume = open(lwkt, device)) {
                    BulkFreeResult freed = volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
                    assertEquals(0, freed.corruptBytes());
                    assertTrue(freed.freedBytes() < MIB, freed.toString());
                    FileSystem files = volume.mount("DATA");
                    assertArrayEquals(content, lwkt.run(0, () -> read(files, name, content.length)));
                }
                assertEquals(List.of(), problems(device));
                assertHeaderAsMade(device, after, version);
            }
        }
        assertEquals(List.of(), log);
    }

    /** Fills what was there, grows, and then all of what is new can be had. */
    @Test
    void what_is_new_can_be_written() throws Exception {
        try (MemoryBlockDevice device = formatted(64 * MIB, 2)) {
            try (Lwkt lwkt = Lwkt.stepped(2, 1);
                    Hammer2 volume = open(lwkt, device)) {
                FileSystem files = volume.mount("DATA");
                int first = lwkt.run(1, () -> fill(files, "a"));
                device.enlarge(192 * MIB);
                assertTrue(volume.grow(0).isChanged());
                int second = lwkt.run(1, () -> fill(files, "b"));
                assertTrue(second >= 115, first + " MiB, and then " + second);
            }
            assertEquals(List.of(), problems(device));
        }
    }

    @Test
    void what_cannot_be_is_refused_and_nothing_changes() throws Exception {
        try (MemoryBlockDevice device = formatted(512 * MIB, 2);
                Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = open(lwkt, device)) {
            device.enlarge(700 * MIB);
            refused(volume, 701 * MIB, "enlarge the device first");
            refused(volume, -1, "enlarge the device first");
            refused(volume, 504 * MIB, "cannot shrink");
            assertFalse(volume.grow(512 * MIB).isChanged());
            assertEquals(512 * MIB, volume.info().sizeBytes());
            assertEquals(696 * MIB, volume.grow(703 * MIB - 3 * MIB).afterBytes());
        }
    }

    @Test
    void several_volumes_do_not_grow() throws Exception {
        try (MemoryBlockDevice one = new MemoryBlockDevice(1024 * MIB);
                MemoryBlockDevice two = new MemoryBlockDevice(512 * MIB)) {
            Newfs.format(List.of(one, two), options(2));
            two.enlarge(1024 * MIB);
            try (Lwkt lwkt = Lwkt.stepped(1, 1);
                    Hammer2 volume =
                            Hammer2.open(lwkt, List.of(new Borrowed(one), new Borrowed(two)), mountOptions())) {
                refused(volume, 0, "2 volumes cannot grow");
            }
        }
    }

    @Test
    void a_volume_opened_to_read_does_not_grow() throws Exception {
        try (MemoryBlockDevice device = formatted(512 * MIB, 2);
                Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        List.of(new Borrowed(device)),
                        MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, log::add))) {
            refused(volume, 0, "read only");
            FileSystem files = volume.mount("DATA");
            assertEquals(
                    Errno.EROFS,
                    assertThrows(FsException.class, () -> lwkt.run(0, () -> files.grow(0)))
                            .errno());
        }
    }

    /** Volumes of the reference, one of which it has enlarged itself. */
    @ParameterizedTest
    @CsvSource({"v13-grown", "v09-version1", "v12-bulkfree", "v14-large"})
    void a_volume_of_the_reference_grows(String name) throws Exception {
        var image = InteropImages.find(name);
        Assumptions.assumeTrue(image.isPresent());
        try (BlockDevice original = BlockDevices.open(image.get().volumes().getFirst(), OpenMode.INSPECT);
                MemoryBlockDevice device = MemoryBlockDevice.over(original)) {
            List<String> before = problems(device);
            long size = device.sizeBytes();
            device.enlarge(size + 3000 * MIB);
            try (Lwkt lwkt = Lwkt.stepped(1, 1);
                    Hammer2 volume = open(lwkt, device)) {
                assertTrue(volume.grow(0).isChanged());
                FileSystem files = volume.mount(null);
                lwkt.run(0, () -> write(files, "made after it grew", new byte[100_000]));
            }
            assertEquals(before, problems(device));
            assertEquals(
                    0,
                    HeaderChoice.of(device).header().version() == 1
                            ? HeaderChoice.of(device).header().totalSize()
                            : 0);
        }
    }

    private static void refused(Hammer2 volume, long size, String why) {
        String message =
                assertThrows(Hammer2Exception.class, () -> volume.grow(size)).getMessage();
        assertTrue(message.contains(why), message);
    }

    private Hammer2 open(Lwkt lwkt, BlockDevice device) throws Hammer2Exception {
        return Hammer2.open(lwkt, List.of(new Borrowed(device)), mountOptions());
    }

    private MountOptions mountOptions() {
        return MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add);
    }

    private MemoryBlockDevice formatted(long bytes, int version) throws Exception {
        MemoryBlockDevice device = new MemoryBlockDevice(bytes);
        Newfs.format(List.of(device), options(version));
        return device;
    }

    private NewfsOptions options(int version) {
        return new NewfsOptions(
                version, 0, 0, List.of("DATA"), 1, () -> new UUID(random.nextLong(), random.nextLong()));
    }

    private static void spoil(MemoryBlockDevice device, long before, long after) throws Exception {
        MemorySegment header = MemorySegment.ofArray(new byte[65536]);
        device.readFully(0, header);
        for (int copy = 1; copy < 4; copy++) {
            long place = VolumeHeader.copyOffset(copy);
            if (place >= before && place + header.byteSize() <= after) {
                // Older than what there is, and not of its size.
                new VolumeHeader(header).setTids(1, 1);
                new VolumeHeader(header).updateCrcs();
                device.writeFully(place, header);
            }
        }
    }

    /** Sizes, and space that can be allocated (format sections 15.4 and 16.1). */
    private void assertHeaderAsMade(BlockDevice device, long size, int version) throws Exception {
        VolumeHeader header = HeaderChoice.of(device).header();
        assertEquals(size, header.voluSize());
        assertEquals(version == 1 ? 0 : size, header.totalSize());
        long gibs = (size + (1 << 30) - 1) >> 30;
        long areas = header.auxEnd() - header.bootBeg();
        assertEquals(size - gibs * (4 << 20) - areas, header.allocatorSize());
        assertTrue(header.allocatorFree() <= header.allocatorSize());
        for (int copy = 0; copy < 4; copy++) {
            long place = VolumeHeader.copyOffset(copy);
            if (place < size) {
                MemorySegment bytes = MemorySegment.ofArray(new byte[65536]);
                device.readFully(place, bytes);
                VolumeHeader found = new VolumeHeader(bytes);
                assertTrue(
                        VolumeHeader.ALL_ZERO.equals(found.defect())
                                || (found.defect() == null && found.mirrorTid() > 1),
                        "copy " + copy + ": " + found.defect());
            }
        }
    }

    private static List<String> problems(BlockDevice device) throws Exception {
        List<String> problems = new ArrayList<>();
        Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        return problems;
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    private static long write(FileSystem files, String name, byte[] content) {
        long inum = files.create(FileSystem.ROOT_INUM, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                .inum();
        for (int at = 0; at < content.length; at += 1 << 20) {
            int n = Math.min(1 << 20, content.length - at);
            files.write(inum, at, MemorySegment.ofArray(content).asSlice(at, n), 0);
        }
        files.fsync(inum);
        return inum;
    }

    private static byte[] read(FileSystem files, String name, int size) {
        MemorySegment into = MemorySegment.ofArray(new byte[size]);
        files.read(files.lookup(FileSystem.ROOT_INUM, name(name)).inum(), 0, into);
        return into.toArray(ValueLayout.JAVA_BYTE);
    }

    /** @return whole MiB that could be written until there was no space */
    private int fill(FileSystem files, String name) {
        byte[] content = new byte[1 << 20];
        for (int i = 0; ; i++) {
            random.nextBytes(content);
            try {
                write(files, name + i, content);
            } catch (FsException e) {
                assertEquals(Errno.ENOSPC, e.errno());
                return i;
            }
        }
    }
}
