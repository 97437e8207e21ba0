package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.LwktThread;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Each modification, seen at once, after a commit and after another mount, with the checker in between. */
final class WritePathTest {
    private static final long VOLUME_BYTES = 128L << 20;
    private static final long ROOT = FileSystem.ROOT_INUM;

    private final List<String> log = new ArrayList<>();
    private MountOptions options = MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add);
    private MemoryBlockDevice device;
    private long seed = 1;

    private interface Body {
        void run(FileSystem files) throws Exception;
    }

    @BeforeEach
    void format() throws Exception {
        Random random = new Random(1);
        device = new MemoryBlockDevice(VOLUME_BYTES);
        Newfs.format(List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
    }

    /** Mounts, runs, unmounts cleanly, and checks the volume. */
    private void mounted(Body body) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(2, seed++);
                Hammer2 volume = Hammer2.open(lwkt, List.of(new Borrowed(device)), options)) {
            FileSystem files = volume.mount("DATA");
            lwkt.run(1, () -> {
                body.run(files);
                return null;
            });
        }
        assertEquals(List.of(), log);
        check();
    }

    private void check() throws Exception {
        List<String> problems = new ArrayList<>();
        Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        assertEquals(List.of(), problems);
    }

    private static MemorySegment bytes(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    private static NewInode what(FileType type, int mode) {
        return NewInode.of(type, mode, 1000, 100);
    }

    private static long file(FileSystem files, long parent, String name) {
        return files.create(parent, bytes(name), what(FileType.REGULAR, 0644)).inum();
    }

    private static long directory(FileSystem files, long parent, String name) {
        return files.create(parent, bytes(name), what(FileType.DIRECTORY, 0755)).inum();
    }

    private static byte[] content(FileSystem files, long inum) {
        MemorySegment into =
                MemorySegment.ofArray(new byte[(int) files.attributes(inum).size()]);
        assertEquals(into.byteSize(), files.read(inum, 0, into));
        return into.toArray(ValueLayout.JAVA_BYTE);
    }

    private static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    @Test
    void an_empty_volume_mounts_and_unmounts() throws Exception {
        mounted(files -> assertEquals(0, files.attributes(ROOT).size()));
    }

    @Test
    void a_file_keeps_its_content_and_attributes_over_mounts() throws Exception {
        byte[] small = random(300, 1);
        byte[] medium = random(3000, 2);
        byte[] large = random(1_000_000, 3);
        mounted(files -> {
            files.write(file(files, ROOT, "small"), 0, MemorySegment.ofArray(small), 0);
            files.write(file(files, ROOT, "medium"), 0, MemorySegment.ofArray(medium), 0);
            files.write(file(files, ROOT, "large"), 0, MemorySegment.ofArray(large), 0);
            assertArrayEquals(
                    large, content(files, files.lookup(ROOT, bytes("large")).inum()));
            files.sync();
            assertArrayEquals(
                    large, content(files, files.lookup(ROOT, bytes("large")).inum()));
        });
        mounted(files -> {
            assertArrayEquals(
                    small, content(files, files.lookup(ROOT, bytes("small")).inum()));
            assertArrayEquals(
                    medium, content(files, files.lookup(ROOT, bytes("medium")).inum()));
            Attributes found = files.lookup(ROOT, bytes("large"));
            assertArrayEquals(large, content(files, found.inum()));
            assertEquals(0644, found.mode());
            assertEquals(1000, found.uid());
            assertEquals(100, found.gid());
            assertEquals(1, found.nlink());
        });
    }

    @Test
    void a_read_behind_what_a_changed_block_holds_gives_zeros() throws Exception {
        mounted(files -> {
            long inum = file(files, ROOT, "grown");
            files.write(inum, 0, MemorySegment.ofArray(random(1000, 1)), 0);
            files.setAttributes(inum, new AttributeChange().size(65536));
            MemorySegment tail = MemorySegment.ofArray(random(4096, 2));
            assertEquals(4096, files.read(inum, 61440, tail));
            assertArrayEquals(new byte[4096], tail.toArray(ValueLayout.JAVA_BYTE));
        });
    }

    @Test
    void the_times_of_what_was_appended_are_set_although_the_file_is_append_only() throws Exception {
        mounted(files -> {
            long inum = file(files, ROOT, "log");
            files.setAttributes(inum, new AttributeChange().uflags(0x40000));
            files.setAttributes(inum, new AttributeChange().mtimeMicros(1000).ctimeMicros(2000));
            assertEquals(1000, files.attributes(inum).mtimeMicros());
            assertThrows(FsException.class, () -> files.setAttributes(inum, new AttributeChange().mode(0777)));
        });
    }

    /** open_by_handle_at(2) and NFS: the kernel asks for "." of what it has forgotten (fuse_get_dentry). */
    @Test
    void a_file_is_found_by_its_number_as_long_as_it_has_a_name() throws Exception {
        mounted(files -> {
            long inum = file(files, ROOT, "file");
            assertEquals(inum, files.lookup(inum, bytes(".")).inum());
            assertEquals(ROOT, files.lookup(ROOT, bytes(".")).inum());
            files.unlink(ROOT, bytes("file"));
            assertThrows(FsException.class, () -> files.lookup(inum, bytes(".")));
        });
    }

    /** As Linux's own file systems have it: setattr_prepare() asks for immutable alone where nobody chose the time. */
    @Test
    void what_is_append_only_can_be_touched_and_what_is_immutable_cannot() throws Exception {
        mounted(files -> {
            long inum = file(files, ROOT, "log");
            files.setAttributes(inum, new AttributeChange().uflags(0x40000));
            files.setAttributes(inum, touchAt(3000));
            assertEquals(3000, files.attributes(inum).mtimeMicros());
            AttributeChange chosen = new AttributeChange().atimeMicros(1).mtimeMicros(4000);
            assertThrows(FsException.class, () -> files.setAttributes(inum, chosen));
            assertThrows(
                    FsException.class,
                    () -> files.setAttributes(inum, touchAt(5000).mode(0777)));
            files.setAttributes(inum, new AttributeChange().uflags(0x20000));
            assertThrows(FsException.class, () -> files.setAttributes(inum, touchAt(6000)));
            assertEquals(3000, files.attributes(inum).mtimeMicros());
        });
    }

    private static AttributeChange touchAt(long micros) {
        return new AttributeChange().atimeMicros(micros).mtimeMicros(micros).touch();
    }

    @Test
    void thousands_of_names_are_there_after_another_mount_and_can_all_be_removed() throws Exception {
        mounted(files -> {
            long inside = directory(files, ROOT, "inside");
            for (int i = 0; i < 3000; i++) {
                file(files, i % 2 == 0 ? ROOT : inside, "name-" + i + "x".repeat(i % 90));
            }
        });
        mounted(files -> {
            long inside = files.lookup(ROOT, bytes("inside")).inum();
            for (int i = 0; i < 3000; i++) {
                files.unlink(i % 2 == 0 ? ROOT : inside, bytes("name-" + i + "x".repeat(i % 90)));
            }
            files.rmdir(ROOT, bytes("inside"));
        });
        mounted(files -> {
            List<String> names = new ArrayList<>();
            files.readdir(
                    ROOT,
                    0,
                    (inum, type, name, next) ->
                            names.add(new String(name.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8)));
            assertEquals(List.of(".", ".."), names);
        });
    }

    @Test
    void names_move_between_directories() throws Exception {
        mounted(files -> {
            long a = directory(files, ROOT, "a");
            long b = directory(files, a, "b");
            long f = file(files, b, "f");
            files.rename(b, bytes("f"), a, bytes("g"), RenameMode.REPLACE);
            assertNull(files.lookup(b, bytes("f")));
            assertEquals(f, files.lookup(a, bytes("g")).inum());
            FsException below = assertThrows(
                    FsException.class, () -> files.rename(ROOT, bytes("a"), b, bytes("a"), RenameMode.REPLACE));
            assertEquals(Errno.EINVAL, below.errno());
            files.rename(a, bytes("b"), ROOT, bytes("b"), RenameMode.REPLACE);
            files.rename(ROOT, bytes("a"), ROOT, bytes("b"), RenameMode.EXCHANGE);
            assertEquals(
                    f,
                    files.lookup(files.lookup(ROOT, bytes("b")).inum(), bytes("g"))
                            .inum());
        });
        mounted(files -> {
            long b = files.lookup(ROOT, bytes("b")).inum();
            assertEquals(FileType.REGULAR, files.lookup(b, bytes("g")).type());
            assertEquals(FileType.DIRECTORY, files.lookup(ROOT, bytes("a")).type());
            assertEquals(ROOT, files.lookup(b, bytes("..")).inum());
        });
    }

    @Test
    void an_unlinked_file_lives_while_it_is_open_and_not_longer() throws Exception {
        mounted(files -> {
            long inum = file(files, ROOT, "f");
            files.open(inum);
            files.unlink(ROOT, bytes("f"));
            files.write(inum, 0, MemorySegment.ofArray(random(200_000, 5)), 0);
            files.sync();
            assertArrayEquals(random(200_000, 5), content(files, inum));
            files.release(inum);
            FsException gone = assertThrows(FsException.class, () -> files.attributes(inum));
            assertEquals(Errno.ESTALE, gone.errno());
        });
    }

    @Test
    void truncation_and_holes_read_as_zeros() throws Exception {
        byte[] expected = random(500_000, 6);
        mounted(files -> {
            long inum = file(files, ROOT, "f");
            files.write(inum, 0, MemorySegment.ofArray(expected), 0);
            files.sync();
            files.setAttributes(inum, new AttributeChange().size(100_001));
            files.setAttributes(inum, new AttributeChange().size(500_000));
            java.util.Arrays.fill(expected, 100_001, 500_000, (byte) 0);
            assertArrayEquals(expected, content(files, inum));
            files.allocate(inum, 1000, 80_000, AllocateMode.PUNCH_HOLE);
            java.util.Arrays.fill(expected, 1000, 81_000, (byte) 0);
            assertArrayEquals(expected, content(files, inum));
        });
        mounted(files -> assertArrayEquals(
                expected, content(files, files.lookup(ROOT, bytes("f")).inum())));
    }

    @Test
    void a_copied_range_shares_its_blocks() throws Exception {
        byte[] expected = random(400_000, 7);
        mounted(files -> {
            long from = file(files, ROOT, "from");
            long to = file(files, ROOT, "to");
            files.write(from, 0, MemorySegment.ofArray(expected), 0);
            files.sync();
            long free = files.statfs().blocksFree();
            for (long at = 0; at < expected.length; ) {
                at += files.copyRange(from, at, to, at, expected.length - at);
            }
            files.sync();
            assertArrayEquals(expected, content(files, to));
            assertTrue(free - files.statfs().blocksFree() <= 3, "the data were not shared");
        });
        mounted(files -> assertArrayEquals(
                expected, content(files, files.lookup(ROOT, bytes("to")).inum())));
    }

    @Test
    void access_times_change_only_where_that_is_asked_for() throws Exception {
        byte[] content = random(100, 9);
        long[] atime = new long[1];
        mounted(files -> {
            long inum = file(files, ROOT, "f");
            files.write(inum, 0, MemorySegment.ofArray(content), 0);
            atime[0] = files.attributes(inum).atimeMicros();
            content(files, inum);
            assertEquals(atime[0], files.attributes(inum).atimeMicros());
        });
        options = options.withAtime(MountOptions.Atime.RELATIVE);
        mounted(files -> {
            long inum = files.lookup(ROOT, bytes("f")).inum();
            LwktThread.sleep(1_000_000_000L);
            content(files, inum);
            long touched = files.attributes(inum).atimeMicros();
            assertTrue(touched > atime[0], "not touched by the first reader");
            content(files, inum);
            assertEquals(touched, files.attributes(inum).atimeMicros());
            atime[0] = touched;
        });
        mounted(files -> assertEquals(atime[0], files.lookup(ROOT, bytes("f")).atimeMicros()));
    }

    @Test
    void what_compresses_takes_less_and_reads_the_same() throws Exception {
        byte[] text = "a line of text, and another one, ".repeat(20_000).getBytes(StandardCharsets.UTF_8);
        mounted(files -> {
            long inum = file(files, ROOT, "text");
            files.write(inum, 0, MemorySegment.ofArray(text), 0);
            files.sync();
            assertArrayEquals(text, content(files, inum));
            long stored = files.attributes(inum).blocks512() * 512;
            assertTrue(stored < text.length / 10, stored + " of " + text.length);
        });
        mounted(files -> {
            long inum = files.lookup(ROOT, bytes("text")).inum();
            files.write(inum, 70_000, bytes("something else"), 0);
        });
        System.arraycopy("something else".getBytes(StandardCharsets.UTF_8), 0, text, 70_000, 14);
        mounted(files -> assertArrayEquals(
                text, content(files, files.lookup(ROOT, bytes("text")).inum())));
    }

    @Test
    void a_full_volume_keeps_what_it_accepted_and_can_still_delete_and_rename() throws Exception {
        int[] made = new int[1];
        mounted(files -> {
            Random random = new Random(8);
            FsException full = assertThrows(FsException.class, () -> {
                for (; ; made[0]++) {
                    long inum = file(files, ROOT, "f" + made[0]);
                    byte[] content = random(1 + random.nextInt(random.nextInt(8) == 0 ? 600_000 : 5_000), made[0]);
                    files.write(inum, 0, MemorySegment.ofArray(content), 0);
                }
            });
            assertEquals(Errno.ENOSPC, full.errno());
            files.sync();
            for (int i = 0; i < made[0]; i += 2) {
                files.rename(ROOT, bytes("f" + i), ROOT, bytes("renamed-to-a-longer-name-" + i), RenameMode.REPLACE);
            }
            for (int i = 0; i < made[0]; i += 4) {
                files.unlink(ROOT, bytes("renamed-to-a-longer-name-" + i));
                if (i % 64 == 0) {
                    files.sync();
                }
            }
        });
        mounted(files -> {
            Random random = new Random(8);
            for (int i = 0; i < made[0]; i++) {
                int size = 1 + random.nextInt(random.nextInt(8) == 0 ? 600_000 : 5_000);
                Attributes found = files.lookup(ROOT, bytes((i % 2 == 0 ? "renamed-to-a-longer-name-" : "f") + i));
                if (i % 4 == 0) {
                    assertNull(found);
                } else {
                    assertArrayEquals(random(size, i), content(files, found.inum()));
                }
            }
        });
    }
}
