package io.hammer2.fs.fsck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import org.junit.jupiter.api.Test;

final class TablesTest {
    @Test
    void inodes_are_found_by_number_also_the_root_and_those_below_it() {
        InodeTable table = new InodeTable();
        assertEquals(-1, table.find(1));
        assertEquals(0, table.add(1, 1, 1));
        assertEquals(1, table.add(0, 2, 1));
        for (int i = 0; i < 5000; i++) {
            assertEquals(i + 2, table.add(1024 + 3L * i, 2, i));
        }
        table.add(-5, 2, -1);
        assertEquals(0, table.find(1));
        assertEquals(1, table.find(0));
        assertEquals(-1, table.find(2));
        for (int i = 0; i < 5000; i++) {
            assertEquals(i + 2, table.find(1024 + 3L * i));
            assertEquals(-1, table.find(1025 + 3L * i));
            assertEquals(i, table.nlinks(i + 2));
        }
        assertEquals(5002, table.find(-5));
        assertEquals(Integer.MAX_VALUE, table.nlinks(5002));
    }

    @Test
    void directories_keep_what_they_were_given_when_the_table_grows() {
        DirectoryTable table = new DirectoryTable();
        for (int i = 0; i < 1000; i++) {
            table.add(10 * i, 1024 + i, 77L * i, i, 2L * i, 3L * i, 4L * i);
        }
        for (int i = 0; i < 1000; i++) {
            assertEquals(i, table.ofInode(10 * i));
            assertTrue(table.ofInode(10 * i + 1) < 0);
            assertEquals(1024 + i, table.inum(i));
            assertEquals(77L * i, table.dataOff(i));
            assertEquals(4L * i, table.iparent(i));
            assertTrue(table.parent(i) < 0);
        }
    }

    @Test
    void a_subtree_is_right_for_another_reference_only_if_nothing_about_that_could_be_wrong() {
        SubtreeMemo memo = new SubtreeMemo(1 << 24);
        BlockRef first = indirect((1L << 24) | 14, 0, 100, 5);
        Tally tally = new Tally();
        BlockRef data = BlockRef.builder(BlockType.DATA)
                .key(0x20000, 16)
                .dataOff((1L << 25) | 10)
                .tids(90, 1)
                .build();
        tally.add(data);
        tally.cover(data.key(), data.keyEnd());
        memo.put(first, tally);
        Place everywhere = Place.root("file", 0, -1L, 1000);
        assertTrue(right(memo, indirect(first.dataOff(), 0, 100, 1024), everywhere, 0x20001));
        assertTrue(right(memo, indirect(first.dataOff(), 0, 90, 1024), everywhere, 1L << 40));
        // The file is shorter, the block newer than the reference, the sum another, the range too narrow, the block
        // unknown.
        assertFalse(right(memo, indirect(first.dataOff(), 0, 100, 1024), everywhere, 0x20000));
        assertFalse(right(memo, indirect(first.dataOff(), 0, 89, 1024), everywhere, 1L << 40));
        assertFalse(right(memo, indirect(first.dataOff(), 0, 100, 1025), everywhere, 1L << 40));
        assertFalse(right(memo, indirect(first.dataOff(), 1 << 23, 100, 1024), everywhere, 1L << 40));
        assertFalse(
                right(memo, indirect(first.dataOff(), 0, 100, 1024), Place.root("file", 0x30000, -1L, 1000), 1L << 40));
        assertFalse(right(memo, indirect((1L << 26) | 14, 0, 100, 1024), everywhere, 1L << 40));
    }

    @Test
    void subtrees_stay_known_when_the_memo_grows() {
        SubtreeMemo memo = new SubtreeMemo(1 << 24);
        Tally tally = new Tally();
        tally.cover(0, 65535);
        for (long i = 1; i <= 20_000; i++) {
            memo.put(indirect((i << 14) | 14, 0, 100, 0), tally);
        }
        Place everywhere = Place.root("file", 0, -1L, 1000);
        for (long i = 1; i <= 20_000; i++) {
            assertTrue(right(memo, indirect((i << 14) | 14, 0, 100, 0), everywhere, 1), "block " + i);
        }
        assertFalse(right(memo, indirect((20_001L << 14) | 14, 0, 100, 0), everywhere, 1));
    }

    private static boolean right(SubtreeMemo memo, BlockRef ref, Place place, long sizeBytes) {
        return memo.isRightFor(ref, place, sizeBytes, new Tally());
    }

    private static BlockRef indirect(long dataOff, long key, long mirrorTid, long dataCount) {
        return BlockRef.builder(BlockType.INDIRECT)
                .key(key, 23)
                .dataOff(dataOff)
                .tids(mirrorTid, 1)
                .counts(dataCount, 0)
                .build();
    }
}
