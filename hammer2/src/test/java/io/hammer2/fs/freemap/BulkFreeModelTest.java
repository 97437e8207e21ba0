package io.hammer2.fs.freemap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Allocations, commits, bulkfree passes, crashes and mounts by any of the four headers, in random order, against a model that
 * knows what each header refers to: nothing that any of them needs is ever given out.
 */
class BulkFreeModelTest {
    private static final long SIZE = (1L << 30) + (8L << 20);

    /** Leaves 4 MiB in each of two GiBs, so that space is used again all the time. */
    private static final long FIRST_MANAGED = (1L << 30) - (4L << 20);

    private static final int HEADERS = 4;
    private static final int OPERATIONS = 6000;
    private static final List<BlockType> TYPES = List.of(BlockType.INODE, BlockType.INDIRECT, BlockType.DATA);

    /** What a control leaves out. */
    enum Control {
        NOTHING,
        /** Staged space is free at once. */
        AGE_OF_HEADERS,
        /** A pass on a volume that was just mounted frees what others have staged. */
        VERIFICATION,
        /** What is allocated while a walk goes on is not noted. */
        ALLOCATIONS_MEANWHILE,
        /** A block that gets one more reference is not marked. */
        CLAIMS,
        /** What is freed is still known as a block whose content may come again. */
        FREED_IS_FORGOTTEN
    }

    private record Header(long tid, BlockTable freemap, long freeBytes, Set<Long> live) {}

    private static final class World {
        private final Random random;
        private final Control control;
        private final Topology topology;
        private final MemoryBlockDevice device;
        private final Deque<Header> headers = new ArrayDeque<>();
        private final SegmentLease[] leases = new SegmentLease[TYPES.size()];
        private Freemap freemap;

        /** Blocks whose content may come again, whether anything refers to them or not. */
        private final Set<Long> known = new LinkedHashSet<>();

        private Set<Long> live = new HashSet<>();
        private Header walked;
        private boolean stagedIsVerified;
        private long stagedTid;
        private boolean scanning;
        private long freed;

        private World(Random random, Control control, Topology topology, MemoryBlockDevice device) {
            this.random = random;
            this.control = control;
            this.topology = topology;
            this.device = device;
            headers.addFirst(new Header(16, BlockTable.empty(4), SIZE - FIRST_MANAGED - (4L << 20), Set.of()));
            mount();
        }

        private void mount() {
            Header newest = headers.getFirst();
            freemap = Freemap.of(
                    topology,
                    newest.freemap.copy(),
                    SIZE,
                    FIRST_MANAGED,
                    SIZE - FIRST_MANAGED - (4L << 20),
                    newest.freeBytes,
                    0,
                    line -> {});
            freemap.onFreed(freed -> {
                if (control != Control.FREED_IS_FORGOTTEN) {
                    known.removeIf(place -> freed.has(place & ~63L, (int) (place & 63)));
                }
            });
            live = new HashSet<>(newest.live);
            known.clear();
            known.addAll(live);
            stagedIsVerified = false;
            stagedTid = 0;
            scanning = false;
        }

        private void allocate() {
            int which = random.nextInt(TYPES.size());
            int radix = which == 2 ? 10 + random.nextInt(7) : which == 1 ? 12 + random.nextInt(3) : 10;
            for (int tries = 0; tries < 2; tries++) {
                if (leases[which] != null) {
                    long place = leases[which].allocate(radix, 0);
                    if (place != SegmentLease.NONE) {
                        use(place);
                        return;
                    }
                    freemap.giveBack(leases[which]);
                }
                leases[which] = freemap.lease(SegmentLease.classOf(TYPES.get(which)), random.nextLong(SIZE), radix);
            }
        }

        private void use(long place) {
            for (Header header : headers) {
                refuseOverlap(place, header.live, "header " + header.tid);
            }
            refuseOverlap(place, live, "memory");
            live.add(place);
            known.add(place);
        }

        /** Content comes again that some block has, perhaps one that nothing has referred to for a while. */
        private void share() {
            if (known.isEmpty()) {
                return;
            }
            long place = List.copyOf(known).get(random.nextInt(known.size()));
            if (control != Control.CLAIMS && !freemap.claim(place & ~63L, (int) (place & 63))) {
                if (control != Control.FREED_IS_FORGOTTEN) {
                    throw new AssertionError("%x is known and free".formatted(place));
                }
                return;
            }
            Set<Long> others = new HashSet<>(live);
            others.remove(place);
            refuseOverlap(place, others, "memory, written since");
            live.add(place);
        }

        private void drop(double share) {
            live.removeIf(place -> random.nextDouble() < share);
        }

        private void giveBackLeases() {
            for (int i = 0; i < leases.length; i++) {
                if (leases[i] != null) {
                    freemap.giveBack(leases[i]);
                    leases[i] = null;
                }
            }
        }

        private void commit(Runnable atomically) {
            giveBackLeases();
            atomically.run();
            long tid = headers.getFirst().tid + 1;
            freemap.flush(tid, (offset, bytes) -> {
                try {
                    device.writeFully(offset, bytes);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            headers.addFirst(new Header(tid, freemap.rootTable().copy(), freemap.freeBytes(), Set.copyOf(live)));
            while (headers.size() > HEADERS) {
                headers.removeLast();
            }
        }

        private long oldestTid() {
            return control == Control.AGE_OF_HEADERS
                    ? Long.MAX_VALUE
                    : headers.size() < HEADERS ? 0 : headers.getLast().tid;
        }

        /** First half of a pass; operations may follow before the second. Without the commits that make the rules easy to keep. */
        private void beginPass() {
            commit(freemap::beginScan);
            walked = headers.getFirst();
            scanning = true;
        }

        private void endPass() {
            boolean mayFree = (stagedIsVerified || control == Control.VERIFICATION) && oldestTid() >= stagedTid;
            GranuleMap used = new GranuleMap(0, 2L << 30);
            for (long place : walked.live) {
                used.add(place & ~63L, 1 << (place & 63));
            }
            stagedTid = walked.tid;
            giveBackLeases();
            if (control == Control.ALLOCATIONS_MEANWHILE) {
                freemap.beginScan();
            }
            for (Long gib = freemap.leafFrom(0); gib != null; gib = freemap.leafFrom(gib + Limits.GIB)) {
                MergeCounts counts = freemap.merge(gib, used, mayFree);
                assertEquals(0, counts.wereFree(), "in use and free");
                freed += counts.freed();
            }
            freemap.endScan();
            scanning = false;
            stagedIsVerified = true;
        }

        private void crash() {
            // The newest headers may be damaged by it.
            for (int damaged = random.nextInt(headers.size()); damaged > 0; damaged--) {
                headers.removeFirst();
            }
            for (int i = 0; i < leases.length; i++) {
                leases[i] = null;
            }
            mount();
        }

        private void operate() {
            int choice = random.nextInt(1000);
            if (choice < 800) {
                allocate();
            } else if (choice < 850) {
                share();
            } else if (choice < 900) {
                drop(random.nextInt(3) == 0 ? 0.5 : 0.05);
            } else if (choice < 930) {
                commit(() -> {});
            } else if (choice < 985) {
                if (scanning) {
                    endPass();
                } else {
                    beginPass();
                }
            } else {
                crash();
            }
        }
    }

    private static void refuseOverlap(long place, Set<Long> live, String whose) {
        // Blocks do not cross 64 KiB, and a granule at a time is quick to look at.
        long offset = place & ~63L;
        int size = 1 << (place & 63);
        for (long other : live) {
            long otherOffset = other & ~63L;
            if (otherOffset < offset + size && offset < otherOffset + (1L << (other & 63))) {
                throw new AssertionError("%x is given out, and %x of %s is there".formatted(place, other, whose));
            }
        }
    }

    private static long run(long seed, Control control) throws Exception {
        Random random = new Random(seed);
        long[] freed = new long[1];
        try (MemoryBlockDevice device = new MemoryBlockDevice(SIZE);
                Lwkt lwkt = Lwkt.stepped(1, seed)) {
            lwkt.run(0, () -> {
                BlockIo io = new BlockIo(lwkt.cpu(0), device, SIZE, new PendingWrites(), 16 * 65536);
                World world = new World(random, control, new Topology(io), device);
                for (int i = 0; i < OPERATIONS; i++) {
                    world.operate();
                }
                freed[0] = world.freed;
                io.close();
                return null;
            });
        }
        return freed[0];
    }

    @Test
    void nothing_that_one_of_four_headers_needs_is_given_out() throws Exception {
        for (long seed = 1; seed <= 12; seed++) {
            try {
                assertTrue(run(seed, Control.NOTHING) > 100, "space was freed");
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = "NOTHING", mode = EnumSource.Mode.EXCLUDE)
    void controls_that_leave_out_a_rule_are_caught(Control control) {
        assertThrows(AssertionError.class, () -> {
            for (long seed = 1; seed <= 12; seed++) {
                run(seed, control);
            }
        });
    }
}
