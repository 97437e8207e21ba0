package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBlockDeviceTest extends OpenModeContract {
    private static final long SIZE = SIZE_MIN + 123;

    @TempDir
    Path folder;

    @Override
    Path path() {
        return folder.resolve("image");
    }

    @Override
    void prepare() throws IOException {
        sparse(path(), SIZE);
    }

    @Test
    void its_size_is_the_files_to_the_byte_and_its_kind_a_file() {
        assertEquals(SIZE, device().sizeBytes());
        assertEquals(1, device().alignmentBytes());
        assertInstanceOf(FileBlockDevice.class, device());
    }

    @Test
    void the_last_bytes_of_a_sparse_tebibyte_are_as_good_as_the_first() throws Exception {
        Path large = folder.resolve("large");
        sparse(large, (1L << 40) + 1);
        try (Arena arena = Arena.ofShared();
                BlockDevice tebibyte = BlockDevices.open(large, OpenMode.READ_WRITE)) {
            MemorySegment text = arena.allocateFrom("hammer");
            assertNull(outcome(done -> tebibyte.write((1L << 40) - 6, text, done)));
            MemorySegment back = arena.allocate(7);
            assertNull(outcome(done -> tebibyte.read((1L << 40) - 6, back, done)));
            assertEquals("hammer", back.getString(0));
        }
        assertTrue(allocatedBytes(large) < 1 << 20);
    }

    @Test
    void a_discard_gives_space_back_to_the_host() throws Exception {
        write(0, filled(4 << 20, 1));
        device().flushFully();
        long before = allocatedBytes(path());
        device().discardFully(0, 4 << 20);
        assertTrue(before >= 4 << 20);
        assertTrue(allocatedBytes(path()) <= before - (4 << 20));
        assertEquals(SIZE, Files.size(path()));
    }

    @Test
    void a_file_that_shrank_gives_an_error_with_name_and_offset() throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(path().toFile(), "rw")) {
            file.setLength(1 << 20);
        }
        MemorySegment segment = filled(8192, 0);
        IOException error = outcome(done -> device().read((1 << 20) - 4096, segment, done));
        assertTrue(error.getMessage().contains(path().toString()), error.getMessage());
        assertTrue(error.getMessage().contains("offset " + ((1 << 20) - 4096)), error.getMessage());
        assertNull(outcome(done -> device().read((1 << 20) - 8192, segment, done)));
    }

    @Test
    void a_full_host_file_system_gives_an_error_with_name_and_offset() throws Exception {
        Command.assumeRoot();
        Path mount = Files.createDirectory(folder.resolve("small"));
        Command.run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount.toString());
        try {
            sparse(mount.resolve("image"), 16 << 20);
            try (BlockDevice full = BlockDevices.open(mount.resolve("image"), OpenMode.READ_WRITE)) {
                IOException error = outcome(done -> full.write(65536, filled(2 << 20, 1), done));
                assertTrue(error.getMessage().contains("No space left"), error.getMessage());
                assertTrue(error.getMessage().contains("offset 65536"), error.getMessage());
            }
        } finally {
            Command.run("umount", mount.toString());
        }
    }

    @Test
    void a_flush_that_failed_is_never_followed_by_one_that_succeeds() throws Exception {
        // Cannot be flushed, for a reason of its own that lasts; what counts is what the second message says.
        PosixFile file = PosixFile.open(Path.of("/dev/null"), Posix.O_RDWR);
        try {
            IOException first = assertThrows(IOException.class, file::flush);
            IOException second = assertThrows(IOException.class, file::flush);
            assertEquals(first, second.getCause());
            assertTrue(second.getMessage().contains("an earlier one failed"), second.getMessage());
        } finally {
            file.close();
        }
    }

    @Test
    void what_is_no_device_is_refused_by_name() throws Exception {
        Path fifo = folder.resolve("fifo");
        Command.run("mkfifo", fifo.toString());
        for (Path path : List.of(folder, fifo, Path.of("/dev/null"))) {
            IOException error = assertThrows(IOException.class, () -> BlockDevices.open(path, OpenMode.READ_ONLY));
            assertTrue(error.getMessage().startsWith(path + ": neither"), error.getMessage());
        }
        Path missing = folder.resolve("missing");
        IOException error =
                assertThrows(NoSuchFileException.class, () -> BlockDevices.open(missing, OpenMode.READ_ONLY));
        assertTrue(error.getMessage().startsWith(missing + ": no such"), error.getMessage());
    }

    @Test
    void a_specification_opens_all_its_devices_or_none() throws Exception {
        Path other = folder.resolve("with:colon");
        sparse(other, 4096);
        device().close();
        assertEquals(List.of(path(), other), BlockDevices.split(path() + ":" + other));
        assertEquals(List.of(other, path()), BlockDevices.split(other + ":" + path()));
        assertThrows(IOException.class, () -> BlockDevices.split(path() + ":"));
        assertThrows(IOException.class, () -> BlockDevices.split(""));
        assertThrows(
                NoSuchFileException.class,
                () -> BlockDevices.openAll(path() + ":" + folder.resolve("missing"), OpenMode.READ_WRITE));
        List<BlockDevice> all = BlockDevices.openAll(path() + ":" + other, OpenMode.READ_WRITE);
        assertEquals(
                List.of(SIZE, 4096L), all.stream().map(BlockDevice::sizeBytes).toList());
        for (BlockDevice each : all) {
            each.close();
        }
    }

    static void sparse(Path path, long size) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(size);
        }
    }

    private static long allocatedBytes(Path path) throws Exception {
        return Long.parseLong(Command.run("stat", "-c", "%b", path.toString()).trim()) * 512;
    }
}
