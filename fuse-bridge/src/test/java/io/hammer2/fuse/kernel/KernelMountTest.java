package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.MemoryOperations;
import io.hammer2.fuse.MountContract;
import io.hammer2.fuse.Shell;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class KernelMountTest extends MountContract {
    @Override
    protected FuseTransport transport() {
        return new KernelTransport();
    }

    @Override
    protected void populate(MemoryOperations more) {
        more.file(1, new byte[] {'b', (byte) 0xff, (byte) 0xfe, 'd'}, new byte[9]);
        more.file(1, "sequential", MemoryOperations.pattern(BIG_BYTES));
        more.file(more.directory(1, "bad"), "one/slash", new byte[0]);
        more.file(1, "sealed", 0100444, new byte[1]);
    }

    @Test
    void the_birth_time_and_the_immutable_flag_are_shown_by_statx() {
        String shown = Shell.run("stat", "-c", "%W %w", root.resolve("hello").toString())
                .succeeded();
        assertTrue(shown.startsWith(MemoryOperations.BIRTH_MICROS / 1_000_000 + " "), shown);
        assertTrue(shown.contains(".654321"), shown);
    }

    @Test
    void holes_and_data_are_found_by_lseek() {
        String output = Shell.python("""
                import os, sys, errno
                fd = os.open(sys.argv[1], os.O_RDONLY)
                end = os.fstat(fd).st_size
                data = end - 4096
                assert os.lseek(fd, 0, os.SEEK_DATA) == data
                assert os.lseek(fd, 0, os.SEEK_HOLE) == 0
                assert os.lseek(fd, data + 1, os.SEEK_DATA) == data + 1
                assert os.lseek(fd, data + 1, os.SEEK_HOLE) == end
                try: os.lseek(fd, end, os.SEEK_DATA)
                except OSError as e: assert e.errno == errno.ENXIO, e
                else: raise Exception("data after the end?")
                print("good")
                """, root.resolve("sparse").toString()).succeeded();
        assertEquals("good", output.trim());
    }

    @Test
    void a_name_that_is_not_UTF_8_is_listed_and_found() {
        String output = Shell.python("""
                import os, sys
                root = os.fsencode(sys.argv[1])
                assert b"b\\xff\\xfed" in os.listdir(root)
                assert os.stat(root + b"/b\\xff\\xfed").st_size == 9
                print("good")
                """, root.toString()).succeeded();
        assertEquals("good", output.trim());
    }

    @Test
    void a_name_that_cannot_be_is_left_out_and_the_others_stay_listed() throws Exception {
        try (var listed = Files.list(root.resolve("bad"))) {
            assertEquals(0, listed.count());
        }
    }

    @Test
    void a_sequential_reader_is_served_by_requests_of_1_MiB() throws Exception {
        try (InputStream in = Files.newInputStream(root.resolve("sequential"))) {
            byte[] piece = new byte[1 << 20];
            while (in.read(piece) >= 0) {
                // read to the end
            }
        }
        assertEquals(1 << 20, files.largestRead.get());
        Path readAhead = Path.of("/sys/class/bdi", device(), "read_ahead_kb");
        assertEquals("4096", Files.readString(readAhead).trim());
    }

    private String device() throws Exception {
        return MountTable.topmostAt(root).orElseThrow().device();
    }

    @Test
    void what_was_asked_once_is_not_asked_again() throws Exception {
        Path dir = root.resolve("a/b");
        Files.getLastModifiedTime(dir);
        int before = files.attributeCalls.get();
        for (int i = 0; i < 100; i++) {
            Files.getLastModifiedTime(dir);
        }
        // One more at most: a parallel test may have made the kernel forget.
        assertTrue(files.attributeCalls.get() - before <= 1);
    }
}
