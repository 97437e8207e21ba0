package io.hammer2.fs.chain;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.flush.Counters;
import io.hammer2.fs.flush.Flush;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Key;
import io.hammer2.fs.testing.TreeWriter;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Random changes and flushes of a tree, against a sorted map and against the rules of section 7. */
class TopologyModelTest {
    private static final int ROUNDS = 40;
    private static final int OPERATIONS = 1500;

    /** One tree with its model. */
    private static final class World {
        private final Chain.Kind kind;
        private final Random random;
        private final TreeWriter writer;
        private final Topology topology;
        private final NavigableMap<Long, BlockRef> model = new TreeMap<>(Long::compareUnsigned);
        private final int spreadBits;
        private Chain root;
        private long mirrorTid = 17;

        private World(Chain.Kind kind, Random random, TreeWriter writer, Topology topology) {
            this.kind = kind;
            this.random = random;
            this.writer = writer;
            this.topology = topology;
            this.spreadBits = 4 + random.nextInt(44);
            this.root = Chain.root(kind, BlockTable.empty(4));
        }

        private long someKey() {
            long spread = random.nextLong() & ((1L << spreadBits) - 1);
            if (kind == Chain.Kind.FILE) {
                return Key.base(spread << 15 & Long.MAX_VALUE, 16);
            }
            return random.nextInt(10) == 0 ? spread : Key.DIRENT_BIT | spread;
        }

        private BlockRef leaf(long key) {
            BlockRef.Builder ref = kind == Chain.Kind.FILE
                    ? BlockRef.builder(BlockType.DATA).key(key, 16).dataOff(0x1000_000AL)
                    : key < 0
                            ? TreeWriter.leaf(key).toBuilder()
                            : BlockRef.builder(BlockType.INODE).key(key, 0).dataOff(0x1000_000AL);
            return ref.tids(mirrorTid, random.nextInt(1000)).build();
        }

        private void operate() {
            long key = someKey();
            switch (random.nextInt(10)) {
                case 0, 1, 2, 3, 4 -> {
                    if (!model.containsKey(key)) {
                        BlockRef leaf = leaf(key);
                        model.put(key, leaf);
                        topology.insert(root, leaf);
                    } else {
                        assertThrows(IllegalStateException.class, () -> topology.insert(root, leaf(key)));
                    }
                }
                case 5 -> {
                    BlockRef leaf = leaf(key);
                    assertEquals(model.replace(key, leaf) != null, topology.replace(root, key, leaf));
                }
                default -> {
                    Long victim = random.nextBoolean() ? model.ceilingKey(key) : (Long) key;
                    if (victim != null) {
                        assertEquals(model.remove(victim) != null, topology.replace(root, victim, null));
                    }
                }
            }
        }

        private void flush() {
            new Flush(
                            (before, ref, stored) -> {
                                try {
                                    return writer.write(ref, TreeWriter.offHeap(stored));
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            },
                            3,
                            ++mirrorTid)
                    .below(root);
            // As if mounted anew: from the committed table alone.
            root = Chain.root(kind, root.table().copy().validate(TreeWriter.DEVICE_BYTES));
        }

        private void check() {
            List<BlockRef> found = new ArrayList<>();
            try (Cursor cursor = topology.cursor(root)) {
                for (boolean more = cursor.seek(0); more; more = cursor.next()) {
                    found.add(cursor.ref());
                }
                for (int i = 0; i < 20; i++) {
                    long key = someKey();
                    Long expected = model.ceilingKey(kind == Chain.Kind.FILE ? Key.base(key, 16) : key);
                    assertEquals(expected, cursor.seek(key) ? (Long) cursor.key() : null);
                }
            }
            assertEquals(List.copyOf(model.values()), found);
        }

        /** Rules 3 to 5: aligned ranges, every leaf inside of all on its path; the halves of a PFS root apart (section 8.2). */
        private void checkShape(BlockTable table, long low, long high) {
            for (int slot = 0; slot < table.entryCount(); slot++) {
                BlockRef ref = table.ref(slot);
                boolean inside = Key.lessOrEqual(low, ref.key()) && Key.lessOrEqual(ref.keyEnd(), high);
                assertTrue(inside || ref.type() == BlockType.INDIRECT, ref.toString());
                if (ref.type() == BlockType.INDIRECT) {
                    CachedBlock block = topology.io().load(ref);
                    checkShape(block.table(), inside ? ref.key() : low, inside ? ref.keyEnd() : high);
                    Counters counters = Counters.of(block.table());
                    assertEquals(counters.dataCount(), ref.dataCount());
                    assertEquals(counters.inodeCount(), ref.inodeCount());
                    assertEquals(counters.leafCount(), ref.leafCount());
                    assertTrue(block.table().entryCount() > 0, "an empty indirect block was written");
                    topology.io().release(block);
                }
            }
        }
    }

    private static void inWorld(Chain.Kind kind, long seed, java.util.function.Consumer<World> body) throws Exception {
        Random random = new Random(seed);
        TreeWriter writer = new TreeWriter(random);
        try (Lwkt lwkt = Lwkt.stepped(1, seed)) {
            lwkt.run(0, () -> {
                BlockIo io = new BlockIo(
                        lwkt.cpu(0), writer.device(), TreeWriter.DEVICE_BYTES, new PendingWrites(), 16 * 65536);
                body.accept(new World(kind, random, writer, new Topology(io)));
                io.close();
                return null;
            });
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"FILE", "DIRECTORY"})
    void any_changes_and_flushes_agree_with_a_sorted_map(Chain.Kind kind) throws Exception {
        for (int round = 0; round < ROUNDS; round++) {
            long seed = 9000L + round;
            try {
                inWorld(kind, seed, world -> {
                    for (int i = 0; i < OPERATIONS; i++) {
                        world.operate();
                        if (world.random.nextInt(150) == 0) {
                            world.check();
                            world.flush();
                            world.checkShape(world.root.table(), 0, -1L);
                            world.check();
                        }
                    }
                    world.check();
                });
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    @Test
    void a_tree_that_loses_everything_ends_as_an_empty_root() throws Exception {
        inWorld(Chain.Kind.DIRECTORY, 5, world -> {
            for (int i = 0; i < 600; i++) {
                world.topology.insert(world.root, TreeWriter.leaf(Key.DIRENT_BIT + i * 977L));
            }
            world.flush();
            assertFalse(world.root.table().entryCount() == 0);
            for (int i = 0; i < 600; i++) {
                assertTrue(world.topology.replace(world.root, Key.DIRENT_BIT + i * 977L, null));
            }
            world.flush();
            assertEquals(0, world.root.table().entryCount());
        });
    }

    @Test
    void file_data_gets_the_ranges_that_the_reference_would_choose() throws Exception {
        inWorld(Chain.Kind.FILE, 6, world -> {
            for (int i = 0; i < 1000; i++) {
                world.topology.insert(world.root, world.leaf(i * 65536L));
            }
            world.flush();
            // 16 KiB blocks of 128 entries: 8 MiB each, and 1 GiB above (section 7.1).
            List<Integer> keybits = new ArrayList<>();
            for (int slot = 0; slot < world.root.table().entryCount(); slot++) {
                keybits.add(world.root.table().keybits(slot));
            }
            assertTrue(keybits.stream().allMatch(bits -> bits == 16 || bits == 23 || bits == 30), keybits.toString());
            assertNull(world.root.child(0));
        });
    }
}
