package io.hammer2.fs.fsck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.media.BlockType;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/** Claims against a map from start to block, where every overlap is found by looking. */
final class BlockMapTest {
    private static final BlockType[] TYPES = {BlockType.INODE, BlockType.INDIRECT, BlockType.DATA, BlockType.DIRENT};

    private record Known(int radix, BlockType type) {}

    @Test
    void claims_are_what_a_naive_model_says() {
        for (long seed = 1; seed <= 40; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            BlockMap map = new BlockMap(Long.MAX_VALUE);
            TreeMap<Long, Known> model = new TreeMap<>();
            long base = random.nextLong(1L << 20) << 22;
            for (int i = 0; i < 600; i++) {
                int radix = random.nextInt(10, 17);
                BlockType type = TYPES[random.nextInt(TYPES.length)];
                long offset = place(base, radix, random);
                if (!model.isEmpty() && random.nextInt(3) == 0) {
                    Map.Entry<Long, Known> again = model.ceilingEntry(base + random.nextInt(1 << 20));
                    again = again == null ? model.firstEntry() : again;
                    offset = again.getKey();
                    radix = again.getValue().radix;
                    type = random.nextInt(4) == 0 ? type : again.getValue().type;
                }
                BlockMap.Claim expected = expected(model, offset, radix, type);
                // After an overlap the map only knows that something is there: what comes next is no longer defined.
                if (expected == BlockMap.Claim.FIRST) {
                    model.put(offset, new Known(radix, type));
                } else if (expected == BlockMap.Claim.OVERLAP) {
                    continue;
                }
                assertEquals(
                        expected,
                        map.claim(offset, radix, type, false),
                        "seed " + seed + " step " + i + " offset " + Long.toHexString(offset) + " radix " + radix);
            }
            for (Map.Entry<Long, Known> block : model.entrySet()) {
                assertTrue(map.has(block.getKey(), block.getValue().radix, block.getValue().type, 0));
            }
        }
    }

    @Test
    void every_kind_of_overlap_is_found() {
        int[] radixes = {10, 12, 13, 14, 15, 16};
        for (int first : radixes) {
            for (int second : radixes) {
                for (long shift = 0; shift < 65536; shift += 1 << Math.min(second, 13)) {
                    BlockMap map = new BlockMap(Long.MAX_VALUE);
                    long at = (1L << 30) | (1 << 23);
                    assertEquals(BlockMap.Claim.FIRST, map.claim(at, first, BlockType.DATA, false));
                    if (second >= 14 && shift % (1 << second) != 0) {
                        continue;
                    }
                    BlockMap.Claim expected = shift >= 1 << first
                            ? BlockMap.Claim.FIRST
                            : shift == 0 && first == second ? BlockMap.Claim.AGAIN : BlockMap.Claim.OVERLAP;
                    assertEquals(expected, map.claim(at + shift, second, BlockType.DATA, false), first + " " + second);
                }
            }
        }
    }

    @Test
    void flags_belong_to_the_block_and_go_when_asked() {
        BlockMap map = new BlockMap(Long.MAX_VALUE);
        map.claim(4096, 10, BlockType.INODE, false);
        map.claim(1 << 20, 16, BlockType.DATA, false);
        map.mark(4096, 10, BlockType.INODE, BlockMap.WALKED);
        map.mark(1 << 20, 16, BlockType.DATA, BlockMap.VERIFIED);
        map.mark(5120, 10, BlockType.INODE, BlockMap.WALKED);
        assertTrue(map.has(4096, 10, BlockType.INODE, BlockMap.WALKED));
        assertFalse(map.has(4096, 10, BlockType.INODE, BlockMap.WALKED | BlockMap.VERIFIED));
        assertFalse(map.has(4096, 10, BlockType.DATA, 0));
        assertFalse(map.has(5120, 10, BlockType.INODE, 0));
        assertTrue(map.has(1 << 20, 16, BlockType.DATA, BlockMap.VERIFIED));
        map.clearFlags();
        assertTrue(map.has(4096, 10, BlockType.INODE, 0));
        assertFalse(map.has(4096, 10, BlockType.INODE, BlockMap.WALKED));
        assertEquals(BlockMap.Claim.AGAIN, map.claim(4096, 10, BlockType.INODE, false));
    }

    @Test
    void a_granule_is_newer_if_any_block_in_it_is() {
        BlockMap map = new BlockMap(Long.MAX_VALUE);
        map.claim(0, 10, BlockType.INODE, false);
        assertFalse(map.segment(0, 0).isNewer(0));
        map.claim(1024, 10, BlockType.INODE, true);
        map.claim(65536, 16, BlockType.DATA, true);
        assertTrue(map.segment(0, 0).isNewer(0));
        assertFalse(map.segment(0, 0).isUsed(1));
        for (int granule = 4; granule < 8; granule++) {
            assertTrue(map.segment(0, 0).isUsed(granule) && map.segment(0, 0).isNewer(granule));
        }
    }

    @Test
    void a_terabyte_of_blocks_takes_a_byte_for_each_granule_and_no_more_than_is_allowed() {
        long bytesMax = 32 << 20;
        BlockMap map = new BlockMap(bytesMax);
        long claimed = 0;
        for (long offset = 0; offset < 1L << 40 && !map.isFull(); offset += 65536) {
            map.claim(offset, 16, BlockType.DATA, false);
            claimed++;
        }
        assertTrue(map.isFull(), "a bound that is never met bounds nothing");
        // 4 bytes for each block of 64 KiB, and what the segments' objects cost.
        assertTrue(claimed > bytesMax / 5 - 65536, "only " + claimed + " blocks fit");
        assertEquals(BlockMap.Claim.AGAIN, map.claim(0, 16, BlockType.DATA, false));
    }

    private static long place(long base, int radix, SplittableRandom random) {
        long within = random.nextLong(1 << 20);
        if (radix >= 14) {
            return base + (within & -(1L << radix));
        }
        long granule = within & -16384L;
        return base + granule + 1024L * random.nextInt(17 - (1 << (radix - 10)));
    }

    private static BlockMap.Claim expected(Map<Long, Known> model, long offset, int radix, BlockType type) {
        Known same = model.get(offset);
        if (same != null && same.radix == radix) {
            return same.type == type ? BlockMap.Claim.AGAIN : BlockMap.Claim.OTHER_TYPE;
        }
        for (Map.Entry<Long, Known> block : model.entrySet()) {
            boolean apart = offset + (1L << radix) <= block.getKey()
                    || block.getKey() + (1L << block.getValue().radix) <= offset;
            if (!apart) {
                return BlockMap.Claim.OVERLAP;
            }
        }
        return BlockMap.Claim.FIRST;
    }
}
