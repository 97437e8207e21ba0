package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
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
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.InteropImages.Expectation;
import io.hammer2.fs.testing.InteropImages.Image;
import io.hammer2.fs.testing.ManifestWalk;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.LwktThread;
import io.hammer2.lwkt.Message;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Space that nothing refers to comes back, and nothing else does; seen through the file system, and by the checker. */
class BulkFreeTest {
    private static final long ROOT = FileSystem.ROOT_INUM;
    private static final long MEMORY = BulkFreeResult.MEMORY_BYTES_DEFAULT;
    private static final int FILE_BYTES = 1 << 20;

    private final List<String> log = new ArrayList<>();
    private MemoryBlockDevice device;
    private long seed = 1;

    @FunctionalInterface
    private interface Body {
        void run(Lwkt lwkt, FileSystem files) throws Exception;
    }

    private void format(long sizeBytes) throws Exception {
        Random random = new Random(1);
        device = new MemoryBlockDevice(sizeBytes);
        Newfs.format(List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
    }

    private void mounted(Body body) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(2, seed++);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        List.of(new Borrowed(device)),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
            body.run(lwkt, volume.mount("DATA"));
        }
        assertEquals(List.of(), problems(List.of(device)));
    }

    private static List<String> problems(List<BlockDevice> devices) throws Exception {
        List<String> problems = new ArrayList<>();
        Fsck.check(devices, FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        return problems;
    }

    private static <T> T on(Lwkt lwkt, java.util.concurrent.Callable<T> body) throws Exception {
        return lwkt.run(1, body);
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static long create(FileSystem files, String name, byte[] content) {
        long inum = files.create(ROOT, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                .inum();
        MemorySegment bytes = MemorySegment.ofArray(content);
        for (int at = 0; at < content.length; at += FILE_BYTES) {
            files.write(inum, at, bytes.asSlice(at, Math.min(FILE_BYTES, content.length - at)), 0);
        }
        return inum;
    }

    private static byte[] content(FileSystem files, long inum) {
        byte[] bytes = new byte[(int) files.attributes(inum).size()];
        assertEquals(bytes.length, files.read(inum, 0, MemorySegment.ofArray(bytes)));
        return bytes;
    }

    private static byte[] content(FileSystem files, String name) {
        return content(files, files.lookup(ROOT, name(name)).inum());
    }

    /** Files of a MiB until there is no space; returns how many there are then. */
    private static int fill(FileSystem files, String prefix) {
        for (int i = 0; ; i++) {
            try {
                create(files, prefix + i, random(FILE_BYTES, i));
            } catch (FsException e) {
                assertEquals(Errno.ENOSPC, e.errno());
                return i;
            }
        }
    }

    @Test
    void what_was_deleted_can_be_written_again_and_what_was_not_is_intact() throws Exception {
        format(96L << 20);
        int[] count = new int[2];
        mounted((lwkt, files) -> {
            count[0] = on(lwkt, () -> fill(files, "a"));
            assertTrue(count[0] > 40, count[0] + " files");
            on(lwkt, () -> {
                for (int i = 0; i < count[0]; i += 2) {
                    files.unlink(ROOT, name("a" + i));
                }
                return null;
            });
            BulkFreeResult result = files.volume().bulkfree(MEMORY);
            assertEquals(2, result.passes());
            assertEquals(0, result.damageCount());
            assertEquals(0, result.corruptBytes());
            assertTrue(result.freedBytes() >= (long) count[0] / 2 * FILE_BYTES, result.toString());
            assertEquals(0, files.volume().bulkfree(MEMORY).freedBytes() >> 20);
        });
        mounted((lwkt, files) -> on(lwkt, () -> {
            count[1] = fill(files, "b");
            assertTrue(count[1] >= count[0] / 2 - 1, count[1] + " files");
            return null;
        }));
        mounted((lwkt, files) -> on(lwkt, () -> {
            for (int i = 1; i < count[0]; i += 2) {
                assertArrayEquals(random(FILE_BYTES, i), content(files, "a" + i));
            }
            for (int i = 0; i < count[1]; i++) {
                assertArrayEquals(random(FILE_BYTES, i), content(files, "b" + i));
            }
            return null;
        }));
        assertEquals(List.of(), log);
    }

    @Test
    void a_writer_on_a_full_volume_gets_what_was_deleted_without_asking() throws Exception {
        format(64L << 20);
        mounted((lwkt, files) -> on(lwkt, () -> {
            for (int round = 0; round < 3; round++) {
                int count = fill(files, "f");
                assertTrue(count > 10, "round " + round + ": " + count + " files");
                for (int i = 0; i < count; i++) {
                    files.unlink(ROOT, name("f" + i));
                }
                // What failed for want of space left its name.
                if (files.lookup(ROOT, name("f" + count)) != null) {
                    files.unlink(ROOT, name("f" + count));
                }
                LwktThread.sleep(1_000_000_000L);
            }
            return null;
        }));
        assertEquals(List.of(), log);
    }

    @Test
    void when_space_is_low_it_comes_back_by_itself() throws Exception {
        format(96L << 20);
        mounted((lwkt, files) -> on(lwkt, () -> {
            int count = fill(files, "f");
            for (int i = 0; i < count; i++) {
                files.unlink(ROOT, name("f" + i));
            }
            files.sync();
            long before = files.statfs().blocksFree();
            LwktThread.sleep(3_600_000_000_000L);
            long back = files.statfs().blocksFree() - before;
            assertTrue(back * 65536 >= (long) count * FILE_BYTES, back + " blocks of " + count + " files");
            return null;
        }));
        assertEquals(List.of(), log);
    }

    @Test
    void an_open_file_without_a_name_keeps_its_blocks() throws Exception {
        format(64L << 20);
        mounted((lwkt, files) -> {
            // Nothing that the files beside it have as well, which would share its blocks.
            byte[] kept = random(3 * FILE_BYTES, 7_000);
            long inum = on(lwkt, () -> {
                long created = create(files, "open", kept);
                files.open(created);
                files.sync();
                files.unlink(ROOT, name("open"));
                return created;
            });
            assertTrue(files.volume().bulkfree(MEMORY).freedBytes() < FILE_BYTES);
            on(lwkt, () -> {
                fill(files, "f");
                assertArrayEquals(kept, content(files, inum));
                files.release(inum);
                return null;
            });
            assertTrue(files.volume().bulkfree(MEMORY).freedBytes() >= 3L * FILE_BYTES);
        });
    }

    @Test
    void blocks_that_files_share_stay_until_the_last_is_gone() throws Exception {
        format(64L << 20);
        mounted((lwkt, files) -> {
            byte[] shared = random(2 * FILE_BYTES, 9);
            on(lwkt, () -> {
                long from = create(files, "from", shared);
                files.sync();
                long to = create(files, "to", new byte[0]);
                for (long at = 0; at < shared.length; ) {
                    at += files.copyRange(from, at, to, at, shared.length - at);
                }
                files.unlink(ROOT, name("from"));
                return null;
            });
            assertTrue(files.volume().bulkfree(MEMORY).freedBytes() < FILE_BYTES);
            on(lwkt, () -> {
                int count = fill(files, "f");
                assertArrayEquals(shared, content(files, "to"));
                for (int i = 0; i < count; i++) {
                    files.unlink(ROOT, name("f" + i));
                }
                files.unlink(ROOT, name("to"));
                return null;
            });
            assertTrue(files.volume().bulkfree(MEMORY).freedBytes() >= 2L * FILE_BYTES);
        });
    }

    /** Two writers overwrite, delete and create, each checking its own files, while one run follows the other. */
    @Test
    void writers_lose_nothing_while_it_runs() throws Exception {
        format(160L << 20);
        mounted((lwkt, files) -> {
            List<Message<Void>> writers = new ArrayList<>();
            boolean[] done = new boolean[1];
            for (int writer = 0; writer < 2; writer++) {
                int number = writer;
                Message<Void> ended = new Message<>();
                writers.add(ended);
                lwkt.cpu(writer).spawn("writer", () -> {
                    try {
                        churn(files, number);
                        ended.reply(null);
                    } catch (Throwable t) {
                        ended.fail(t);
                    }
                });
            }
            lwkt.cpu(1).spawn("end", () -> {
                writers.forEach(Message::await);
                done[0] = true;
            });
            long freed = 0;
            int runs = 0;
            while (!done[0]) {
                freed += files.volume().bulkfree(MEMORY).freedBytes();
                runs++;
            }
            for (Message<Void> writer : writers) {
                on(lwkt, writer::await);
            }
            assertTrue(runs >= 2 && freed > 8L << 20, runs + " runs, " + freed + " bytes");
        });
        assertEquals(List.of(), log);
    }

    private static void churn(FileSystem files, int number) {
        Random random = new Random(number);
        byte[][] contents = new byte[12][];
        for (int i = 0; i < 240; i++) {
            int which = random.nextInt(contents.length);
            String name = "w" + number + "-" + which;
            if (contents[which] != null) {
                assertArrayEquals(contents[which], content(files, name));
            }
            if (contents[which] != null && random.nextInt(3) == 0) {
                files.unlink(ROOT, name(name));
                contents[which] = null;
            } else {
                contents[which] = random(1 + random.nextInt(600_000), random.nextLong());
                if (files.lookup(ROOT, name(name)) != null) {
                    files.unlink(ROOT, name(name));
                }
                create(files, name, contents[which]);
            }
            if (random.nextInt(20) == 0) {
                files.sync();
            }
            LwktThread.yieldNow();
        }
        for (int which = 0; which < contents.length; which++) {
            if (contents[which] != null) {
                assertArrayEquals(contents[which], content(files, "w" + number + "-" + which));
            }
        }
    }

    @Test
    void a_volume_that_is_larger_than_the_memory_is_done_in_parts() throws Exception {
        format(5L << 30);
        mounted((lwkt, files) -> {
            on(lwkt, () -> {
                for (int i = 0; i < 8; i++) {
                    create(files, "f" + i, random(FILE_BYTES, i));
                }
                files.sync();
                for (int i = 0; i < 8; i++) {
                    files.unlink(ROOT, name("f" + i));
                }
                create(files, "kept", random(FILE_BYTES, 99));
                return null;
            });
            // The map of two GiB.
            BulkFreeResult result = files.volume().bulkfree(4 * 8192);
            assertTrue(result.freedBytes() >= 8L * FILE_BYTES, result.toString());
            on(lwkt, () -> {
                assertArrayEquals(random(FILE_BYTES, 99), content(files, "kept"));
                return null;
            });
        });
    }

    @Test
    void damage_is_told_with_its_pfs_and_nothing_is_freed() throws Exception {
        Image image = InteropImages.get("x06-indirect");
        try (BlockDevice original = BlockDevices.open(image.volumes().getFirst(), OpenMode.INSPECT)) {
            device = MemoryBlockDevice.over(original);
            List<String> before = problems(List.of(device));
            try (Lwkt lwkt = Lwkt.stepped(1, 1);
                    Hammer2 volume = Hammer2.open(
                            lwkt,
                            List.of(new Borrowed(device)),
                            MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
                BulkFreeResult result = volume.bulkfree(MEMORY);
                assertEquals(1, result.passes());
                assertTrue(result.damageCount() >= 2, result.toString());
                assertTrue(result.damage().getFirst().startsWith("PFS DATA, /"), result.toString());
                assertEquals(0, result.stagedBytes() + result.freedBytes());
            }
            assertEquals(before, problems(List.of(device)));
            device.close();
        }
    }

    @Test
    void what_is_opened_to_read_only_is_left_alone() throws Exception {
        format(64L << 20);
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        List.of(new Borrowed(device)),
                        MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, log::add))) {
            assertThrows(Hammer2Exception.class, () -> volume.bulkfree(MEMORY));
            FileSystem files = volume.mount("DATA");
            FsException refused = assertThrows(FsException.class, () -> lwkt.run(0, () -> files.bulkfree(MEMORY)));
            assertEquals(Errno.EROFS, refused.errno());
        }
    }

    static Stream<Image> mountable() {
        return InteropImages.all().stream().filter(image -> image.expectation() == Expectation.MOUNT);
    }

    /** Also of volumes in which others have staged blocks, or that they have enlarged; snapshots share most of theirs. */
    @ParameterizedTest
    @MethodSource("mountable")
    void volumes_of_others_keep_everything(Image image) throws Exception {
        List<BlockDevice> originals = BlockDevices.openAll(image.special(), OpenMode.INSPECT);
        List<BlockDevice> devices = new ArrayList<>();
        originals.forEach(original -> devices.add(MemoryBlockDevice.over(original)));
        TreeSet<String> before = new TreeSet<>(problems(devices));
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        devices.stream().<BlockDevice>map(Borrowed::new).toList(),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
            BulkFreeResult result = volume.bulkfree(MEMORY);
            assertEquals(0, result.corruptBytes(), result.toString());
            assertEquals(0, result.damageCount(), result.toString());
            for (String label : image.labels()) {
                FileSystem files = volume.mount(label);
                assertEquals(List.of(), lwkt.run(0, () -> ManifestWalk.differences(files, image.manifest(), label)));
            }
        }
        List<String> after = problems(devices);
        after.removeAll(before);
        assertEquals(List.of(), after);
        for (BlockDevice copy : devices) {
            copy.close();
        }
        for (BlockDevice original : originals) {
            original.close();
        }
    }
}
