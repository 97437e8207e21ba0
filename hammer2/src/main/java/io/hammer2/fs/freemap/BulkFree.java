package io.hammer2.fs.freemap;

import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;

/**
 * Gives back the space that nothing refers to any more (format section 14), while the volume is in use. One for a volume, on the
 * volume cpu.
 *
 * <p>A pass walks a commit and merges what it met into the freemap: allocated and not in use becomes staged; staged and still not
 * in use becomes free. A granule may be given out again when none of the header's copies leads to it. That is so when
 *
 * <ol>
 *   <li>a complete pass of this object found it unused in commit <i>c</i>, or in a later one, and staged it or left it staged. What
 *       is unused stays so: only an allocation brings it into use, or one more reference to a block that was there before ({@link
 *       Freemap#claim}), and both mark it allocated;
 *   <li>nothing was allocated or claimed in it between the commit that a pass walks and the merge: the freemap notes that meanwhile;
 *   <li>inodes that are open and have no name count as in use, as of the very moment of the commit;
 *   <li>every copy of the header is of commit <i>c</i> or later.
 * </ol>
 *
 * <p>Damage ends a pass without effect: what is below a table that cannot be read is in use, and nobody knows where it is. (The
 * reference frees it.)
 */
public final class BulkFree {
    /** A merge keeps writers waiting, so it goes in steps of so many GiB, some ten milliseconds each. */
    private static final int GIBS_PER_STEP = 32;

    private static final int DAMAGE_LINES_MAX = 100;

    private final Freemap freemap;
    private final Host host;

    /** Whether a complete pass has looked at everything that is staged. */
    private boolean stagedIsVerified;

    /** The newest commit that a staged granule was found unused in. */
    private long stagedTid;

    private boolean running;
    private boolean cancelled;

    /** Of the run that goes on: the pass, and what of its walk is done. */
    private int pass;

    private long walkedGranules;
    private GranuleMap walking;
    private long expectedGranules;

    /** The volume that it works on. */
    public interface Host {
        /**
         * Commits everything that was done before, and a header even if nothing was.
         *
         * @param atomically runs when the trees of the commit are complete and before its freemap is written, while nobody changes
         *     or allocates anything; it throws nothing
         */
        void commit(Runnable atomically) throws IOException;

        /** The last committed header. */
        VolumeHeader committed();

        /** The lowest transaction that a copy of the header on the medium may be of. */
        long oldestTid();

        /**
         * Names a place for people, as far as it can be read.
         *
         * @param pfsRoot reference to the root of a PFS; null for the super-root
         * @param inum number of an inode in it; 0 for the index of its inodes
         */
        String placeOf(BlockRef pfsRoot, long inum);

        /** Root tables of inodes that are in use and have no name; within {@link #commit}. */
        List<BlockTable> namelessTables();

        /** Root tables of PFSs that are in use and that no commit leads to; within {@link #commit}. */
        List<BlockTable> heldTables();

        /** For a walk, which closes it: with a cache of its own, since it meets everything once. */
        BlockIo openForWalk();
    }

    public BulkFree(Freemap freemap, Host host) {
        this.freemap = freemap;
        this.host = host;
    }

    /**
     * How far the run is that goes on, in percent, by what was met of what the space map says is in use: an estimate that never goes
     * back. 100 when none goes on.
     */
    public int percent() {
        if (!running) {
            return 100;
        }
        long walked = walkedGranules + (walking == null ? 0 : walking.count());
        long ofPass = expectedGranules <= 0 ? 0 : Math.min(99, walked * 100 / expectedGranules);
        return (int) ((pass == 2 ? 50 : 0) + ofPass / 2);
    }

    /** Lets a run end soon, with {@link CancellationException}; space that it staged is freed by a later one. */
    public void cancel() {
        cancelled = true;
    }

    /**
     * Two passes, with as many commits between them as there are copies of the header.
     *
     * @param memoryBytes that it may take, half of it for the map of what is in use: 1 MiB for 128 GiB of the volume. A larger volume
     *     is walked in parts
     * @throws IOException when a commit fails, or a device
     * @throws IllegalStateException when it is running already
     * @throws CancellationException after {@link #cancel}
     * @throws OutOfMemoryBudgetException when the memory is too little for so many tables
     */
    public BulkFreeResult run(long memoryBytes) throws IOException {
        if (running) {
            throw new IllegalStateException("bulkfree is running already");
        }
        running = true;
        cancelled = false;
        try {
            pass = 1;
            Pass first = new Pass(memoryBytes);
            first.run();
            if (!first.damage.isEmpty() || first.counts.stagedNow() == 0) {
                return result(1, first.counts, first);
            }
            while (Long.compareUnsigned(host.oldestTid(), stagedTid) < 0) {
                checkCancelled();
                host.commit(() -> {});
            }
            pass = 2;
            Pass second = new Pass(memoryBytes);
            second.run();
            return result(2, first.counts.plus(second.counts), second);
        } finally {
            running = false;
        }
    }

    private static BulkFreeResult result(int passes, MergeCounts counts, Pass last) {
        return new BulkFreeResult(
                passes,
                counts.staged() * Limits.FREEMAP_GRANULE_BYTES,
                counts.freed() * Limits.FREEMAP_GRANULE_BYTES,
                counts.restored() * Limits.FREEMAP_GRANULE_BYTES,
                counts.wereFree() * Limits.FREEMAP_GRANULE_BYTES,
                last.damageCount,
                last.damage);
    }

    private void checkCancelled() {
        if (cancelled) {
            throw new CancellationException("bulkfree was cancelled");
        }
    }

    /** One walk of a commit, in as many parts as memory asks for, and its merges. */
    private final class Pass {
        private final long partBytes;
        private final long walkMemoryBytes;
        private final List<String> damage = new ArrayList<>();
        private long damageCount;
        private MergeCounts counts = MergeCounts.NONE;

        private Pass(long memoryBytes) {
            this.partBytes = Math.max(1, memoryBytes / 2 / GranuleMap.BYTES_PER_GIB) * Limits.GIB;
            this.walkMemoryBytes = memoryBytes / 2;
        }

        private void run() throws IOException {
            List<BlockTable> nameless = new ArrayList<>();
            List<BlockTable> held = new ArrayList<>();
            host.commit(() -> {
                freemap.beginScan();
                nameless.addAll(host.namelessTables());
                held.addAll(host.heldTables());
            });
            try {
                // Its tree has all that is in use and was allocated before the scan began. It stays whole while later
                // commits
                // are made, since only a pass frees anything.
                VolumeHeader walked = host.committed();
                boolean mayFree = stagedIsVerified && Long.compareUnsigned(host.oldestTid(), stagedTid) >= 0;
                long end = walked.fileSystemBytes();
                walkedGranules = 0;
                expectedGranules = (walked.allocatorSize() - walked.allocatorFree()) / Limits.FREEMAP_GRANULE_BYTES;
                for (long from = 0; from < end && damageCount == 0; from += Math.min(partBytes, end - from)) {
                    GranuleMap used = new GranuleMap(from, from + Math.min(partBytes, roundUp(end - from)));
                    walking = used;
                    walk(walked, nameless, held, used);
                    walkedGranules += used.count();
                    walking = null;
                    if (damageCount == 0) {
                        merge(used, walked.mirrorTid(), mayFree);
                    }
                }
                stagedIsVerified |= damageCount == 0;
            } finally {
                walking = null;
                freemap.endScan();
            }
        }

        private void walk(VolumeHeader header, List<BlockTable> nameless, List<BlockTable> held, GranuleMap used) {
            try (BlockIo io = host.openForWalk()) {
                InUse inUse = new InUse(used, BulkFree.this::checkCancelled, this::damaged);
                BlockWalk walk = new BlockWalk(io, inUse, walkMemoryBytes);
                walk.below(header.superRootBlockSet().copyValidated(io.totalBytes()), 0);
                nameless.forEach(table -> walk.below(table, BlockWalk.BELOW_INODE));
                held.forEach(table -> walk.below(table, BlockWalk.BELOW_PFS_ROOT));
            }
        }

        private void damaged(BlockRef pfsRoot, long inum, String what) {
            damageCount++;
            if (damage.size() < DAMAGE_LINES_MAX) {
                damage.add(host.placeOf(pfsRoot, inum) + ": " + what);
            }
        }

        private void merge(GranuleMap used, long walkedTid, boolean mayFree) throws IOException {
            // Before the first granule is staged, also if this is never completed.
            stagedTid = walkedTid;
            Step step = new Step(used, mayFree);
            while (!step.isDone) {
                checkCancelled();
                host.commit(step);
                if (step.failure != null) {
                    throw step.failure;
                }
            }
            counts = counts.plus(step.counts);
        }

        private static long roundUp(long bytes) {
            return (bytes + Limits.GIB - 1) & -Limits.GIB;
        }
    }

    /** Merges some GiBs within a commit, and remembers where to go on. */
    private final class Step implements Runnable {
        private final GranuleMap used;
        private final boolean mayFree;
        private long next;
        private boolean isDone;
        private MergeCounts counts = MergeCounts.NONE;

        /** A freemap block that cannot be read is no reason to fail the commit. */
        private RuntimeException failure;

        private Step(GranuleMap used, boolean mayFree) {
            this.used = used;
            this.mayFree = mayFree;
            this.next = used.from();
        }

        @Override
        public void run() {
            try {
                for (int i = 0; i < GIBS_PER_STEP && !isDone; i++) {
                    Long gib = firstOf(used.gibFrom(next), freemap.leafFrom(next));
                    isDone = gib == null || gib >= used.to();
                    if (!isDone) {
                        counts = counts.plus(freemap.merge(gib, used, mayFree));
                        next = gib + Limits.GIB;
                    }
                }
            } catch (RuntimeException e) {
                failure = e;
            }
        }

        private static Long firstOf(Long one, Long other) {
            return one == null || (other != null && other < one) ? other : one;
        }
    }
}
