package io.hammer2.fs.volume;

import io.hammer2.fs.freemap.Freemap;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.LwktThread;

/**
 * Finds out how much space there is in whole blocks, without keeping a mount waiting: in the background after it, until there are
 * plenty, and where a writer needs more than is known of.
 */
public final class SpaceCount {
    /** GiBs between two commits that may have to wait: 2 MiB of freemap to read. */
    private static final int GIBS_PER_TURN = 64;

    private final Cpu cpu;
    private final Sync sync;
    private final Freemap freemap;
    private final SpaceBudget budget;
    private boolean stopped;

    /** @param cpu of the volume */
    public SpaceCount(Cpu cpu, Sync sync, Freemap freemap, SpaceBudget budget) {
        this.cpu = cpu;
        this.sync = sync;
        this.freemap = freemap;
        this.budget = budget;
    }

    /** Begins to count in the background; on the volume cpu. */
    public void start() {
        cpu.assertCurrent();
        cpu.spawn("space count", () -> {
            Turn turn = Turn.FOUND;
            while (turn != Turn.ENOUGH) {
                turn = sync.betweenCommits(this::turn);
            }
        });
    }

    /** Ends what goes on, and returns when it has ended; on the volume cpu. */
    public void stop() {
        cpu.assertCurrent();
        stopped = true;
        sync.betweenCommits(this::turn);
    }

    /**
     * Called where there are too few whole blocks for a change, with no gate held: counts on until there are more.
     *
     * @return whether there are
     */
    public boolean further() {
        return cpu.call(() -> {
            Turn turn = Turn.NOTHING;
            while (turn == Turn.NOTHING) {
                turn = sync.betweenCommits(this::turn);
            }
            return turn == Turn.FOUND;
        });
    }

    /** What came of a turn; {@code ENOUGH}: there are plenty, or all has been counted, or it was stopped. */
    private enum Turn {
        FOUND,
        NOTHING,
        ENOUGH
    }

    private Turn turn() {
        long before = freemap.wholeBlockBytes();
        long known = before;
        int gibs = 0;
        while (gibs < GIBS_PER_TURN
                && !stopped
                && known < SpaceBudget.PLENTY_BYTES
                && !freemap.isWholeBlockCountComplete()) {
            freemap.countWholeBlocks(1);
            known = freemap.wholeBlockBytes();
            gibs++;
            LwktThread.yieldNow();
        }
        budget.found(known);
        return known > before ? Turn.FOUND : gibs == 0 ? Turn.ENOUGH : Turn.NOTHING;
    }
}
