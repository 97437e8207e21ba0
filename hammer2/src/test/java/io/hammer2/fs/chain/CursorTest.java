package io.hammer2.fs.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.testing.TreeWriter;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CursorTest {
    private static final long SMALL_CACHE = 4 * 65536;

    /** Walks on a cache so small that blocks come and go under it. */
    private static void onCpu(TreeWriter writer, long seed, TopologyTest test) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(1, seed)) {
            BlockIo io = new BlockIo(
                    lwkt.cpu(0), writer.device(), TreeWriter.DEVICE_BYTES, new PendingWrites(), SMALL_CACHE);
            Callable<Void> body = () -> {
                test.run(new Topology(io));
                io.close();
                return null;
            };
            lwkt.run(0, body);
        }
    }

    @FunctionalInterface
    private interface TopologyTest {
        void run(Topology topology) throws Exception;
    }

    private static NavigableSet<Long> someKeys(Random random) {
        NavigableSet<Long> keys = new TreeSet<>(Long::compareUnsigned);
        int count = 1 + random.nextInt(1500);
        // Now strewn over the whole range, now crowded together.
        int bits = 12 + random.nextInt(51);
        long base = random.nextLong() & ~((1L << bits) - 1);
        while (keys.size() < Math.min(count, 1 << Math.min(bits - 1, 20))) {
            keys.add(Key.DIRENT_BIT | base | (random.nextLong() & ((1L << bits) - 1)));
        }
        return keys;
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void a_walk_of_any_legal_tree_agrees_with_a_sorted_set(int round) throws Exception {
        for (int i = 0; i < 25; i++) {
            long seed = round * 1000L + i;
            Random random = new Random(seed);
            NavigableSet<Long> keys = someKeys(random);
            TreeWriter writer = new TreeWriter(random);
            BlockTable root = writer.tree(List.copyOf(keys));
            onCpu(writer, seed, topology -> {
                assertEquals(List.copyOf(keys), all(topology, root), "seed " + seed);
                seeks(topology, root, keys, random, seed);
            });
        }
    }

    private static List<Long> all(Topology topology, BlockTable root) {
        List<Long> found = new ArrayList<>();
        try (Cursor cursor = topology.cursor(root)) {
            for (boolean more = cursor.seek(0); more; more = cursor.next()) {
                found.add(cursor.key());
            }
        }
        return found;
    }

    /** One cursor for all, so that each seek starts from where the last one ended. */
    private static void seeks(Topology topology, BlockTable root, NavigableSet<Long> keys, Random random, long seed) {
        List<Long> list = List.copyOf(keys);
        try (Cursor cursor = topology.cursor(root)) {
            for (int i = 0; i < 300; i++) {
                long near = list.get(random.nextInt(list.size())) + random.nextInt(5) - 2;
                long key = random.nextInt(20) == 0 ? random.nextLong() : near;
                Long expected = keys.ceiling(key);
                assertEquals(expected != null, cursor.seek(key), "seed " + seed);
                for (int step = random.nextInt(4); step > 0 && expected != null; step--) {
                    assertEquals(expected, cursor.key(), "seed " + seed);
                    expected = keys.higher(expected);
                    assertEquals(expected != null, cursor.next(), "seed " + seed);
                }
            }
        }
    }

    @Test
    void a_table_that_contains_itself_ends_in_an_error_that_names_the_depth() throws Exception {
        TreeWriter writer = new TreeWriter(new Random(1));
        MemorySegment table = MemorySegment.ofArray(new byte[4096]);
        BlockRef self = BlockRef.builder(BlockType.INDIRECT)
                .key(Key.DIRENT_BIT, 63)
                .methods(CheckCode.DISABLED.code(), 0)
                .dataOff(writer.nextOffset(12) | 12)
                .build();
        BlockTable.of(table).set(0, self);
        writer.write(BlockRef.builder(BlockType.INDIRECT), table, CheckCode.DISABLED);
        BlockTable root = BlockTable.of(MemorySegment.ofArray(new byte[512]));
        root.set(0, self);
        root.validate(TreeWriter.DEVICE_BYTES);
        onCpu(writer, 1, topology -> {
            try (Cursor cursor = topology.cursor(root)) {
                CorruptBlockException damage = assertThrows(CorruptBlockException.class, () -> cursor.seek(-1L));
                assertTrue(damage.getMessage().startsWith("depth of indirect blocks"), damage.getMessage());
            }
        });
    }

    @Test
    void a_range_wider_than_its_parents_counts_only_inside_the_parents() throws Exception {
        TreeWriter writer = new TreeWriter(new Random(1));
        long base = Key.DIRENT_BIT;
        MemorySegment wide = MemorySegment.ofArray(new byte[4096]);
        for (int i = 0; i < 16; i++) {
            BlockTable.of(wide).set(i, TreeWriter.leaf(base + i));
        }
        BlockRef wideRef = writer.write(BlockRef.builder(BlockType.INDIRECT).key(base, 20), wide);
        MemorySegment narrow = MemorySegment.ofArray(new byte[4096]);
        BlockTable.of(narrow).set(0, wideRef);
        BlockRef narrowRef = writer.write(BlockRef.builder(BlockType.INDIRECT).key(base, 3), narrow);
        BlockTable root = BlockTable.of(MemorySegment.ofArray(new byte[512]));
        root.set(0, narrowRef);
        root.set(1, TreeWriter.leaf(base + 100));
        root.validate(TreeWriter.DEVICE_BYTES);
        onCpu(writer, 1, topology -> {
            List<Long> expected = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                expected.add(base + i);
            }
            expected.add(base + 100);
            assertEquals(expected, all(topology, root));
        });
    }

    @Test
    void after_an_error_the_cursor_can_still_seek_elsewhere() throws Exception {
        TreeWriter writer = new TreeWriter(new Random(1));
        long base = Key.DIRENT_BIT;
        MemorySegment bad = MemorySegment.ofArray(new byte[4096]);
        BlockTable.of(bad).set(0, TreeWriter.leaf(base));
        BlockRef badRef = writer.write(BlockRef.builder(BlockType.INDIRECT).key(base, 8), bad);
        writer.device()
                .writeFully(badRef.offsetBytes() + 200, TreeWriter.offHeap(MemorySegment.ofArray(new byte[] {1})));
        BlockTable root = BlockTable.of(MemorySegment.ofArray(new byte[512]));
        root.set(0, badRef);
        root.set(1, TreeWriter.leaf(base + 1000));
        root.validate(TreeWriter.DEVICE_BYTES);
        onCpu(writer, 1, topology -> {
            try (Cursor cursor = topology.cursor(root)) {
                assertThrows(CorruptBlockException.class, () -> cursor.seek(base));
                assertThrows(IllegalStateException.class, cursor::key);
                assertTrue(cursor.seek(base + 999));
                assertEquals(base + 1000, cursor.key());
                assertFalse(cursor.next());
            }
        });
    }
}
