package io.hammer2.fs.simulation;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;

/** Crashes of recorded workloads, all points of them; {@code scripts/sim fs} has more of them. */
final class CrashTest {
    private static final int SEEDS = 21;
    private static final long STATES = 100_000;
    private static final Layout SMALL = Layout.single(64L << 20);
    private static final Layout LARGE = Layout.single(9L << 30);
    private static final Layout SEVERAL = Layout.several(9L << 30);
    private static final int CONTROL_POINTS = 600;

    @Test
    void after_a_crash_there_is_one_state_that_the_operations_allow() throws Exception {
        Campaign.Crashes crashes = Campaign.Crashes.NONE;
        for (long seed = 1; seed <= SEEDS; seed++) {
            crashes = crashes.plus(Campaign.crash(Campaign.plan(seed)));
        }
        System.out.printf("seeds 1 to %d: %s%n", SEEDS, crashes);
        Campaign.Crashes all = crashes;
        assertTrue(all.states() >= STATES, all::toString);
    }

    /** The control: of the two flushes of a commit, each keeps a promise that is broken without it. */
    @Test
    void a_commit_that_leaves_out_a_flush_is_found_out() {
        for (int flush = 0; flush < 2; flush++) {
            requireFound(LARGE, flush, 2);
        }
    }

    /**
     * Where the only copy of the header has a spare one, that is flushed between the two. It counts only while the copy in place is
     * damaged, so what is durable with it need not be so before it: the first flush alone could be left out here.
     */
    @Test
    void a_commit_that_leaves_out_a_flush_is_found_out_on_a_volume_with_a_single_header() {
        requireFound(SMALL, 1, 3);
        requireFound(SMALL, 2, 3);
    }

    /** Each volume has a cache of its own: that of the second is flushed before the header on the first is written. */
    @Test
    void a_commit_that_leaves_out_one_of_several_volumes_is_found_out() {
        // The data, the spare copy of the root volume's header, its copy in place; each time first this volume, then
        // the other. As
        // above, what is flushed with the spare copy need not have been so before.
        requireFound(SEVERAL, number -> number % 6 == 1 || number % 6 == 3);
    }

    private static void requireFound(Layout layout, int ignored, int flushesPerCommit) {
        requireFound(layout, number -> number % flushesPerCommit == ignored);
    }

    private static void requireFound(Layout layout, IntPredicate ignored) {
        CrashCampaign.Plan plan = CrashCampaign.Plan.of(Profile.METADATA, layout, 1, CONTROL_POINTS)
                .ignoring(ignored);
        assertThrows(AssertionError.class, () -> Campaign.crash(plan), plan::toString);
    }
}
