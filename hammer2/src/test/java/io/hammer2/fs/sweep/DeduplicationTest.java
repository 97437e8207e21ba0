package io.hammer2.fs.sweep;

import static io.hammer2.fs.testing.SteppedVolume.name;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.Errno;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.RecompressStep;
import io.hammer2.fs.ShareOutcome;
import io.hammer2.fs.StoredBlock;
import io.hammer2.fs.StoredBlockSink;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.SteppedVolume;
import io.hammer2.lwkt.LwktThread;
import io.hammer2.lwkt.Message;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is stored twice becomes one, and nothing else changes: not the contents, not the times, whatever happens meanwhile. */
class DeduplicationTest {
    private static final long ROOT = FileSystem.ROOT_INUM;
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final long MEMORY = 4 << 20;

    private static final int LZ4 = Compression.LZ4.code();

    private final SteppedVolume volume = new SteppedVolume(256L << 20);
    private final Map<String, byte[]> contents = new TreeMap<>();

    private void mount(BlockDevice device) throws Exception {
        volume.mount(device, 1, options -> options.withDedup(false));
    }

    @AfterEach
    void close() throws Exception {
        volume.close();
    }

    private static byte[] block(int number) {
        byte[] bytes = new byte[BLOCK];
        new Random(number).nextBytes(bytes);
        if (number % 2 == 0) {
            Arrays.fill(bytes, 500, BLOCK, (byte) number);
        }
        return bytes;
    }

    private long create(String name, int... numbers) throws Exception {
        return create(LZ4, name, numbers);
    }

    /** Each number stands for the content of a block; a tail of 1000 bytes follows. */
    private long create(int compAlgo, String name, int... numbers) throws Exception {
        byte[] bytes = new byte[numbers.length * BLOCK + 1000];
        for (int i = 0; i < numbers.length; i++) {
            System.arraycopy(block(numbers[i]), 0, bytes, i * BLOCK, BLOCK);
        }
        Arrays.fill(bytes, numbers.length * BLOCK, bytes.length, (byte) 42);
        contents.put(name, bytes);
        long inum = volume.create(name);
        volume.on(() -> {
            volume.files().setDataPolicy(inum, compAlgo, FileSystem.POLICY_KEEP);
            return null;
        });
        volume.write(inum, bytes);
        return inum;
    }

    private Deduplication.Report deduplicate(long memory, boolean reportsOnly) throws Exception {
        return volume.on(
                () -> new Deduplication(new MountedFiles(volume.files()), memory, reportsOnly, report -> {}).run(ROOT));
    }

    private void requireContents() throws Exception {
        for (Map.Entry<String, byte[]> file : contents.entrySet()) {
            byte[] found = volume.content(lookup(file.getKey()).inum());
            assertArrayEquals(file.getValue(), found, file.getKey());
        }
    }

    private Attributes lookup(String name) throws Exception {
        return volume.on(() -> volume.files().lookup(ROOT, name(name)));
    }

    private static void requireClean(BlockDevice device) {
        assertEquals(List.of(), SteppedVolume.problems(device));
    }

    /** Three files of which 8 blocks and 2 tails are stored more than once. */
    private void createSome(int compAlgo) throws Exception {
        create(compAlgo, "a", 1, 2, 3, 4);
        create(compAlgo, "b", 4, 3, 2, 1, 5);
        create(compAlgo, "c", 5, 5, 6, 5, 7);
        volume.sync();
    }

    @Test
    void equal_blocks_become_one_and_files_stay_as_they_are() throws Exception {
        volume.format();
        mount(volume.disk());
        createSome(LZ4);
        Attributes before = lookup("b");
        Deduplication.Report told = deduplicate(MEMORY, true);
        assertEquals(7 + 2, stored(told.copiedBytes()), told.toString());
        assertEquals(0, told.sharedBlocks());
        Deduplication.Report done = deduplicate(MEMORY, false);
        assertEquals(7 + 2, done.sharedBlocks(), done.toString());
        assertEquals(told.copiedBytes(), done.sharedBytes());
        assertEquals(before, lookup("b"));
        requireContents();
        // Blocks of 64 KiB: of 1, 3 and three times 5; the compressed ones may share their granules with others.
        long freed =
                volume.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT).freedBytes();
        assertTrue(freed >= 5 * BLOCK, freed + " bytes");
        assertEquals(0, deduplicate(MEMORY, false).sharedBlocks());
        volume.unmount();
        requireClean(volume.disk());
        mount(volume.disk());
        requireContents();
    }

    /** Blocks, of 1 KiB where compressed. */
    private static long stored(long bytes) {
        return bytes / BLOCK + bytes % BLOCK / 1024;
    }

    @Test
    void little_memory_takes_more_passes_to_the_same_result() throws Exception {
        volume.format();
        mount(volume.disk());
        int[] numbers = new int[1500];
        for (int i = 0; i < numbers.length; i++) {
            // All even, so that they take little space.
            numbers[i] = 2 * (i % 1100);
        }
        for (int from = 0; from < numbers.length; from += 100) {
            create("f" + from, Arrays.copyOfRange(numbers, from, from + 100));
        }
        volume.sync();
        Deduplication.Report plenty = deduplicate(MEMORY, true);
        Deduplication.Report little = deduplicate(64 << 10, true);
        assertEquals(1, plenty.passes());
        assertTrue(little.passes() > 1, little.toString());
        assertEquals(plenty.copiedBytes(), little.copiedBytes());
        assertEquals(400 + 14, deduplicate(64 << 10, false).sharedBlocks());
        assertEquals(0, deduplicate(MEMORY, true).copiedBytes());
        requireContents();
    }

    @Test
    void a_report_changes_nothing() throws Exception {
        volume.format();
        mount(volume.disk());
        createSome(LZ4);
        long tid = volume.volume().info().mirrorTid();
        deduplicate(MEMORY, true);
        volume.sync();
        assertEquals(tid, volume.volume().info().mirrorTid());
    }

    @Test
    void blocks_that_differ_stay_apart_whatever_is_said_of_them() throws Exception {
        volume.format();
        mount(volume.disk());
        long a = create("a", 1);
        long b = create("b", 3);
        volume.sync();
        StoredBlock[] seen = {first(a), first(b)};
        assertEquals(ShareOutcome.DIFFERENT, volume.on(() -> volume.files().shareBlock(seen[0], seen[1])));
        assertEquals(
                ShareOutcome.FIRST_CHANGED,
                volume.on(() ->
                        volume.files().shareBlock(new StoredBlock(a, 0, seen[1].dataOff()), new StoredBlock(b, 0, 0))));
        assertEquals(
                ShareOutcome.SECOND_CHANGED,
                volume.on(() -> volume.files().shareBlock(seen[0], new StoredBlock(b, BLOCK, seen[1].dataOff()))));
        assertEquals(
                ShareOutcome.SECOND_CHANGED,
                volume.on(() -> volume.files().shareBlock(seen[0], new StoredBlock(999_999, 0, 1))));
        assertEquals(
                ShareOutcome.FIRST_CHANGED,
                volume.on(() -> volume.files().shareBlock(new StoredBlock(-1, -1, 7), seen[1])));
        assertEquals(
                ShareOutcome.SECOND_CHANGED,
                volume.on(() -> volume.files().shareBlock(seen[0], new StoredBlock(ROOT, 0, 7))));
        requireContents();
    }

    private StoredBlock first(long inum) throws Exception {
        long[] place = new long[1];
        volume.on(() -> volume.files().storedBlocks(inum, 0, (offset, dataOff, methods, check) -> {
            place[0] = place[0] == 0 ? dataOff : place[0];
            return true;
        }));
        return new StoredBlock(inum, 0, place[0]);
    }

    /** Passes steps on; for tests that do something between two of them. */
    private static class Between implements SweptFiles {
        private final SweptFiles swept;
        private final Runnable before;

        Between(SweptFiles swept, Runnable before) {
            this.swept = swept;
            this.before = before;
        }

        @Override
        public FileType typeOf(long inum) {
            before.run();
            return swept.typeOf(inum);
        }

        @Override
        public long children(long directory, long cookie, ChildSink sink) {
            before.run();
            return swept.children(directory, cookie, sink);
        }

        @Override
        public long storedBlocks(long inum, long from, StoredBlockSink sink) {
            before.run();
            return swept.storedBlocks(inum, from, sink);
        }

        @Override
        public RecompressStep recompress(long inum, long from) {
            before.run();
            return swept.recompress(inum, from);
        }

        @Override
        public int pairsMax() {
            return 2;
        }

        @Override
        public List<ShareOutcome> share(List<Pair> pairs) {
            before.run();
            return swept.share(pairs);
        }
    }

    @Test
    void what_changes_meanwhile_is_left_alone() throws Exception {
        volume.format();
        mount(volume.disk());
        create("a", 1, 3);
        create("b", 1, 3);
        create("c", 1, 3);
        volume.sync();
        List<String> changed = new ArrayList<>();
        Deduplication.Report report = volume.on(() -> {
            SweptFiles swept = new Between(new MountedFiles(volume.files()), () -> {}) {
                @Override
                public List<ShareOutcome> share(List<Pair> pairs) {
                    if (changed.isEmpty()) {
                        // What all are compared with, and what is to be shared next.
                        Pair next = pairs.getFirst();
                        for (String name : contents.keySet()) {
                            long inum = volume.files().lookup(ROOT, name(name)).inum();
                            if (inum == next.first().inum()) {
                                volume.files().write(inum, 0, MemorySegment.ofArray(block(9)), 0);
                                changed.add(name);
                            } else if (inum == next.second().inum()) {
                                volume.files().unlink(ROOT, name(name));
                                changed.add(name);
                            }
                        }
                    }
                    return super.share(pairs);
                }
            };
            return new Deduplication(swept, MEMORY, false, so -> {}).run(ROOT);
        });
        assertEquals(2, changed.size());
        assertTrue(report.changedCount() > 2 && report.sharedBlocks() > 0, report.toString());
        for (String name : changed) {
            boolean there = lookup(name) != null;
            if (there) {
                System.arraycopy(block(9), 0, contents.get(name), 0, BLOCK);
            } else {
                contents.remove(name);
            }
        }
        requireContents();
    }

    private static final class Interruption extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    @Test
    void it_may_end_at_any_step_and_begin_again() throws Exception {
        volume.format();
        mount(volume.disk());
        createSome(LZ4);
        long shared = 0;
        for (int end = 0; ; end++) {
            int last = end;
            int[] step = new int[1];
            boolean complete = volume.on(() -> {
                try {
                    SweptFiles swept = new Between(new MountedFiles(volume.files()), () -> {
                        if (step[0]++ == last) {
                            throw new Interruption();
                        }
                    });
                    new Deduplication(swept, MEMORY, false, so -> {}).run(ROOT);
                    return true;
                } catch (Interruption e) {
                    return false;
                }
            });
            requireContents();
            if (complete) {
                break;
            }
            shared++;
        }
        assertTrue(shared > 5, shared + " steps");
        assertEquals(0, deduplicate(MEMORY, true).copiedBytes());
        volume.unmount();
        requireClean(volume.disk());
    }

    /** What there was before it began is there in every state that a power cut may leave, and nothing of it differs. */
    @ParameterizedTest
    @EnumSource(names = {"LZ4", "ZLIB", "ZSTD"})
    void a_power_cut_at_any_point_loses_nothing(Compression method) throws Exception {
        volume.format();
        mount(volume.disk());
        createSome(method.code());
        assertEquals(
                Set.of(Compression.NONE.code(), method.code()),
                volume.encodings(lookup("a").inum()));
        volume.unmount();
        RecordingBlockDevice device = RecordingBlockDevice.over(volume.disk());
        try (var recording = device.recording()) {
            mount(device);
            volume.on(() -> {
                SweptFiles swept = new Between(
                        new MountedFiles(volume.files()), () -> volume.files().sync());
                return new Deduplication(swept, MEMORY, false, so -> {}).run(ROOT);
            });
            volume.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            create(method.code(), "d", 11, 12, 13, 15);
            volume.unmount();
            contents.remove("d");
            for (long seed = 1; seed <= 60; seed++) {
                CrashState crash = recording.crash(seed);
                try (BlockDevice after = crash.open()) {
                    requireClean(after);
                    mount(after);
                    requireContents();
                    volume.unmount();
                }
            }
        }
        device.close();
    }

    /** Writers go on meanwhile, and find their files as they left them. */
    @Test
    void writers_lose_nothing_while_it_runs() throws Exception {
        volume.format();
        mount(volume.disk());
        List<Message<Void>> writers = new ArrayList<>();
        boolean[] done = new boolean[1];
        for (int writer = 0; writer < 2; writer++) {
            int number = writer;
            Message<Void> ended = new Message<>();
            writers.add(ended);
            volume.cpu(writer).spawn("writer", () -> {
                try {
                    churn(number);
                    ended.reply(null);
                } catch (Throwable t) {
                    ended.fail(t);
                }
            });
        }
        volume.cpu(1).spawn("end", () -> {
            writers.forEach(Message::await);
            done[0] = true;
        });
        long shared = 0;
        while (!done[0]) {
            shared += deduplicate(MEMORY, false).sharedBlocks();
            volume.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
        }
        for (Message<Void> writer : writers) {
            volume.on(writer::await);
        }
        assertTrue(shared > 10, shared + " blocks");
        volume.unmount();
        requireClean(volume.disk());
    }

    private void churn(int number) {
        Random random = new Random(number);
        byte[][] own = new byte[6][];
        for (int i = 0; i < 120; i++) {
            int which = random.nextInt(own.length);
            MemorySegment name = name("w" + number + "-" + which);
            Attributes there = volume.files().lookup(ROOT, name);
            if (there != null) {
                byte[] found = new byte[(int) there.size()];
                volume.files().read(there.inum(), 0, MemorySegment.ofArray(found));
                assertArrayEquals(own[which], found);
                volume.files().unlink(ROOT, name);
            }
            own[which] = new byte[BLOCK * (1 + random.nextInt(4)) + random.nextInt(2) * 5000];
            for (int at = 0; at < own[which].length; at += BLOCK) {
                byte[] block = block(random.nextInt(5));
                System.arraycopy(block, 0, own[which], at, Math.min(BLOCK, own[which].length - at));
            }
            long inum = volume.files()
                    .create(ROOT, name, NewInode.of(FileType.REGULAR, 0644, 0, 0))
                    .inum();
            volume.files().write(inum, 0, MemorySegment.ofArray(own[which]), 0);
            if (random.nextInt(6) == 0) {
                volume.files().sync();
            }
            LwktThread.yieldNow();
        }
    }

    /** Directories that contain each other, as a damaged volume may say. */
    @Test
    void a_circle_of_directories_is_walked_once() {
        List<Long> met = new ArrayList<>();
        SweptFiles circle = new SweptFiles() {
            @Override
            public FileType typeOf(long inum) {
                return FileType.DIRECTORY;
            }

            @Override
            public long children(long directory, long cookie, ChildSink sink) {
                sink.child(3 - directory, FileType.DIRECTORY);
                sink.child(directory, FileType.DIRECTORY);
                sink.child(10 + directory, FileType.REGULAR);
                sink.child(99, FileType.FIFO);
                return -1;
            }

            @Override
            public long storedBlocks(long inum, long from, StoredBlockSink sink) {
                met.add(inum);
                if (inum == 11) {
                    throw new FsException(Errno.ESTALE, "gone");
                }
                throw new FsException(Errno.EIO, "damaged");
            }

            @Override
            public RecompressStep recompress(long inum, long from) {
                throw new AssertionError();
            }

            @Override
            public int pairsMax() {
                return 1;
            }

            @Override
            public List<ShareOutcome> share(List<Pair> pairs) {
                throw new AssertionError();
            }
        };
        Deduplication.Report report = new Deduplication(circle, MEMORY, false, so -> {}).run(1);
        assertEquals(List.of(11L, 12L), met);
        assertEquals(1, report.unreadableCount());
        // Enough for no directory beyond the first few.
        assertThrows(FsException.class, () -> {
            SweptFiles endless = new Between(circle, () -> {}) {
                @Override
                public long children(long directory, long cookie, ChildSink sink) {
                    sink.child(directory + 1, FileType.DIRECTORY);
                    return -1;
                }
            };
            new Deduplication(endless, 4096, false, so -> {}).run(1);
        });
    }
}
