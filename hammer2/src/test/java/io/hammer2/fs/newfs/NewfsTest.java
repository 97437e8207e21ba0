package io.hammer2.fs.newfs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NewfsTest {
    private static final long MIB = Limits.MIB;

    @TempDir
    private Path folder;

    /** Ids and times are the only things that two runs of newfs differ in; taken over, every byte is the same. */
    @Test
    void the_volumes_are_byte_for_byte_those_of_dragonflys_newfs() throws Exception {
        List<Path> theirs = InteropImages.get("m01-two-volumes").volumes();
        List<UUID> ids = new ArrayList<>();
        List<BlockDevice> made = List.of(image("a", 3 * Limits.GIB), image("b", 2 * Limits.GIB));
        try (BlockDevice root = BlockDevices.open(theirs.getFirst(), OpenMode.INSPECT);
                Arena arena = Arena.ofShared()) {
            VolumeHeader header = new VolumeHeader(read(root, 0, 65536, arena));
            long base = header.auxEnd();
            ids.add(header.fsid());
            InodeBlock superRoot = new InodeBlock(read(root, base, 1024, arena));
            for (int i = 0; i < 3; i++) {
                InodeBlock inode = new InodeBlock(read(root, base + 1024L * i, 1024, arena));
                ids.add(inode.pfsClid());
                ids.add(inode.pfsFsid());
            }
            NewfsOptions options =
                    new NewfsOptions(2, 0, 0, List.of("MULTI"), superRoot.mtimeMicros(), ids.iterator()::next);
            Newfs.format(made, options);
        }
        for (int i = 0; i < 2; i++) {
            made.get(i).close();
            Path ours = folder.resolve("ab".substring(i, i + 1));
            // All that is written, and that nothing else is.
            assertSame(theirs.get(i), ours, 0, 330 * MIB);
            assertSame(theirs.get(i), ours, 2 * Limits.GIB, 4 * MIB);
            assertSame(theirs.get(i), ours, Files.size(ours) - MIB, MIB);
            assertTrue(storedKib(ours) < 1024);
        }
    }

    @Test
    void what_was_on_the_device_does_not_show_through() throws Exception {
        Path path = folder.resolve("dirty");
        byte[] noise = new byte[(int) (64 * MIB)];
        new Random(7).nextBytes(noise);
        Files.write(path, noise);
        try (BlockDevice device = BlockDevices.open(path, OpenMode.READ_WRITE);
                Arena arena = Arena.ofShared()) {
            Newfs.Made made = Newfs.format(List.of(device), NewfsOptions.defaults(1, ids()));
            VolumeHeader header = new VolumeHeader(read(device, 0, 65536, arena));
            assertNull(header.defect());
            MemorySegment areas = read(device, 65536, made.geometry().base() - 65536, arena);
            assertEquals(-1, areas.mismatch(arena.allocate(areas.byteSize())));
        }
    }

    @Test
    void an_image_file_stays_sparse() throws Exception {
        try (BlockDevice device = image("sparse", 8 * Limits.GIB)) {
            Newfs.format(List.of(device), NewfsOptions.defaults(1, ids()));
        }
        assertTrue(storedKib(folder.resolve("sparse")) < 2048);
    }

    @Test
    void areas_are_at_most_a_twentieth_of_the_volume_and_at_least_8_mib() throws Exception {
        assertEquals(List.of(8 * MIB, 8 * MIB), areas(32 * MIB));
        assertEquals(List.of(8 * MIB, 8 * MIB), areas(320 * MIB - 8 * MIB));
        assertEquals(List.of(16 * MIB, 16 * MIB), areas(320 * MIB));
        assertEquals(List.of(64 * MIB, 64 * MIB), areas(2 * Limits.GIB));
        assertEquals(List.of(64 * MIB, 256 * MIB), areas(5 * Limits.GIB));
        assertEquals(List.of(64 * MIB, 256 * MIB), areas(Limits.GIB << 12));
    }

    @Test
    void volumes_are_cut_to_what_the_format_allows() throws Exception {
        NewfsOptions options = NewfsOptions.defaults(1, ids());
        assertEquals(
                List.of(Limits.GIB, 2 * Limits.GIB, 48 * MIB),
                Newfs.plan(List.of(Limits.GIB + 5, 3 * Limits.GIB - 1, 50 * MIB), options)
                        .volumeBytes());
        assertThrows(NewfsException.class, () -> Newfs.plan(List.of(900 * MIB, Limits.GIB), options));
    }

    @Test
    void what_makes_no_file_system_is_refused_before_anything_is_written() throws Exception {
        Supplier<UUID> ids = ids();
        List<NewfsOptions> bad = List.of(
                new NewfsOptions(3, 0, 0, List.of("DATA"), 1, ids),
                new NewfsOptions(2, 4 * MIB, 0, List.of("DATA"), 1, ids),
                new NewfsOptions(2, 300 * MIB, 0, List.of("DATA"), 1, ids),
                new NewfsOptions(2, 256 * MIB, 800 * MIB, List.of("DATA"), 1, ids),
                new NewfsOptions(2, 0, 0, List.of("a", "b", "c", "d"), 1, ids),
                new NewfsOptions(2, 0, 0, List.of("a/b"), 1, ids),
                new NewfsOptions(2, 0, 0, List.of(""), 1, ids));
        for (NewfsOptions options : bad) {
            try (BlockDevice device = image("refused", 2 * Limits.GIB);
                    Arena arena = Arena.ofShared()) {
                assertThrows(NewfsException.class, () -> Newfs.format(List.of(device), options), options.toString());
                assertEquals(0, new VolumeHeader(read(device, 0, 65536, arena)).magic());
            }
        }
        try (BlockDevice small = image("small", 24 * MIB)) {
            assertThrows(NewfsException.class, () -> Newfs.format(List.of(small), NewfsOptions.defaults(1, ids)));
        }
    }

    private static List<Long> areas(long deviceBytes) throws NewfsException {
        Geometry geometry = Newfs.plan(List.of(deviceBytes), NewfsOptions.defaults(1, ids()));
        return List.of(geometry.bootBytes(), geometry.auxBytes());
    }

    private BlockDevice image(String name, long sizeBytes) throws IOException {
        Path path = folder.resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        return BlockDevices.open(path, OpenMode.READ_WRITE);
    }

    private static Supplier<UUID> ids() {
        Random random = new Random(1);
        return () -> new UUID(random.nextLong(), random.nextLong());
    }

    private static MemorySegment read(BlockDevice device, long offset, long byteCount, Arena arena) throws IOException {
        MemorySegment bytes = arena.allocate(byteCount, 4096);
        device.readFully(offset, bytes);
        return bytes;
    }

    private static void assertSame(Path a, Path b, long offset, long byteCount) throws IOException {
        byte[] ofA = new byte[(int) MIB];
        byte[] ofB = new byte[(int) MIB];
        try (RandomAccessFile fileA = new RandomAccessFile(a.toFile(), "r");
                RandomAccessFile fileB = new RandomAccessFile(b.toFile(), "r")) {
            fileA.seek(offset);
            fileB.seek(offset);
            for (long at = 0; at < byteCount; at += MIB) {
                assertEquals(fileA.read(ofA), fileB.read(ofB));
                assertEquals(-1, Arrays.mismatch(ofA, ofB), a + " at " + (offset + at));
            }
        }
    }

    private static long storedKib(Path file) throws IOException {
        Process du = new ProcessBuilder("du", "-k", file.toString()).start();
        String kib = new String(du.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        return Long.parseLong(kib.substring(0, kib.indexOf('\t')));
    }
}
