package io.hammer2.fs.sweep;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.SteppedVolume;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is stored otherwise than its file wants by now is written anew, and nothing else changes. */
class RecompressionTest {
    private static final long ROOT = FileSystem.ROOT_INUM;
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final long MEMORY = 4 << 20;

    /** At the beginning, of which no method makes less. */
    private static final int RANDOM_BLOCKS = 12;

    private static final int NONE = 0;
    private static final int LZ4 = 2;
    private static final int ZLIB = 3;
    private static final int ZSTD = 4;

    private static final int BLOCKS = 40;

    private final SteppedVolume volume = new SteppedVolume(256L << 20);

    private void mount(BlockDevice device, boolean dedup) throws Exception {
        volume.mount(device, 1, options -> options.withDedup(dedup));
    }

    @AfterEach
    void close() throws Exception {
        volume.close();
    }

    private void setPolicy(long inum, int compAlgo) throws Exception {
        volume.on(() -> {
            volume.files().setDataPolicy(inum, compAlgo, FileSystem.POLICY_KEEP);
            return null;
        });
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
                Arrays.fill(one, 3000, BLOCK, (byte) block);
                // Half a byte each, which LZ4 makes nothing of and the others do: 4 KiB, and 2.
                for (int i = 0; i < 3000; i++) {
                    one[i] &= 15;
                }
            }
            System.arraycopy(one, 0, bytes, block * BLOCK, BLOCK);
        }
        return bytes;
    }

    /** Stored as it is; its file wants another compression by now. */
    private long create(String name, int compAlgo) throws Exception {
        long inum = volume.create(name);
        setPolicy(inum, NONE);
        volume.write(inum, content());
        volume.sync();
        setPolicy(inum, compAlgo);
        return inum;
    }

    private long storedBytes(long inum) throws Exception {
        return volume.places(inum).stream()
                .mapToLong(place -> 1L << (place & 63))
                .sum();
    }

    private Recompression.Report recompress() throws Exception {
        Recompression.Report report =
                volume.on(() -> new Recompression(new MountedFiles(volume.files()), MEMORY, so -> {}).run(ROOT));
        volume.sync();
        return report;
    }

    private void requireContent(long inum) throws Exception {
        assertArrayEquals(content(), volume.content(inum));
    }

    private static void requireClean(BlockDevice device) {
        assertEquals(List.of(), SteppedVolume.problems(device));
    }

    @Test
    void what_gets_smaller_is_rewritten_and_the_rest_stays_where_it_is() throws Exception {
        volume.format();
        mount(volume.disk(), false);
        long inum = create("file", LZ4);
        Attributes attributes = volume.on(() -> volume.files().attributes(inum));
        Set<Long> before = volume.places(inum);
        long bytes = storedBytes(inum);
        Recompression.Report report = recompress();
        assertEquals(BLOCKS - RANDOM_BLOCKS, report.rewrittenBlocks(), report.toString());
        assertTrue(report.bytesAfter() <= report.bytesBefore() / 8, report.toString());
        assertEquals(bytes - storedBytes(inum), report.bytesBefore() - report.bytesAfter());
        Set<Long> stayed = volume.places(inum);
        stayed.retainAll(before);
        assertEquals(before.size() - report.rewrittenBlocks(), stayed.size());
        Attributes then = volume.on(() -> volume.files().attributes(inum));
        assertEquals(attributes.mtimeMicros(), then.mtimeMicros());
        assertEquals(attributes.ctimeMicros(), then.ctimeMicros());
        assertEquals(0, recompress().rewrittenBlocks());
        assertTrue(volume.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT).freedBytes() >= 3 * BLOCK);
        requireContent(inum);
        volume.unmount();
        requireClean(volume.disk());
    }

    /** Where content that comes again is shared as it is written, it is shared again; else it is told how much was. */
    @Test
    void shared_blocks_are_shared_again_or_told_of() throws Exception {
        for (boolean dedup : new boolean[] {true, false}) {
            volume.format();
            mount(volume.disk(), dedup);
            long first = create("first", LZ4);
            long second = volume.create("second");
            volume.on(() -> {
                long size = volume.files().attributes(first).size();
                for (long at = 0; at < size; ) {
                    at += volume.files().copyRange(first, at, second, at, size - at);
                }
                return null;
            });
            Recompression.Report report = recompress();
            assertEquals(report.bytesBefore() / 2, report.sharedBytes(), report.toString());
            assertEquals(2 * (BLOCKS - RANDOM_BLOCKS), report.rewrittenBlocks(), report.toString());
            Set<Long> both = volume.places(first);
            both.retainAll(volume.places(second));
            long apart = (long) volume.places(first).size() - both.size();
            // The tail was copied, and not shared, where nobody looks for it.
            assertEquals(dedup ? 0 : report.rewrittenBlocks() / 2 + 1, apart);
            requireContent(first);
            requireContent(second);
            volume.unmount();
            requireClean(volume.disk());
        }
    }

    @Test
    void what_is_written_meanwhile_wins_and_it_may_end_anywhere() throws Exception {
        volume.format();
        mount(volume.disk(), true);
        long inum = create("file", LZ4);
        byte[] expected = content();
        Random random = new Random(3);
        for (long from = 0; from >= 0; ) {
            long at = from;
            int block = random.nextInt(BLOCKS);
            byte[] bytes = new byte[100];
            random.nextBytes(bytes);
            from = volume.on(() -> {
                volume.files().write(inum, (long) block * BLOCK + 5000, MemorySegment.ofArray(bytes), 0);
                return volume.files().recompress(inum, at).next();
            });
            System.arraycopy(bytes, 0, expected, block * BLOCK + 5000, 100);
            if (random.nextBoolean()) {
                volume.sync();
            }
        }
        byte[] found = new byte[expected.length];
        volume.on(() -> volume.files().read(inum, 0, MemorySegment.ofArray(found)));
        assertArrayEquals(expected, found);
        assertThrows(FsException.class, () -> volume.on(() -> volume.files().recompress(ROOT, 0)));
        assertThrows(FsException.class, () -> volume.on(() -> volume.files().recompress(-1, 0)));
        assertThrows(FsException.class, () -> volume.on(() -> volume.files().recompress(inum, -1)));
    }

    /** With zstd also the mark in the header, without which the checker takes no block of it. */
    @ParameterizedTest
    @ValueSource(ints = {LZ4, ZLIB, ZSTD})
    void a_power_cut_at_any_point_loses_nothing(int compAlgo) throws Exception {
        volume.format();
        mount(volume.disk(), true);
        long inum = create("file", LZ4);
        volume.unmount();
        RecordingBlockDevice device = RecordingBlockDevice.over(volume.disk());
        try (var recording = device.recording()) {
            mount(device, true);
            setPolicy(inum, compAlgo);
            for (long from = 0; from >= 0; ) {
                long at = from;
                from = volume.on(() -> {
                    long next = volume.files().recompress(inum, at).next();
                    volume.files().sync();
                    return next;
                });
            }
            volume.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            create("more", compAlgo);
            volume.unmount();
            for (long seed = 1; seed <= 40; seed++) {
                CrashState crash = recording.crash(seed);
                try (BlockDevice after = crash.open()) {
                    requireClean(after);
                    mount(after, true);
                    requireContent(inum);
                    recompress();
                    requireContent(inum);
                    // What was set may have gone with the power.
                    setPolicy(inum, compAlgo);
                    recompress();
                    assertTrue(volume.encodings(inum).contains(compAlgo), () -> "not there, seed " + crash);
                    requireContent(inum);
                    volume.unmount();
                }
            }
        }
        device.close();
    }
}
