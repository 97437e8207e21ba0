package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.tools.stress.Fsx;
import io.hammer2.tools.stress.Stress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The programs of scripts/fsx and scripts/stress on volumes of their own, with small counts. */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class StressTest {
    @BeforeAll
    static void root_on_linux() {
        assumeTrue(System.getProperty("os.name").contains("Linux"), "binds system calls of Linux");
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")) && Files.isWritable(Path.of("/etc/passwd")), "needs root");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void a_file_holds_what_every_kind_of_write_left_in_it(long seed) throws Exception {
        String summary = Fsx.onVolume(seed, 1500, "");
        System.out.println("fsx, seed " + seed + ": " + summary);
        assertTrue(summary.startsWith("1500 operations"), summary);
    }

    @Test
    void what_was_synced_outlives_the_daemon_and_the_volume_stays_clean() throws Exception {
        long seed = 1;
        String summary = Stress.onVolume(seed, 9, 2, "");
        System.out.println("stress, seed " + seed + ": " + summary);
        assertTrue(summary.contains("2 kills"), summary);
    }
}
