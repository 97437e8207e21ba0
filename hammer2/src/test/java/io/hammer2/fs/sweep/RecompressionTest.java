package io.hammer2.fs.sweep;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.fsck.ProblemCode;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is stored otherwise than its file wants by now is written anew, and nothing else changes. */
class RecompressionTest {
    private static final long ROOT = FileSystem.ROOT_INUM;
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final long MEMORY = 4 << 20;

    /** At the beginning, of which no method makes less. */
    private static final int RANDOM_BLOCKS = 12;

    private static final int NONE = 0;
    private static final int LZ4 = 2;

    private static final int BLOCKS = 40;

    private final MemoryBlockDevice disk = new MemoryBlockDevice(256L << 20);
    private Lwkt lwkt;
    private Hammer2 volume;
    private FileSystem files;

    private void format() throws Exception {
        Random random = new Random(1);
        Newfs.format(List.of(disk), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
    }

    private void mount(BlockDevice device, boolean dedup) throws Exception {
        lwkt = Lwkt.stepped(2, 1);
        volume = Hammer2.open(
                lwkt,
                List.of(new Borrowed(device)),
                MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {})
                        .withSyncIntervalNanos(3_600_000_000_000L)
                        .withDedup(dedup));
        files = volume.mount("DATA");
    }

    private void unmount() throws Exception {
        volume.close();
        volume = null;
        lwkt.close();
    }

    @AfterEach
    void close() throws Exception {
        if (volume != null) {
            unmount();
        }
        disk.close();
    }

    private <T> T on(Callable<T> body) throws Exception {
        return lwkt.run(1, body);
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Of which the second part is compressible. */
    private static byte[] content() {
        byte[] bytes = new byte[BLOCKS * BLOCK + 1000];
        Random random = new Random(5);
        random.nextBytes(bytes);
        for (int block = 0; block < BLOCKS; block++) {
            byte[] one = new byte[BLOCK];
            random.nextBytes(one);
            if (block >= RANDOM_BLOCKS) {
                Arrays.fill(one, 2000, BLOCK, (byte) block);
            }
            System.arraycopy(one, 0, bytes, block * BLOCK, BLOCK);
        }
        return bytes;
    }

    /** Stored as it is; its file wants LZ4 by now. */
    private long create(String name) throws Exception {
        byte[] bytes = content();
        return on(() -> {
            long inum = files.create(ROOT, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                    .inum();
            files.setDataPolicy(inum, NONE, FileSystem.POLICY_KEEP);
            MemorySegment all = MemorySegment.ofArray(bytes);
            for (long at = 0; at < bytes.length; at += 1 << 20) {
                files.write(inum, at, all.asSlice(at, Math.min(1 << 20, bytes.length - at)), 0);
            }
            files.sync();
            files.setDataPolicy(inum, LZ4, FileSystem.POLICY_KEEP);
            return inum;
        });
    }

    private Set<Long> places(long inum) throws Exception {
        Set<Long> places = new TreeSet<>();
        on(() -> files.storedBlocks(inum, 0, (offset, dataOff, methods, check) -> {
            places.add(dataOff);
            return true;
        }));
        return places;
    }

    private long storedBytes(long inum) throws Exception {
        return places(inum).stream().mapToLong(place -> 1L << (place & 63)).sum();
    }

    private Recompression.Report recompress() throws Exception {
        Recompression.Report report = on(() -> new Recompression(new MountedFiles(files), MEMORY, so -> {}).run(ROOT));
        on(() -> {
            files.sync();
            return null;
        });
        return report;
    }

    private void requireContent(long inum) throws Exception {
        byte[] expected = content();
        byte[] found = on(() -> {
            byte[] bytes = new byte[(int) files.attributes(inum).size()];
            files.read(inum, 0, MemorySegment.ofArray(bytes));
            return bytes;
        });
        assertArrayEquals(expected, found);
    }

    private static void requireClean(BlockDevice device) {
        List<String> problems = new ArrayList<>();
        Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM && finding.code() != ProblemCode.VOLHDR) {
                problems.add(finding.text());
            }
        });
        assertEquals(List.of(), problems);
    }

    @Test
    void what_gets_smaller_is_rewritten_and_the_rest_stays_where_it_is() throws Exception {
        format();
        mount(disk, false);
        long inum = create("file");
        Attributes attributes = on(() -> files.attributes(inum));
        Set<Long> before = places(inum);
        long bytes = storedBytes(inum);
        Recompression.Report report = recompress();
        assertEquals(BLOCKS - RANDOM_BLOCKS, report.rewrittenBlocks(), report.toString());
        assertTrue(report.bytesAfter() <= report.bytesBefore() / 8, report.toString());
        assertEquals(bytes - storedBytes(inum), report.bytesBefore() - report.bytesAfter());
        Set<Long> stayed = places(inum);
        stayed.retainAll(before);
        assertEquals(before.size() - report.rewrittenBlocks(), stayed.size());
        Attributes then = on(() -> files.attributes(inum));
        assertEquals(attributes.mtimeMicros(), then.mtimeMicros());
        assertEquals(attributes.ctimeMicros(), then.ctimeMicros());
        assertEquals(0, recompress().rewrittenBlocks());
        assertTrue(volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT).freedBytes() >= 3 * BLOCK);
        requireContent(inum);
        unmount();
        requireClean(disk);
    }

    /** Where content that comes again is shared as it is written, it is shared again; else it is told how much was. */
    @Test
    void shared_blocks_are_shared_again_or_told_of() throws Exception {
        for (boolean dedup : new boolean[] {true, false}) {
            format();
            mount(disk, dedup);
            long first = create("first");
            long second = on(() -> {
                long inum = files.create(ROOT, name("second"), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                        .inum();
                long size = files.attributes(first).size();
                for (long at = 0; at < size; ) {
                    at += files.copyRange(first, at, inum, at, size - at);
                }
                return inum;
            });
            Recompression.Report report = recompress();
            assertEquals(report.bytesBefore() / 2, report.sharedBytes(), report.toString());
            assertEquals(2 * (BLOCKS - RANDOM_BLOCKS), report.rewrittenBlocks(), report.toString());
            Set<Long> both = places(first);
            both.retainAll(places(second));
            long apart = (long) places(first).size() - both.size();
            // The tail was copied, and not shared, where nobody looks for it.
            assertEquals(dedup ? 0 : report.rewrittenBlocks() / 2 + 1, apart);
            requireContent(first);
            requireContent(second);
            unmount();
            requireClean(disk);
        }
    }

    @Test
    void what_is_written_meanwhile_wins_and_it_may_end_anywhere() throws Exception {
        format();
        mount(disk, true);
        long inum = create("file");
        byte[] expected = content();
        Random random = new Random(3);
        for (long from = 0; from >= 0; ) {
            long at = from;
            int block = random.nextInt(BLOCKS);
            byte[] bytes = new byte[100];
            random.nextBytes(bytes);
            from = on(() -> {
                files.write(inum, (long) block * BLOCK + 5000, MemorySegment.ofArray(bytes), 0);
                return files.recompress(inum, at).next();
            });
            System.arraycopy(bytes, 0, expected, block * BLOCK + 5000, 100);
            if (random.nextBoolean()) {
                on(() -> {
                    files.sync();
                    return null;
                });
            }
        }
        byte[] found = new byte[expected.length];
        on(() -> files.read(inum, 0, MemorySegment.ofArray(found)));
        assertArrayEquals(expected, found);
        assertThrows(FsException.class, () -> on(() -> files.recompress(ROOT, 0)));
        assertThrows(FsException.class, () -> on(() -> files.recompress(-1, 0)));
        assertThrows(FsException.class, () -> on(() -> files.recompress(inum, -1)));
    }

    @Test
    void a_power_cut_at_any_point_loses_nothing() throws Exception {
        format();
        mount(disk, true);
        long inum = create("file");
        unmount();
        RecordingBlockDevice device = RecordingBlockDevice.over(disk);
        try (var recording = device.recording()) {
            mount(device, true);
            for (long from = 0; from >= 0; ) {
                long at = from;
                from = on(() -> {
                    long next = files.recompress(inum, at).next();
                    files.sync();
                    return next;
                });
            }
            volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            create("more");
            unmount();
            for (long seed = 1; seed <= 60; seed++) {
                CrashState crash = recording.crash(seed);
                try (BlockDevice after = crash.open()) {
                    requireClean(after);
                    mount(after, true);
                    requireContent(inum);
                    recompress();
                    requireContent(inum);
                    unmount();
                }
            }
        }
        device.close();
    }
}
