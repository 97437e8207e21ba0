package io.hammer2.fs.freemap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.FreemapLeaf.Granule;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SegmentLeaseTest {
    private static final long OFFSET = 5L * Limits.FREEMAP_SEGMENT_BYTES;
    private static final int GRANULE = Limits.FREEMAP_GRANULE_BYTES;
    private static final int CLASS = SegmentLease.classOf(BlockType.DATA);

    private static FreemapLeaf unused() {
        FreemapLeaf entry = new FreemapLeaf(MemorySegment.ofArray(new byte[128]));
        entry.setAvailBytes(0, Limits.FREEMAP_SEGMENT_BYTES);
        return entry;
    }

    /** What section 4.1 and 6.4 ask for, of random allocations in a segment that others have used. */
    @Test
    void every_place_is_free_aligned_and_accounted_for() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            FreemapLeaf entry = unused();
            BitSet used = new BitSet();
            for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                if (random.nextInt(4) == 0) {
                    entry.setGranule(0, granule, random.nextBoolean() ? Granule.ALLOCATED : Granule.STAGED);
                    entry.setAvailBytes(0, entry.availBytes(0) - GRANULE);
                    used.set(granule * 16, granule * 16 + 16);
                }
            }
            SegmentLease lease = new SegmentLease(OFFSET, CLASS, entry);
            for (int i = 0; i < 400; i++) {
                int radix = 10 + random.nextInt(7);
                long found = lease.allocate(radix, random.nextLong() & Long.MAX_VALUE & -65536L);
                if (found == SegmentLease.NONE) {
                    continue;
                }
                assertEquals(radix, found & 63);
                int place = (int) ((found & ~63L) - OFFSET);
                int size = 1 << radix;
                String what = "seed " + seed + ", place " + place + ", radix " + radix;
                assertTrue(place >= 0 && place + size <= Limits.FREEMAP_SEGMENT_BYTES, what);
                assertEquals(0, place % Math.min(size, radix < 14 ? 1024 : size), what);
                assertTrue(radix >= 14 || place / GRANULE == (place + size - 1) / GRANULE, what);
                int first = place / 1024;
                int next = used.nextSetBit(first);
                assertTrue(next < 0 || next >= first + size / 1024, what + " is in use");
                used.set(first, first + size / 1024);
                for (int granule = place / GRANULE; granule <= (place + size - 1) / GRANULE; granule++) {
                    assertEquals(Granule.ALLOCATED, lease.map().granule(0, granule), what);
                }
            }
            int free = 0;
            for (int granule = 0; granule < FreemapLeaf.GRANULE_COUNT; granule++) {
                free += lease.map().granule(0, granule) == Granule.FREE ? 1 : 0;
            }
            assertEquals(free * GRANULE, lease.map().availBytes(0), "seed " + seed);
            assertEquals((entry.availBytes(0) - lease.map().availBytes(0)) / GRANULE, lease.settle());
        }
    }

    @Test
    void a_segment_is_used_to_the_last_kilobyte() {
        SegmentLease lease = new SegmentLease(OFFSET, CLASS, unused());
        for (int i = 0; i < Limits.FREEMAP_SEGMENT_BYTES / 1024; i++) {
            assertFalse(lease.allocate(10, 0) == SegmentLease.NONE, "block " + i);
        }
        assertEquals(SegmentLease.NONE, lease.allocate(10, 0));
        assertEquals(0, lease.map().availBytes(0));
    }

    @Test
    void file_data_lies_in_the_order_of_its_keys() {
        SegmentLease lease = new SegmentLease(OFFSET, CLASS, unused());
        for (long block : new long[] {3, 0, 63, 1}) {
            assertEquals(OFFSET + block * 65536 | 16, lease.allocate(16, (64 + block) * 65536));
        }
    }

    @Test
    void packing_goes_on_in_a_granule_that_bulkfree_has_staged() {
        FreemapLeaf entry = unused();
        entry.setGranule(0, 7, Granule.STAGED);
        entry.setAvailBytes(0, entry.availBytes(0) - GRANULE);
        entry.setLinear(0, 7 * GRANULE + 2048);
        SegmentLease lease = new SegmentLease(OFFSET, CLASS, entry);
        assertEquals(OFFSET + 7 * GRANULE + 4096 | 11, lease.allocate(11, 0));
        assertEquals(Granule.ALLOCATED, lease.map().granule(0, 7));
        assertEquals(0, lease.settle());
    }

    /** A torn write of a page must not damage what an earlier commit relies on. */
    @Test
    void no_page_holds_blocks_of_two_commits() {
        for (long seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            FreemapLeaf entry = unused();
            // As another implementation leaves it, which packs by the kilobyte.
            entry.setGranule(0, 0, Granule.ALLOCATED);
            entry.setLinear(0, 1024 * (1 + random.nextInt(15)));
            entry.setAvailBytes(0, entry.availBytes(0) - GRANULE);
            int[] commitOfPage = new int[Limits.FREEMAP_SEGMENT_BYTES / 4096];
            Arrays.fill(commitOfPage, 0, Math.ceilDiv(entry.linear(0), 4096), 1);
            SegmentLease lease = new SegmentLease(OFFSET, CLASS, entry);
            for (int commit = 2; commit < 40; commit++) {
                for (int i = random.nextInt(20); i > 0; i--) {
                    long found = lease.allocate(10 + random.nextInt(6), 0);
                    if (found == SegmentLease.NONE) {
                        continue;
                    }
                    int place = (int) ((found & ~63L) - OFFSET);
                    for (int page = place / 4096; page * 4096 < place + (1 << (found & 63)); page++) {
                        String what = "seed " + seed + ", commit " + commit + ", page " + page;
                        assertTrue(commitOfPage[page] == 0 || commitOfPage[page] == commit, what);
                        commitOfPage[page] = commit;
                    }
                }
                lease.settle();
            }
        }
    }

    @Test
    void an_entry_that_makes_no_sense_gives_nothing_out_twice() {
        for (int linear : new int[] {-1, Integer.MIN_VALUE, Integer.MAX_VALUE, 5 * GRANULE + 1024}) {
            FreemapLeaf entry = unused();
            entry.setLinear(0, linear);
            SegmentLease lease = new SegmentLease(OFFSET, CLASS, entry);
            BitSet used = new BitSet();
            for (int i = 0; i < 300; i++) {
                long found = lease.allocate(i % 2 == 0 ? 14 : 10, 0);
                int first = (int) ((found & ~63L) - OFFSET) / 1024;
                int size = (1 << (found & 63)) / 1024;
                assertTrue(used.get(first, first + size).isEmpty(), "linear " + linear + ", block " + i);
                used.set(first, first + size);
            }
        }
    }

    /** Else small blocks would go on where the map says that packing ended, over those it does not know. */
    @Test
    void packing_goes_on_behind_a_block_that_the_map_did_not_know() {
        FreemapLeaf entry = unused();
        entry.setGranule(0, 7, Granule.ALLOCATED);
        entry.setAvailBytes(0, entry.availBytes(0) - GRANULE);
        entry.setLinear(0, 7 * GRANULE + 4096);
        SegmentLease lease = new SegmentLease(OFFSET, CLASS, entry);
        assertFalse(lease.mark(7 * GRANULE + 5 * 1024, 2048));
        assertEquals(OFFSET + 7 * GRANULE + 7 * 1024 | 10, lease.allocate(10, 0));
    }
}
