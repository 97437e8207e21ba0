package io.hammer2.fs;

import static io.hammer2.fs.testing.SteppedVolume.name;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.SteppedVolume;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Content that is written again costs next to nothing, and is never taken from a place that is somebody else's by now. */
class LiveDedupTest {
    private static final long ROOT = FileSystem.ROOT_INUM;
    private static final int BLOCK = Limits.BLOCK_BYTES_MAX;
    private static final int FILE_BYTES = 4 << 20;

    private final SteppedVolume volume = new SteppedVolume(128L << 20);

    private void mount(boolean dedup, long seed) throws Exception {
        volume.mount(volume.disk(), seed, options -> options.withDedup(dedup));
    }

    private void unmount() throws Exception {
        volume.unmount();
        assertEquals(List.of(), SteppedVolume.problems(volume.disk()));
    }

    @AfterEach
    void close() throws Exception {
        volume.close();
    }

    private static byte[] random(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private long inum(String name) throws Exception {
        return volume.on(() -> volume.files().lookup(ROOT, name(name)).inum());
    }

    private byte[] content(String name) throws Exception {
        return volume.content(inum(name));
    }

    private Set<Long> places(String name) throws Exception {
        return volume.places(inum(name));
    }

    private long free() throws Exception {
        volume.sync();
        return volume.on(() ->
                volume.files().statfs().blocksFree() * volume.files().statfs().blockBytes());
    }

    /** Written a moment ago, or long ago and read since; the allocator works in granules, so count them as four blocks of 64 KiB. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void a_second_copy_of_4_mib_takes_at_most_four_blocks(boolean remounted) throws Exception {
        volume.format();
        mount(true, 1);
        byte[] bytes = random(FILE_BYTES, 1);
        volume.create("first", bytes);
        volume.sync();
        if (remounted) {
            unmount();
            mount(true, 2);
            assertArrayEquals(bytes, content("first"));
        }
        long before = free();
        volume.create("second", bytes);
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
        volume.format();
        mount(false, 1);
        volume.create("first", random(FILE_BYTES, 1));
        long before = free();
        volume.create("second", random(FILE_BYTES, 1));
        assertTrue(before - free() >= FILE_BYTES);
    }

    /** Also when it is written within one commit, in one file, and compressed. */
    @Test
    void what_is_still_on_its_way_is_shared_too() throws Exception {
        volume.format();
        mount(true, 1);
        byte[] bytes = new byte[16 * BLOCK + 1000];
        byte[] text = random(100, 5);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = text[i % BLOCK % 100];
        }
        volume.create("a", bytes);
        volume.create("b", bytes);
        volume.sync();
        assertEquals(2, places("a").size());
        assertEquals(places("a"), places("b"));
        assertArrayEquals(bytes, content("b"));
        unmount();
    }

    /** The last owner is gone, bulkfree has staged its blocks or freed them, and then the content comes again. */
    @Test
    void what_was_deleted_a_moment_ago_comes_back_or_is_written_anew() throws Exception {
        volume.format();
        mount(true, 1);
        byte[] bytes = random(FILE_BYTES, 3);
        for (int passes = 0; passes < 3; passes++) {
            volume.create("file", bytes);
            volume.sync();
            volume.on(() -> {
                volume.files().unlink(ROOT, name("file"));
                return null;
            });
            for (int i = 0; i < passes; i++) {
                volume.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            }
            // What is free by now is somebody else's.
            volume.create("other" + passes, random(FILE_BYTES, 100 + passes));
            volume.create("file", bytes);
            volume.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            volume.create("more" + passes, random(FILE_BYTES, 200 + passes));
            volume.sync();
            assertArrayEquals(bytes, content("file"), passes + " passes");
            assertArrayEquals(random(FILE_BYTES, 100 + passes), content("other" + passes));
            volume.on(() -> {
                volume.files().unlink(ROOT, name("file"));
                return null;
            });
        }
        unmount();
    }

    /** As if a check code had lied: what is found is compared with what is written. */
    @Test
    void what_is_damaged_on_the_medium_is_not_shared() throws Exception {
        volume.format();
        mount(true, 1);
        byte[] bytes = random(BLOCK, 4);
        volume.create("a", bytes);
        volume.sync();
        long place = places("a").iterator().next();
        volume.disk().writeFully(place & ~63L, MemorySegment.ofArray(new byte[512]));
        volume.create("b", bytes);
        volume.sync();
        assertTrue(!places("b").contains(place));
        assertArrayEquals(bytes, content("b"));
    }
}
