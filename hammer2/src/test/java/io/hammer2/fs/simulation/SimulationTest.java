package io.hammer2.fs.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Lives of volumes from seeds; {@code scripts/sim fs} has more of them. */
final class SimulationTest {
    private static final int SEEDS = 500;
    private static final long OPERATIONS = 1_000_000;

    @Test
    void a_million_operations_of_concurrent_clients_agree_with_the_model() throws Exception {
        long operations = Campaign.simulate(1, SEEDS);
        System.out.printf("seeds 1 to %d: %,d operations%n", SEEDS, operations);
        assertTrue(operations >= OPERATIONS, () -> operations + " operations");
    }

    @Test
    void a_seed_gives_the_same_life_again() throws Exception {
        for (long seed = 1; seed <= 5; seed++) {
            assertEquals(Simulation.run(seed, 500), Simulation.run(seed, 500), "seed " + seed);
        }
    }

    @Test
    void a_device_that_does_not_write_all_that_it_says_is_found_out() {
        for (long seed = 1; seed <= 5; seed++) {
            long lying = seed;
            assertThrows(AssertionError.class, () -> Simulation.runOnLyingDevice(lying, 1000), () -> "seed " + lying);
        }
    }
}
