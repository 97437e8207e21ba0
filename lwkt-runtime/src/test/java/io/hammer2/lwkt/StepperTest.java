package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class StepperTest {
    @Test
    void a_deadlock_is_found_and_printed_as_who_waits_for_what() {
        Gate a = new Gate(1);
        Gate b = new Gate(2);
        try (Lwkt lwkt = Lwkt.stepped(2, 5)) {
            DeadlockException deadlock = assertThrows(DeadlockException.class, () -> {
                lwkt.cpu(1).spawn("left", () -> {
                    a.lockExclusive();
                    LwktThread.sleep(1_000_000);
                    b.lockExclusive();
                });
                lwkt.run(0, () -> {
                    b.lockExclusive();
                    LwktThread.sleep(1_000_000);
                    a.lockExclusiveBelow(b);
                    return null;
                });
            });
            String graph = deadlock.getMessage();
            assertTrue(graph.contains("left#"), graph);
            assertTrue(graph.contains("waits for gate 1"), graph);
            assertTrue(graph.contains("waits for gate 2"), graph);
        }
    }

    @Test
    void the_same_seed_gives_the_same_trace_and_another_one_another() throws Exception {
        assertEquals(traceHash(7), traceHash(7));
        assertNotEquals(traceHash(7), traceHash(8));
    }

    @Test
    void taking_gates_against_their_order_is_refused() throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            lwkt.run(0, () -> {
                Gate low = new Gate(1);
                Gate high = new Gate(2);
                high.lockShared();
                assertThrows(IllegalStateException.class, low::lockShared);
                low.lockSharedBelow(high);
                low.unlockShared();
                high.unlockShared();
                return null;
            });
        }
    }

    private static long traceHash(long seed) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(3, seed)) {
            Token token = new Token("t");
            for (int t = 0; t < 6; t++) {
                lwkt.cpu(t % 3).spawn("t" + t, () -> {
                    for (int i = 0; i < 10; i++) {
                        token.acquire();
                        LwktThread.yieldNow();
                        token.release();
                    }
                });
            }
            while (lwkt.step()) {
                // to the end
            }
            return lwkt.traceHash();
        }
    }
}
