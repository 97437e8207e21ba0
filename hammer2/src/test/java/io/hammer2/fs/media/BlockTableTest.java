package io.hammer2.fs.media;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class BlockTableTest {
    private static final long TOTAL_BYTES = 2L << 30;

    private static BlockRef entry(long key) {
        return BlockRef.builder(BlockType.DIRENT).key(Key.DIRENT_BIT | key, 0).build();
    }

    private static BlockTable table(int slots) {
        return BlockTable.of(MemorySegment.ofArray(new byte[slots * BlockRef.BYTES]));
    }

    @Test
    void a_table_with_gaps_is_searched_as_a_sorted_map() {
        Random random = new Random(3);
        for (int round = 0; round < 200; round++) {
            BlockTable table = table(32);
            NavigableMap<Long, BlockRef> model = new TreeMap<>(Long::compareUnsigned);
            long key = Key.DIRENT_BIT;
            for (int slot = 0; slot < table.slotCount(); slot++) {
                key += 1 + random.nextInt(5);
                if (random.nextInt(3) != 0) {
                    model.put(key, entry(key));
                    table.set(slot, entry(key));
                }
            }
            table.validate(TOTAL_BYTES);
            assertEquals(model.size(), table.entryCount());
            for (long probe = Key.DIRENT_BIT - 1; probe <= key + 1; probe++) {
                int slot = table.find(probe);
                assertEquals(model.get(probe), slot < 0 ? null : table.ref(slot));
                int bound = table.lowerBound(probe);
                assertEquals(model.ceilingKey(probe), bound == table.entryCount() ? null : (Long) table.key(bound));
            }
        }
    }

    @Test
    void entries_out_of_order_are_damage() {
        BlockTable table = table(4);
        table.set(0, entry(7));
        table.set(2, entry(6));
        assertEquals(
                "order of a block table",
                assertThrows(CorruptBlockException.class, () -> table.validate(TOTAL_BYTES))
                        .what());
    }

    @Test
    void overlapping_ranges_are_damage() {
        BlockTable table = table(4);
        table.set(
                0,
                BlockRef.builder(BlockType.INDIRECT)
                        .key(Key.DIRENT_BIT, 10)
                        .dataOff(0x1000000c)
                        .build());
        table.set(1, entry(1023));
        assertThrows(CorruptBlockException.class, () -> table.validate(TOTAL_BYTES));
        table.set(1, entry(1024));
        table.validate(TOTAL_BYTES);
    }

    @Test
    void nothing_follows_a_range_that_ends_at_the_last_key() {
        BlockTable table = table(4);
        table.set(
                0,
                BlockRef.builder(BlockType.INDIRECT)
                        .key(Key.DIRENT_BIT, 63)
                        .dataOff(0x1000000c)
                        .build());
        table.set(
                1,
                BlockRef.builder(BlockType.INDIRECT)
                        .key(0, 63)
                        .dataOff(0x1000000c)
                        .build());
        assertThrows(CorruptBlockException.class, () -> table.validate(TOTAL_BYTES));
    }
}
