package io.hammer2.fuse;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What every transport does at a real mount. One mount serves all tests of a class, those about its end aside. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class MountContract {
    protected static final int LARGE_ENTRIES = 20_000;
    protected static final int BIG_BYTES = 24 << 20;

    @TempDir
    protected static Path work;

    protected Lwkt lwkt;
    protected Path root;
    protected FuseMount mount;
    protected MemoryOperations files;
    private final Set<String> failures = ConcurrentHashMap.newKeySet();

    protected abstract FuseTransport transport();

    /** More files for the tests of one transport. */
    protected void populate(MemoryOperations more) {}

    protected static MemoryOperations someFiles(boolean stateless) {
        MemoryOperations files = new MemoryOperations(stateless);
        files.file(1, "hello", "hello world\n".getBytes(StandardCharsets.UTF_8));
        files.file(1, "big", MemoryOperations.pattern(BIG_BYTES));
        files.file(1, "Füße-日本", new byte[5]);
        files.file(1, "x".repeat(255), new byte[1]);
        files.symlink(1, "link", "dir/" + MemoryOperations.nameOf(3));
        files.symlink(1, "long-link", "y".repeat(4000));
        files.device(1, "device", NodeAttributes.CHARACTER_DEVICE | 0600, 0x0102_0a0b);
        files.device(1, "fifo", NodeAttributes.FIFO | 0600, 0);
        files.device(1, "socket", NodeAttributes.SOCKET | 0600, 0);
        files.fillDirectory(files.directory(1, "dir"), 100);
        files.fillDirectory(files.directory(1, "large"), LARGE_ENTRIES);
        files.directory(files.directory(files.directory(1, "a"), "b"), "c");
        files.sparseFile(1, "sparse", 5L << 30, (5L << 30) + 4096);
        return files;
    }

    protected static FuseMountOptions.Builder options() {
        return FuseMountOptions.builder("image of, mine@DATA").allowOther(true).defaultPermissions(true);
    }

    protected Path newMountPoint(String name) throws IOException {
        return Files.createDirectories(work.resolve(getClass().getSimpleName() + "-" + name));
    }

    @BeforeAll
    void mountOnce() throws IOException {
        lwkt = Lwkt.dedicated(2);
        Shell.run("chmod", "755", work.toString()).succeeded();
        files = someFiles(true);
        populate(files);
        root = newMountPoint("shared");
        mount = transport().mount(lwkt, root, files, options().build());
    }

    @AfterAll
    void unmountAtLast() {
        mount.close();
        Shell.unmountByForce(root);
        lwkt.close();
    }

    @Test
    void attributes_are_those_of_the_node() throws IOException {
        Map<String, Object> shown = Files.readAttributes(root.resolve("hello"), "unix:*");
        assertEquals(12L, shown.get("size"));
        assertEquals(NodeAttributes.REGULAR | 0644, shown.get("mode"));
        assertEquals(1000, shown.get("uid"));
        assertEquals(1001, shown.get("gid"));
        assertEquals(1, shown.get("nlink"));
        assertEquals(2L, shown.get("ino"));
        assertEquals(
                "2020-09-13T12:26:40.123457Z", shown.get("lastModifiedTime").toString());
        assertEquals("2020-09-13T12:26:40.123456Z", shown.get("lastAccessTime").toString());
        assertEquals("2020-09-13T12:26:40.123458Z", shown.get("ctime").toString());
        assertEquals(
                "character special file 102:a0b",
                Shell.run("stat", "-c", "%F %t:%T", root.resolve("device").toString())
                        .succeeded()
                        .trim());
        assertEquals(
                "fifo/socket/",
                Shell.run(
                                "stat",
                                "--printf",
                                "%F/",
                                root.resolve("fifo").toString(),
                                root.resolve("socket").toString())
                        .succeeded());
    }

    @Test
    void contents_are_read_whole_and_at_any_place() throws IOException {
        byte[] expected = MemoryOperations.pattern(BIG_BYTES);
        assertArrayEquals(expected, Files.readAllBytes(root.resolve("big")));
        long seed = Long.getLong("test.seed", System.nanoTime());
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        try (RandomAccessFile file = new RandomAccessFile(root.resolve("big").toFile(), "r")) {
            byte[] piece = new byte[20_000];
            for (int i = 0; i < 200; i++) {
                int at = random.nextInt(BIG_BYTES + 1000);
                file.seek(at);
                int read = Math.max(file.read(piece), 0);
                assertEquals(Math.clamp(BIG_BYTES - at, 0, piece.length), read);
                for (int b = 0; b < read; b++) {
                    assertEquals(expected[at + b], piece[b]);
                }
            }
        }
        try (InputStream small = Files.newInputStream(root.resolve("hello"))) {
            assertEquals("hello world\n", new String(small.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    @Test
    void a_file_beyond_4_GiB_is_read_at_its_end() throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(root.resolve("sparse").toFile(), "r")) {
            file.seek((5L << 30) - 1);
            assertEquals(0, file.read());
            assertEquals(7, file.read());
            assertEquals((5L << 30) + 4096, file.length());
        }
    }

    @Test
    void a_large_directory_is_listed_without_gap_or_repeat() throws IOException {
        Set<String> expected = new HashSet<>();
        for (int i = 0; i < LARGE_ENTRIES; i++) {
            expected.add(MemoryOperations.nameOf(i));
        }
        for (int round = 0; round < 2; round++) {
            try (Stream<Path> listed = Files.list(root.resolve("large"))) {
                List<String> names =
                        listed.map(path -> path.getFileName().toString()).toList();
                assertEquals(LARGE_ENTRIES, names.size());
                assertEquals(expected, new HashSet<>(names));
            }
        }
    }

    @Test
    void a_listing_goes_on_at_a_cookie_in_another_opening_of_the_directory() {
        String output = Shell.python("""
                import ctypes, sys
                libc = ctypes.CDLL(None, use_errno=True)
                libc.opendir.restype = ctypes.c_void_p
                libc.readdir.restype = ctypes.c_void_p
                libc.telldir.restype = ctypes.c_long
                libc.readdir.argtypes = libc.telldir.argtypes = libc.closedir.argtypes = [ctypes.c_void_p]
                libc.seekdir.argtypes = [ctypes.c_void_p, ctypes.c_long]
                def name(entry):
                    return ctypes.string_at(entry + 19)
                d = libc.opendir(sys.argv[1].encode())
                names, cookies = [], []
                while True:
                    cookies.append(libc.telldir(d))
                    e = libc.readdir(d)
                    if not e: break
                    names.append(name(e))
                libc.closedir(d)
                assert len(set(names)) == len(names) == int(sys.argv[2]) + 2, len(names)
                for at in (0, 1, 2, 3, 777, 12345, len(names) - 1, len(names)):
                    d = libc.opendir(sys.argv[1].encode())
                    libc.seekdir(d, cookies[at])
                    for want in names[at:at + 500]:
                        assert name(libc.readdir(d)) == want, at
                    if at + 500 >= len(names):
                        assert not libc.readdir(d)
                    libc.closedir(d)
                print("good")
                """, root.resolve("large").toString(), Integer.toString(LARGE_ENTRIES))
                .succeeded();
        assertEquals("good", output.trim());
    }

    @Test
    void names_are_found_whatever_their_letters_and_length() throws IOException {
        assertEquals(5, Files.size(root.resolve("Füße-日本")));
        assertEquals(1, Files.size(root.resolve("x".repeat(255))));
        assertThrows(NoSuchFileException.class, () -> Files.size(root.resolve("x".repeat(254))));
        assertThrows(NoSuchFileException.class, () -> Files.size(root.resolve("none")));
        IOException tooLong = assertThrows(IOException.class, () -> Files.size(root.resolve("x".repeat(256))));
        assertTrue(tooLong.getMessage().contains("too long"), tooLong.getMessage());
        assertTrue(Files.isDirectory(root.resolve("a/b/../b/./c/../../../a/b/c")));
    }

    @Test
    void symbolic_links_lead_where_they_point() throws IOException {
        assertEquals(
                "dir/" + MemoryOperations.nameOf(3),
                Files.readSymbolicLink(root.resolve("link")).toString());
        assertEquals(3, Files.size(root.resolve("link")));
        assertEquals(
                "y".repeat(4000),
                Files.readSymbolicLink(root.resolve("long-link")).toString());
        assertTrue(Files.isSymbolicLink(root.resolve("link")));
        assertTrue(Files.exists(root.resolve("long-link"), LinkOption.NOFOLLOW_LINKS));
        assertFalse(Files.exists(root.resolve("long-link")));
    }

    @Test
    void statfs_shows_the_volume() {
        assertEquals(
                "65536 1000 500 400 5000 4000 255",
                Shell.run("stat", "-f", "-c", "%S %b %f %a %c %d %l", root.toString())
                        .succeeded()
                        .trim());
    }

    @Test
    void every_modification_is_EROFS() {
        String output = Shell.python("""
                import os, sys, errno
                os.chdir(sys.argv[1])
                def refused(what, *a):
                    try: what(*a)
                    except OSError as e: assert e.errno == errno.EROFS, (what, a, e)
                    else: raise Exception("not refused", what, a)
                refused(os.open, "new", os.O_CREAT | os.O_WRONLY)
                refused(os.open, "hello", os.O_WRONLY)
                refused(os.open, "hello", os.O_RDWR)
                refused(os.mkdir, "newdir")
                refused(os.mknod, "newnode")
                refused(os.symlink, "x", "newlink")
                refused(os.link, "hello", "newhard")
                refused(os.unlink, "hello")
                refused(os.rmdir, "a/b/c")
                refused(os.rename, "hello", "hello2")
                refused(os.chmod, "hello", 0o600)
                refused(os.chown, "hello", 1, 1)
                refused(os.utime, "hello")
                refused(os.truncate, "hello", 1)
                refused(os.setxattr, "hello", "user.x", b"y")
                fd = os.open("hello", os.O_RDONLY)
                os.fsync(fd)
                print("good")
                """, root.toString()).succeeded();
        assertEquals("good", output.trim());
    }

    @Test
    void extended_attributes_are_unsupported() {
        String output = Shell.python("""
                import os, sys, errno
                for what in (lambda p: os.getxattr(p, "user.x"), os.listxattr):
                    for again in range(2):
                        try: what(sys.argv[1])
                        except OSError as e: assert e.errno == errno.EOPNOTSUPP, e
                        else: raise Exception("supported?")
                print("good")
                """, root.resolve("hello").toString()).succeeded();
        assertEquals("good", output.trim());
    }

    @Test
    void an_ioctl_carries_its_data_both_ways_on_files_and_directories() {
        String output = Shell.python(
                        """
                import os, sys, fcntl, errno
                for path in sys.argv[1:]:
                    fd = os.open(path, os.O_RDONLY)
                    data = bytearray(range(64))
                    assert fcntl.ioctl(fd, %d, data, True) == 5
                    assert data == bytearray(range(1, 65)), data
                    try: fcntl.ioctl(fd, 0xc0406802, data, True)
                    except OSError as e: assert e.errno == errno.ENOTTY, e
                    else: raise Exception("known?")
                print("good")
                """.formatted(Integer.toUnsignedLong(MemoryOperations.IOCTL_ADD_ONE)),
                        root.toString(),
                        root.resolve("hello").toString())
                .succeeded();
        assertEquals("good", output.trim());
    }

    @Test
    void the_mount_table_is_truthful() {
        String line = Shell.mountLine(root);
        assertTrue(line.startsWith("image\\040of,\\040mine@DATA "), line);
        assertTrue(line.contains(" fuse.hammer2 ro,"), line);
        assertTrue(line.contains("allow_other") && line.contains("default_permissions"), line);
    }

    @Test
    void permissions_are_checked_by_the_kernel() {
        Shell.Result device = Shell.run(
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "cat",
                root.resolve("hello").toString());
        assertEquals("hello world\n", device.succeeded());
        Shell.Result refused = Shell.run(
                "setpriv",
                "--reuid=65534",
                "--regid=65534",
                "--clear-groups",
                "cat",
                root.resolve("fifo").toString());
        assertTrue(refused.output().contains("Permission denied"), refused.output());
    }

    @Test
    void a_mount_in_use_is_not_unmounted_until_its_user_is_gone() throws Exception {
        Path at = newMountPoint("busy");
        FuseMount busy = transport().mount(lwkt, at, someFiles(true), options().build());
        try (InputStream open = Files.newInputStream(at.resolve("hello"))) {
            assertThrows(IOException.class, busy::unmount);
            assertEquals('h', open.read());
        }
        assertFalse(busy.isUnmounted());
        busy.unmount();
        assertTrue(busy.isUnmounted());
        assertFalse(Shell.isMounted(at));
        busy.awaitUnmounted();
        busy.unmount();
        busy.close();
    }

    @Test
    void an_umount_from_outside_ends_the_service() throws Exception {
        for (List<String> command : List.of(List.of("umount"), List.of("fusermount3", "-u"))) {
            Path at = newMountPoint("outside");
            FuseMount served =
                    transport().mount(lwkt, at, someFiles(true), options().build());
            assertTrue(Files.exists(at.resolve("hello")));
            String[] words =
                    Stream.concat(command.stream(), Stream.of(at.toString())).toArray(String[]::new);
            Shell.run(words).succeeded();
            served.awaitUnmounted();
            assertTrue(served.isUnmounted());
            assertFalse(Shell.isMounted(at));
        }
    }

    @Test
    void opens_reach_a_file_system_that_keeps_state_and_are_closed_as_often() throws Exception {
        Path at = newMountPoint("stateful");
        MemoryOperations stateful = someFiles(false);
        FuseMount served = transport().mount(lwkt, at, stateful, options().build());
        try {
            for (int i = 0; i < 5; i++) {
                assertEquals("hello world\n", Files.readString(at.resolve("hello")));
                try (Stream<Path> listed = Files.list(at.resolve("dir"))) {
                    assertEquals(100, listed.count());
                }
            }
        } finally {
            served.close();
        }
        assertTrue(stateful.opens.get() >= 10, "opens: " + stateful.opens);
        assertEquals(stateful.opens.get(), stateful.releases.get());
    }

    @Test
    void many_readers_at_once_read_what_is_there() throws Exception {
        byte[] expected = MemoryOperations.pattern(BIG_BYTES);
        Path at = newMountPoint("many");
        FuseMount served = transport()
                .mount(lwkt, at, someFiles(true), options().keepCache(false).build());
        try {
            List<Thread> readers = Stream.iterate(0, i -> i + 1)
                    .limit(6)
                    .map(i -> new Thread(() -> read(at, i, expected)))
                    .toList();
            failures.clear();
            readers.forEach(Thread::start);
            for (Thread reader : readers) {
                reader.join();
            }
            assertEquals(Set.of(), failures);
        } finally {
            served.close();
        }
    }

    private void read(Path at, int reader, byte[] expected) {
        Random random = new Random(reader);
        try (RandomAccessFile file = new RandomAccessFile(at.resolve("big").toFile(), "r")) {
            byte[] piece = new byte[70_000];
            for (int i = 0; i < 100; i++) {
                int offset = random.nextInt(BIG_BYTES - piece.length);
                file.seek(offset);
                file.readFully(piece);
                if (!Arrays.equals(piece, 0, piece.length, expected, offset, offset + piece.length)) {
                    failures.add("reader " + reader + " at " + offset);
                }
                Files.size(at.resolve("large").resolve(MemoryOperations.nameOf(random.nextInt(LARGE_ENTRIES))));
            }
        } catch (IOException e) {
            failures.add(e.toString());
        }
    }

    @Test
    void what_cannot_be_mounted_at_is_said() throws IOException {
        FuseMountOptions options = options().build();
        assertThrows(NoSuchFileException.class, () -> transport().mount(lwkt, work.resolve("none"), files, options));
        Path file = Files.createFile(work.resolve(getClass().getSimpleName() + "-file"));
        assertThrows(IOException.class, () -> transport().mount(lwkt, file, files, options));
    }
}
