package io.hammer2.fs.volume;

import io.hammer2.fs.freemap.BulkFree;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.freemap.Freemap;
import io.hammer2.fs.freemap.OutOfMemoryBudgetException;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.lwkt.Clock;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Gate;
import io.hammer2.lwkt.Timer;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Bulkfree of a volume in use: when somebody asks, by itself when space runs low, and before a writer is told that there is none.
 *
 * <p>By itself it takes a tenth of the time at most, and less while it finds little: each run costs a walk of all metadata.
 */
public final class Reclaim implements BulkFree.Host {
    /** Taken before the gates of a commit. */
    private static final long GATE_ORDER = -3;

    /** Space is low when less than one part in so many is free. */
    private static final int LOW_PART = 8;

    /** A run that gives back less than one part in so many has found little. */
    private static final int LITTLE_PART = 256;

    private static final int PAUSE_FACTOR = 10;
    private static final long PAUSE_NANOS_MIN = 10_000_000_000L;
    private static final long EMERGENCY_PAUSE_NANOS = 1_000_000_000L;
    private static final long PAUSE_NANOS_MAX = 600_000_000_000L;

    private final Cpu cpu;
    private final Sync sync;
    private final Headers headers;
    private final SpaceBudget budget;
    private final Supplier<BlockIo> walks;
    private final Places places;
    private final Clock clock;
    private final Consumer<String> log;
    private final BulkFree bulkFree;

    /** Held exclusively by a run, so that runs follow each other. */
    private final Gate turn = new Gate(GATE_ORDER);

    private boolean stopped;
    private boolean scheduled;
    private boolean emergency;
    private Timer pause;

    /** Commits that changed something, and how many there were when the last run began that is complete. */
    private long changes;

    private long changesSeen;
    private long pauseNanos;
    private long notBeforeNanos;

    /** As that, for runs that a writer waits for: they take half of the time at most. */
    private long notBeforeForWritersNanos;

    /**
     * @param cpu of the volume, on which a run goes on
     * @param walks makes what a walk reads through
     * @param places names places for people
     * @param log takes a line for each run that somebody should know of
     */
    public Reclaim(
            Cpu cpu,
            Sync sync,
            Headers headers,
            Freemap freemap,
            SpaceBudget budget,
            Supplier<BlockIo> walks,
            Places places,
            Clock clock,
            Consumer<String> log) {
        this.cpu = cpu;
        this.sync = sync;
        this.headers = headers;
        this.budget = budget;
        this.walks = walks;
        this.places = places;
        this.clock = clock;
        this.log = log;
        this.bulkFree = new BulkFree(freemap, this);
        this.notBeforeNanos = clock.nanoTime();
        this.notBeforeForWritersNanos = notBeforeNanos;
        sync.afterChange(this::onChange);
    }

    /** As {@link BulkFree.Host#placeOf}. */
    @FunctionalInterface
    public interface Places {
        String of(BlockRef pfsRoot, long inum);
    }

    /** How far the run is that goes on, in percent; 100 when none goes on. From any cpu. */
    public int percent() {
        return cpu.call(bulkFree::percent);
    }

    /**
     * Runs bulkfree, after those that are running; on an LWKT thread of any cpu, with no gate held.
     *
     * @param memoryBytes as {@link BulkFree#run}
     * @throws IOException when a commit fails or a device, or the memory is too little
     * @throws CancellationException when the volume is being closed
     */
    public BulkFreeResult run(long memoryBytes) throws IOException {
        try {
            return cpu.call(() -> {
                turn.lockExclusive();
                try {
                    return runNow(memoryBytes);
                } catch (IOException e) {
                    throw new RunFailure(e);
                } finally {
                    turn.unlockExclusive();
                }
            });
        } catch (RunFailure e) {
            throw e.error;
        }
    }

    /** Lets it run by itself whenever something has changed, and first of all now; from any cpu. */
    public void setEmergency(boolean on) {
        cpu.call(() -> {
            emergency = on;
            log.accept(
                    on
                            ? "emergency mode: only what gives space back is done, until it is disabled or unmounted"
                            : "emergency mode is over");
            if (on) {
                changes++;
                schedule();
            }
            return null;
        });
    }

    /**
     * Called where there is no space left for a change, with no gate held: waits for a run if one could help.
     *
     * @param givesBack whether the change gives space back: a full volume can always delete, so it is not asked how long ago the last run was
     * @return whether anything came back
     */
    public boolean onFull(boolean givesBack) {
        return cpu.call(() -> {
            long before = budget.freeBytes();
            // Behind a run that goes on, which may be all that is needed.
            turn.lockExclusive();
            try {
                boolean isTime = givesBack || emergency || clock.nanoTime() - notBeforeForWritersNanos >= 0;
                if (changes != changesSeen && isTime) {
                    runByItself();
                }
            } finally {
                turn.unlockExclusive();
            }
            return budget.freeBytes() > before;
        });
    }

    /** Ends a run that goes on, and lets none begin; on the volume cpu. */
    public void stop() {
        cpu.assertCurrent();
        stopped = true;
        if (pause != null) {
            pause.cancel();
        }
        bulkFree.cancel();
        turn.lockExclusive();
        turn.unlockExclusive();
    }

    @Override
    public void commit(Runnable atomically) throws IOException {
        sync.commit(atomically);
    }

    @Override
    public VolumeHeader committed() {
        return headers.committed();
    }

    @Override
    public long oldestTid() {
        return headers.oldestTid();
    }

    @Override
    public List<BlockTable> namelessTables() {
        return sync.namelessTables();
    }

    @Override
    public List<BlockTable> heldTables() {
        return sync.heldTables();
    }

    @Override
    public String placeOf(BlockRef pfsRoot, long inum) {
        return places.of(pfsRoot, inum);
    }

    @Override
    public BlockIo openForWalk() {
        return walks.get();
    }

    /** Carries the error out of {@link Cpu#call}. */
    private static final class RunFailure extends RuntimeException {
        private final transient IOException error;

        private RunFailure(IOException error) {
            super(error.getMessage(), error, false, false);
            this.error = error;
        }
    }

    /** With the turn. */
    private BulkFreeResult runNow(long memoryBytes) throws IOException {
        if (stopped) {
            throw new CancellationException("the volume is being closed");
        }
        long seen = changes;
        try {
            BulkFreeResult result = bulkFree.run(memoryBytes);
            changesSeen = seen;
            result.damage().forEach(line -> log.accept("bulkfree frees nothing because of damage, " + line));
            return result;
        } catch (CorruptBlockException | DeviceErrorException | OutOfMemoryBudgetException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    private void onChange() {
        changes++;
        if (emergency || budget.freeBytes() < headers.committed().allocatorSize() / LOW_PART) {
            schedule();
        }
    }

    private void schedule() {
        if (!scheduled && !stopped) {
            scheduled = true;
            long pauseNow = emergency ? EMERGENCY_PAUSE_NANOS : Math.max(1, notBeforeNanos - clock.nanoTime());
            pause = cpu.after(pauseNow, () -> cpu.spawn("bulkfree", this::onTime));
        }
    }

    private void onTime() {
        turn.lockExclusive();
        try {
            scheduled = false;
            // What a writer waited for meanwhile may have been enough.
            if (changes != changesSeen) {
                runByItself();
            }
        } finally {
            turn.unlockExclusive();
        }
    }

    /** With the turn. */
    private void runByItself() {
        long begin = clock.nanoTime();
        long freed = 0;
        try {
            freed = runNow(BulkFreeResult.MEMORY_BYTES_DEFAULT).freedBytes();
        } catch (IOException e) {
            log.accept("bulkfree failed: " + e.getMessage());
        } catch (CancellationException e) {
            return;
        }
        boolean little = freed < headers.committed().allocatorSize() / LITTLE_PART;
        long now = clock.nanoTime();
        pauseNanos = Math.clamp(little ? 2 * pauseNanos : 0, PAUSE_NANOS_MIN, PAUSE_NANOS_MAX);
        notBeforeNanos = now + Math.max(pauseNanos, PAUSE_FACTOR * (now - begin));
        notBeforeForWritersNanos = now + (now - begin);
    }
}
