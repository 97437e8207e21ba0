package io.hammer2.fs.volume;

import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Timer;

/**
 * Commits soon after the last change, so that little is left for a commit when the volume is unmounted without a word before. A
 * commit takes space and writes to the medium, so those that this class begins keep a distance from each other. On the volume cpu.
 */
final class QuietCommit {
    private final Cpu cpu;
    private final Sync sync;
    private final SpaceBudget budget;
    private final long quietNanos;
    private final long distanceNanos;
    private long lastNanos;
    private long reservedBefore;
    private Timer timer;

    /**
     * Watches a volume.
     *
     * @param quietNanos without anything that takes space
     * @param distanceNanos from one commit for quiet to the next, at least
     */
    QuietCommit(Cpu cpu, Sync sync, SpaceBudget budget, long quietNanos, long distanceNanos) {
        this.cpu = cpu;
        this.sync = sync;
        this.budget = budget;
        this.quietNanos = quietNanos;
        this.distanceNanos = distanceNanos;
        this.lastNanos = now() - distanceNanos;
    }

    /** There is something to commit. */
    void changed() {
        cpu.assertCurrent();
        if (timer == null) {
            reservedBefore = -1;
            timer = cpu.after(quietNanos, this::look);
        }
    }

    void stop() {
        cpu.assertCurrent();
        if (timer != null) {
            timer.cancel();
            timer = null;
        }
    }

    private void look() {
        timer = null;
        if (!sync.isScheduled()) {
            return;
        }
        long reserved = budget.reservedBytes();
        if (reserved == reservedBefore && now() - lastNanos >= distanceNanos) {
            lastNanos = now();
            sync.begin();
            return;
        }
        reservedBefore = reserved;
        timer = cpu.after(quietNanos, this::look);
    }

    private long now() {
        return cpu.lwkt().clock().nanoTime();
    }
}
