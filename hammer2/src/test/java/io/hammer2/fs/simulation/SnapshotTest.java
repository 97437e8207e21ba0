package io.hammer2.fs.simulation;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Snapshots among everything else that happens to a volume, and in crashes of it. */
final class SnapshotTest {
    private static final int SEEDS = 15;
    private static final long OPERATIONS_PER_SEED = 200;
    private static final int CRASH_SEEDS = 4;
    private static final int CRASH_POINTS = 120;

    @Test
    void a_pfs_holds_what_the_model_of_it_does_and_all_space_of_snapshots_comes_back() throws Exception {
        long operations = 0;
        for (long seed = 1; seed <= SEEDS; seed++) {
            try {
                operations += SnapshotLife.run(seed, OPERATIONS_PER_SEED);
            } catch (Exception | AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
        assertTrue(operations >= SEEDS * OPERATIONS_PER_SEED, operations + " operations");
    }

    /** The control: a snapshot of the last commit is not one of the moment. */
    @Test
    void a_snapshot_that_leaves_out_what_was_not_committed_is_found_out() {
        assertThrows(AssertionError.class, () -> {
            for (long seed = 1; seed <= 5; seed++) {
                SnapshotLife.runLying(seed, OPERATIONS_PER_SEED);
            }
        });
    }

    /** The control: what nobody has given back is not passed over. */
    @Test
    void space_of_snapshots_that_does_not_come_back_is_found_out() {
        AssertionError found = assertThrows(AssertionError.class, () -> {
            for (long seed = 1; seed <= 3; seed++) {
                SnapshotLife.runWithoutBulkfree(seed, OPERATIONS_PER_SEED);
            }
        });
        assertTrue(found.getMessage().contains("not all space came back"), found::getMessage);
    }

    @Test
    void after_a_crash_all_pfss_are_of_one_moment() throws Exception {
        long states = 0;
        for (long seed = 1; seed <= CRASH_SEEDS; seed++) {
            try (SnapshotCrashes crashes = new SnapshotCrashes(seed, CRASH_POINTS, number -> false)) {
                states += crashes.inspectAll();
            }
        }
        System.out.printf("%,d crash states with snapshots%n", states);
        long all = states;
        assertTrue(all > 1000, () -> all + " states");
    }

    /** The control: without its first flush a commit is not atomic. */
    @Test
    void a_commit_that_leaves_out_a_flush_is_found_out() {
        assertThrows(AssertionError.class, () -> {
            for (long seed = 1; seed <= CRASH_SEEDS; seed++) {
                try (SnapshotCrashes crashes = new SnapshotCrashes(seed, CRASH_POINTS, number -> number % 2 == 0)) {
                    crashes.inspectAll();
                }
            }
        });
    }
}
