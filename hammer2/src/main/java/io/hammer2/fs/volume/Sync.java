package io.hammer2.fs.volume;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.freemap.BlockPlacer;
import io.hammer2.fs.freemap.Freemap;
import io.hammer2.fs.freemap.VolumeFullException;
import io.hammer2.fs.inode.InodeFlush;
import io.hammer2.fs.io.BlockWrites;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.pfs.MountedPfs;
import io.hammer2.fs.pfs.OpenPfss;
import io.hammer2.fs.pfs.PfsTransaction;
import io.hammer2.fs.pfs.SuperRoot;
import io.hammer2.fs.pipeline.DataPipeline;
import io.hammer2.fs.pipeline.Duplicates;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Gate;
import io.hammer2.lwkt.Message;
import io.hammer2.lwkt.Timer;
import io.hammer2.lwkt.Token;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Brings what changed to the medium, all of it at once, so that a crash finds either the state before or the state after (format
 * section 13). Runs on the volume cpu, one commit at a time; who asks meanwhile shares the next one.
 *
 * <ol>
 *   <li>Whole blocks of file data are written while operations go on.
 *   <li>The modification gate is closed: what changes anything holds it shared.
 *   <li>Changed inodes are written with all below them, then the PFS roots with the inode index. The gate opens.
 *   <li>Changes to PFSs are made, and the super-root is written; before the gate opens if that is needed ({@link CommitTrees}).
 *   <li>The freemap, with all that was allocated for this, is written to its next slots.
 *   <li>When all that is on the medium, the device is flushed.
 *   <li>The header goes to its next copy, and the device is flushed again.
 * </ol>
 *
 * <p>An error anywhere leaves the last header the newest. Everybody who waits gets it, and nothing can be changed any more: what
 * is in memory could not be brought into agreement with the medium.
 */
public final class Sync {
    /** Taken before every gate of an inode. */
    private static final long GATE_ORDER = -1;

    private static final long PFSS_GATE_ORDER = -2;
    private static final long COMMITS_GATE_ORDER = -3;

    /** A bound on the changes that wait for a commit, each of which reserves space and takes memory. */
    private static final long RESERVED_MAX = 512L << 20;

    private final Cpu cpu;
    private final Topology topology;
    private final SuperRoot superRoot;
    private final Freemap freemap;
    private final BlockPlacer placer;
    private final BlockWrites writes;
    private final BufferPool buffers;
    private final Headers headers;
    private final SpaceBudget budget;
    private final long dirtyBytesMax;
    private final long intervalNanos;
    private final Consumer<String> log;

    private final DataPipeline pipeline;
    private final Gate modifications = new Gate(GATE_ORDER);

    /** Held exclusively by a commit from before it closes the modification gate until the super-root is as it will be. */
    private final Gate pfss = new Gate(PFSS_GATE_ORDER);

    /** Held by a commit, and by what else uses the freemap. */
    private final Gate commits = new Gate(COMMITS_GATE_ORDER);

    /** Of the last flush; under the modification gate. */
    private long lastTid;

    private final Token token = new Token("sync");
    // Under the token.
    private boolean scheduled;
    private boolean begun;
    private IOException failure;

    // Of the volume cpu.
    private final OpenPfss open;
    private List<Message<Void>> waiting = new ArrayList<>();
    private boolean running;
    private boolean headerIsDue;
    private List<PfsTransaction> transactions = new ArrayList<>();
    private List<Runnable> steps = new ArrayList<>();
    private Runnable afterChange = () -> {};
    private Timer timer;
    private QuietCommit quiet;

    /**
     * @param topology of the volume cpu
     * @param open what is in use of the volume
     * @param duplicates where content that comes again is looked for
     * @param dirtyBytesMax of file data that waits for a commit
     * @param intervalNanos what changed is committed at most this much later
     */
    public Sync(
            Topology topology,
            SuperRoot superRoot,
            OpenPfss open,
            Freemap freemap,
            Duplicates duplicates,
            BlockWrites writes,
            BufferPool buffers,
            Headers headers,
            SpaceBudget budget,
            long dirtyBytesMax,
            long intervalNanos,
            Consumer<String> log) {
        this.cpu = topology.io().cpu();
        this.topology = topology;
        this.superRoot = superRoot;
        this.open = open;
        this.freemap = freemap;
        this.placer = new BlockPlacer(freemap, writes, topology.io());
        this.pipeline = new DataPipeline(cpu, placer, buffers, duplicates, headers::extensions);
        this.writes = writes;
        this.buffers = buffers;
        this.headers = headers;
        this.budget = budget;
        this.dirtyBytesMax = dirtyBytesMax;
        this.intervalNanos = intervalNanos;
        this.log = log;
        this.lastTid = headers.committed().mirrorTid();
    }

    /** Held shared by whatever changes anything, exclusively by a commit and by what must be alone with the directories. */
    public Gate modifications() {
        return modifications;
    }

    /** Held shared by who looks a PFS up and begins to use it: no commit may exchange, snapshot or delete it between the two. */
    public Gate pfss() {
        return pfss;
    }

    /** Why nothing can be changed any more, or null. */
    public IOException failure() {
        token.acquireShared();
        try {
            return failure;
        } finally {
            token.release();
        }
    }

    /** Sees to it that what has changed is committed when the interval is over. */
    public void schedule() {
        token.acquire();
        try {
            if (scheduled) {
                return;
            }
            scheduled = true;
        } finally {
            token.release();
        }
        cpu.post(this::startTimer);
    }

    /**
     * From now on also commits when for a moment nothing has changed that takes space; on the volume cpu.
     *
     * @param distanceNanos from one such commit to the next, at least
     */
    public void commitWhenQuiet(long quietNanos, long distanceNanos) {
        cpu.assertCurrent();
        quiet = new QuietCommit(cpu, this, budget, quietNanos, distanceNanos);
    }

    /** Whether something waits for a commit. */
    boolean isScheduled() {
        token.acquireShared();
        try {
            return scheduled;
        } finally {
            token.release();
        }
    }

    /**
     * Keeps what is not yet committed within bounds: begins a commit when half of them is reached, and waits when all is. Without
     * any gate held.
     */
    public void throttle() throws IOException {
        if (budget.reservedBytes() > RESERVED_MAX) {
            commit();
        }
        long used = buffers.usedBytes();
        if (used > dirtyBytesMax / 2 || budget.reservedBytes() > RESERVED_MAX / 2) {
            begin();
        }
        while (used > dirtyBytesMax && failure() == null) {
            begin();
            buffers.await(dirtyBytesMax);
            used = buffers.usedBytes();
        }
    }

    /** Begins a commit for which nobody waits, unless one is begun already. */
    void begin() {
        if (begins()) {
            cpu.post(() -> enqueue(new Message<>()));
        }
    }

    private boolean begins() {
        token.acquire();
        try {
            boolean first = !begun;
            begun = true;
            return first;
        } finally {
            token.release();
        }
    }

    /**
     * Commits all that was done before, and waits until it is durable. Without any gate held.
     *
     * @throws IOException what kept it from that
     */
    public void commit() throws IOException {
        Message<Void> committed = new Message<>();
        cpu.post(() -> enqueue(committed));
        await(committed);
    }

    /**
     * As {@link #commit()}, with changes to the PFSs, unless they are refused: {@link PfsTransaction#refusal}.
     *
     * @throws IOException as {@link #commit()}
     */
    public void commit(PfsTransaction transaction) throws IOException {
        Message<Void> committed = new Message<>();
        cpu.post(() -> {
            transactions.add(transaction);
            enqueue(committed);
        });
        await(committed);
    }

    /** Lets go of a PFS, on the volume cpu, when all of it is committed; nobody changes it any more. */
    public void release(MountedPfs pfs, boolean isMount) throws IOException {
        cpu.assertCurrent();
        while (true) {
            modifications.lockExclusive();
            try {
                // What a failed commit has left is lost anyway.
                if (failure() != null || pfs.isRetired() || !pfs.isDirty()) {
                    open.release(pfs, isMount);
                    return;
                }
            } finally {
                modifications.unlockExclusive();
            }
            commit();
        }
    }

    private static void await(Message<Void> committed) throws IOException {
        try {
            committed.await();
        } catch (CommitFailure e) {
            throw e.error;
        }
    }

    /** Of the commit that comes next; with the modification gate held. */
    public long nextTid() {
        return lastTid + 1;
    }

    /**
     * As {@link #commit()}, with a header even if nothing changed; within the commit, when its trees are complete and before the
     * freemap is written, {@code step} runs: on the volume cpu, while nothing can be changed or allocated. It throws nothing.
     */
    void commit(Runnable step) throws IOException {
        Message<Void> committed = new Message<>();
        cpu.post(() -> {
            steps.add(step);
            headerIsDue = true;
            enqueue(committed);
        });
        await(committed);
    }

    /**
     * Runs {@code errand} on the volume cpu while no commit runs, and waits for it: what uses the freemap and is not part of a
     * commit. It may block. With no gate held.
     */
    <T> T betweenCommits(Supplier<T> errand) {
        return cpu.call(() -> {
            commits.lockExclusive();
            try {
                return errand.get();
            } finally {
                commits.unlockExclusive();
            }
        });
    }

    /**
     * Runs {@code errand} with what writes blocks, while no commit runs: what it writes is of the next commit, and in use only if something
     * leads to it by then. Space for it must have been reserved. With no gate held.
     */
    public void writeBetweenCommits(Consumer<InodeFlush> errand) {
        betweenCommits(() -> {
            try {
                errand.accept(newFlush(nextTid()));
            } finally {
                placer.giveBackLeases();
            }
            return null;
        });
    }

    /** Called on the volume cpu after each commit that changed anything. */
    void afterChange(Runnable listener) {
        afterChange = listener;
    }

    /** What is in use and not in the trees: root tables of inodes without a name; within a step. */
    List<BlockTable> namelessTables() {
        return open.all().stream().flatMap(pfs -> pfs.namelessTables().stream()).toList();
    }

    /** What is in use and not in the trees: root tables of PFSs that are being made; within a step. */
    List<BlockTable> heldTables() {
        return open.heldTables();
    }

    /** Lets the next commit write a header even if nothing changed; on the volume cpu. */
    public void requireHeader() {
        cpu.assertCurrent();
        headerIsDue = true;
    }

    /** Ends the timer, waits for writes that a failed commit has left, and frees memory; on the volume cpu, and there are no more commits. */
    public void stop() {
        cpu.assertCurrent();
        cancelTimer();
        if (quiet != null) {
            quiet.stop();
        }
        try {
            writes.await();
        } catch (IOException e) {
            // Who waited for that commit knows.
        }
        pipeline.close();
    }

    private void cancelTimer() {
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    /** Carries the error out of {@link Message#await}. */
    private static final class CommitFailure extends RuntimeException {
        private final transient IOException error;

        private CommitFailure(IOException error) {
            super(error.getMessage(), error, false, false);
            this.error = error;
        }
    }

    private void startTimer() {
        if (quiet != null) {
            quiet.changed();
        }
        if (timer == null) {
            timer = cpu.after(intervalNanos, () -> {
                timer = null;
                enqueue(new Message<>());
            });
        }
    }

    /** Runs commits until nobody waits for one. */
    private void enqueue(Message<Void> asks) {
        waiting.add(asks);
        if (running) {
            return;
        }
        running = true;
        try {
            while (!waiting.isEmpty()) {
                List<Message<Void>> answered = waiting;
                waiting = new ArrayList<>();
                IOException error;
                commits.lockExclusive();
                try {
                    error = commitOnce();
                } finally {
                    commits.unlockExclusive();
                }
                for (Message<Void> message : answered) {
                    if (error == null) {
                        message.reply(null);
                    } else {
                        message.fail(new CommitFailure(error));
                    }
                }
            }
        } finally {
            running = false;
        }
    }

    private IOException commitOnce() {
        IOException earlier = failure();
        if (earlier != null) {
            return earlier;
        }
        try {
            run();
            return null;
        } catch (IOException e) {
            return fail(e);
        } catch (CorruptBlockException | DeviceErrorException | VolumeFullException e) {
            return fail(new IOException(e.getMessage(), e));
        } catch (RuntimeException e) {
            // A defect of ours: whoever waits must not wait for ever, and nothing may be built on half a flush.
            return fail(new IOException("internal error: " + e, e));
        }
    }

    private IOException fail(IOException error) {
        token.acquire();
        try {
            failure = error;
        } finally {
            token.release();
        }
        buffers.wake();
        log.accept("commit failed, the file system is read-only now; what was committed before is safe: "
                + error.getMessage());
        return error;
    }

    private void run() throws IOException {
        writeAhead();
        List.copyOf(transactions).forEach(transaction -> transaction.prepare(superRoot));
        long tid = nextTid();
        BlockRef root = writeTrees(tid);
        if (root == null && !headerIsDue) {
            return;
        }
        headerIsDue = false;
        freemap.flush(tid, writes::writeCopy);
        writes.await();
        writes.flushDevice();
        BlockRef superRootRef =
                root != null ? root : headers.committed().superRootBlockSet().ref(0);
        headers.commit(new Headers.Contents(tid, superRootRef, freemap.rootTable(), freemap.freeBytes()));
        if (root != null) {
            afterChange.run();
        }
    }

    /** All but the freemap. @return the super-root, or null where nothing has changed */
    private BlockRef writeTrees(long tid) {
        pfss.lockExclusive();
        try {
            CommitTrees trees;
            modifications.lockExclusive();
            try {
                cancelTimer();
                unschedule();
                trees = new CommitTrees(takeTransactions(), superRoot, open, newFlush(tid), placer, freemap, budget);
                trees.writePfss();
                BlockRef root = null;
                boolean isWhole = !steps.isEmpty() || trees.needsStandstill();
                if (isWhole) {
                    root = trees.writeSuperRoot();
                }
                List<Runnable> due = steps;
                steps = new ArrayList<>();
                due.forEach(Runnable::run);
                // Also where nothing has changed: what operations reserved that then had nothing to do.
                budget.settle(freemap.availableBytes(), freemap.wholeBlockBytes());
                if (!trees.isEmpty() || headerIsDue) {
                    lastTid = tid;
                }
                if (isWhole) {
                    return root;
                }
                trees.endStandstill();
            } finally {
                modifications.unlockExclusive();
            }
            return trees.writeSuperRoot();
        } finally {
            pfss.unlockExclusive();
        }
    }

    private List<PfsTransaction> takeTransactions() {
        List<PfsTransaction> taken = transactions;
        transactions = new ArrayList<>();
        return taken;
    }

    private InodeFlush newFlush(long tid) {
        return new InodeFlush(topology, placer, buffers, pipeline, tid);
    }

    /** Brings most of the file data on its way while operations go on, so that the gate is closed for the rest only. */
    private void writeAhead() {
        InodeFlush flush = newFlush(nextTid());
        for (MountedPfs pfs : List.copyOf(open.all())) {
            pfs.writeAhead(flush);
        }
    }

    private void unschedule() {
        token.acquire();
        try {
            scheduled = false;
            begun = false;
        } finally {
            token.release();
        }
    }
}
