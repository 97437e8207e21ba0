package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Content that is written again costs next to nothing, and is never taken from a place that is somebody else's by now. */
class LiveDedupTest {
    private static final long ROOT = FileSystem.ROOT_INUM;
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final int FILE_BYTES = 4 << 20;

    private final MemoryBlockDevice device = new MemoryBlockDevice(128L << 20);
    private Lwkt lwkt;
    private Hammer2 volume;
    private FileSystem files;

    private void format() throws Exception {
        Random random = new Random(1);
        Newfs.format(List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
    }

    private void mount(boolean dedup, long seed) throws Exception {
        lwkt = Lwkt.stepped(2, seed);
        volume = Hammer2.open(
                lwkt,
                List.of(new Borrowed(device)),
                MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {}).withDedup(dedup));
        files = volume.mount("DATA");
    }

    private void unmount() throws Exception {
        volume.close();
        volume = null;
        lwkt.close();
        List<String> problems = new ArrayList<>();
        Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        assertEquals(List.of(), problems);
    }

    @AfterEach
    void close() throws Exception {
        if (volume != null) {
            volume.close();
            lwkt.close();
        }
        device.close();
    }

    private <T> T on(Callable<T> body) throws Exception {
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

    private long create(String name, byte[] bytes) throws Exception {
        return on(() -> {
            long inum = files.create(ROOT, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                    .inum();
            MemorySegment all = MemorySegment.ofArray(bytes);
            for (long at = 0; at < bytes.length; at += 1 << 20) {
                files.write(inum, at, all.asSlice(at, Math.min(1 << 20, bytes.length - at)), 0);
            }
            return inum;
        });
    }

    private void sync() throws Exception {
        on(() -> {
            files.sync();
            return null;
        });
    }

    private byte[] content(String name) throws Exception {
        return on(() -> {
            var there = files.lookup(ROOT, name(name));
            byte[] bytes = new byte[(int) there.size()];
            files.read(there.inum(), 0, MemorySegment.ofArray(bytes));
            return bytes;
        });
    }

    private long free() throws Exception {
        sync();
        return on(() -> files.statfs().blocksFree() * files.statfs().blockBytes());
    }

    private Set<Long> places(String name) throws Exception {
        Set<Long> places = new TreeSet<>();
        on(() -> files.storedBlocks(files.lookup(ROOT, name(name)).inum(), 0, (offset, dataOff, methods, check) -> {
            places.add(dataOff);
            return true;
        }));
        return places;
    }

    /** Written a moment ago, or long ago and read since; the allocator works in granules, so count them as four blocks of 64 KiB. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_second_copy_of_4_mib_takes_at_most_four_blocks(boolean remounted) throws Exception {
        format();
        mount(true, 1);
        byte[] bytes = random(FILE_BYTES, 1);
        create("first", bytes);
        sync();
        if (remounted) {
            unmount();
            mount(true, 2);
            assertArrayEquals(bytes, content("first"));
        }
        long before = free();
        create("second", bytes);
        long taken = before - free();
        assertTrue(taken <= 4 * BLOCK, taken + " bytes");
        assertEquals(places("first"), places("second"));
        assertArrayEquals(bytes, content("second"));
        unmount();
        mount(false, 3);
        assertArrayEquals(bytes, content("first"));
        assertArrayEquals(bytes, content("second"));
    }

    @Test
    void without_it_a_second_copy_takes_as_much_as_the_first() throws Exception {
        format();
        mount(false, 1);
        create("first", random(FILE_BYTES, 1));
        long before = free();
        create("second", random(FILE_BYTES, 1));
        assertTrue(before - free() >= FILE_BYTES);
    }

    /** Also when it is written within one commit, in one file, and compressed. */
    @Test
    void what_is_still_on_its_way_is_shared_too() throws Exception {
        format();
        mount(true, 1);
        byte[] bytes = new byte[16 * BLOCK + 1000];
        byte[] text = random(100, 5);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = text[i % BLOCK % 100];
        }
        create("a", bytes);
        create("b", bytes);
        sync();
        assertEquals(2, places("a").size());
        assertEquals(places("a"), places("b"));
        assertArrayEquals(bytes, content("b"));
        unmount();
    }

    /** The last owner is gone, bulkfree has staged its blocks or freed them, and then the content comes again. */
    @Test
    void what_was_deleted_a_moment_ago_comes_back_or_is_written_anew() throws Exception {
        format();
        mount(true, 1);
        byte[] bytes = random(FILE_BYTES, 3);
        for (int passes = 0; passes < 3; passes++) {
            create("file", bytes);
            sync();
            on(() -> {
                files.unlink(ROOT, name("file"));
                return null;
            });
            for (int i = 0; i < passes; i++) {
                volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            }
            // What is free by now is somebody else's.
            create("other" + passes, random(FILE_BYTES, 100 + passes));
            create("file", bytes);
            volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            create("more" + passes, random(FILE_BYTES, 200 + passes));
            sync();
            assertArrayEquals(bytes, content("file"), passes + " passes");
            assertArrayEquals(random(FILE_BYTES, 100 + passes), content("other" + passes));
            on(() -> {
                files.unlink(ROOT, name("file"));
                return null;
            });
        }
        unmount();
    }

    /** As if a check code had lied: what is found is compared with what is written. */
    @Test
    void what_is_damaged_on_the_medium_is_not_shared() throws Exception {
        format();
        mount(true, 1);
        byte[] bytes = random(BLOCK, 4);
        create("a", bytes);
        sync();
        long place = places("a").iterator().next();
        device.writeFully(place & ~63L, MemorySegment.ofArray(new byte[512]));
        create("b", bytes);
        sync();
        assertTrue(!places("b").contains(place));
        assertArrayEquals(bytes, content("b"));
    }
}
