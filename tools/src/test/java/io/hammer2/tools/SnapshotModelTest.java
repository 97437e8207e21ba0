package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Snapshots, deletions and rollbacks on a real mount, some dozens of them; {@code scripts/stress --snapshots} does it for longer. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class SnapshotModelTest {
    private static final int STEPS = 60;

    @TempDir
    private Path work;

    @BeforeAll
    static void on_linux() {
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "needs FUSE of Linux");
    }

    @Test
    void each_pfs_shows_what_the_model_holds_and_all_space_comes_back() throws Exception {
        String summary = SnapshotModel.run(work, 1, steps -> steps < STEPS, false);
        System.out.println("snapshots on a mount, seed 1: " + summary);
        assertTrue(summary.contains("operations"), summary);
    }

    /** The control: a model that knows nothing of rollbacks. */
    @Test
    void a_rollback_that_changes_nothing_would_be_found_out() {
        assertThrows(AssertionError.class, () -> {
            for (long seed = 1; seed <= 5; seed++) {
                SnapshotModel.run(
                        Files.createDirectory(work.resolve("seed" + seed)), seed, steps -> steps < STEPS, true);
            }
        });
    }
}
