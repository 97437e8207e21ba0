package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Bounded stress on real carriers, and many worlds. */
class StressTest {
    private static final int CPUS = 4;

    /** Messages of every cpu to every other one, its own included. */
    private static final int MESSAGES_PER_PAIR = Integer.getInteger("lwkt.messagesPerPair", 640_000);

    private static final int SEEDS = Integer.getInteger("lwkt.seeds", 100_000);

    @Test
    void ten_million_messages_from_all_to_all_arrive_in_order_and_none_is_lost() throws Exception {
        long[][] received = new long[CPUS][CPUS]; // by target and source; written by the target
        try (Lwkt lwkt = Lwkt.dedicated(CPUS)) {
            List<Message<Void>> ends = new ArrayList<>();
            for (int source = 0; source < CPUS; source++) {
                int from = source;
                for (int target = 0; target < CPUS; target++) {
                    ends.add(new Message<>());
                }
                lwkt.cpu(source).spawn("sender", () -> sendToAll(lwkt, from, received, ends));
            }
            lwkt.run(0, () -> {
                ends.forEach(Message::await);
                return null;
            });
        }
        assertEquals(
                (long) CPUS * CPUS * MESSAGES_PER_PAIR,
                Arrays.stream(received).flatMapToLong(Arrays::stream).sum());
        assertTrue((long) CPUS * CPUS * MESSAGES_PER_PAIR >= 10_000_000 || MESSAGES_PER_PAIR < 640_000);
    }

    private static void sendToAll(Lwkt lwkt, int from, long[][] received, List<Message<Void>> ends) {
        for (int i = 0; i < MESSAGES_PER_PAIR; i++) {
            for (int target = 0; target < CPUS; target++) {
                int to = target;
                int number = i;
                lwkt.cpu(to).post(() -> {
                    if (received[to][from] == number && ++received[to][from] == MESSAGES_PER_PAIR) {
                        ends.get(from * CPUS + to).reply(null);
                    }
                });
            }
            if (i % 64 == 0) {
                LwktThread.yieldNow();
            }
        }
    }

    @Test
    void tokens_taken_in_opposite_orders_a_million_times_neither_deadlock_nor_lose_an_update() throws Exception {
        int threads = 8;
        int rounds = 125_000;
        Token a = new Token("a");
        Token b = new Token("b");
        long[] count = new long[2];
        try (Lwkt lwkt = Lwkt.dedicated(2)) {
            List<Message<Void>> ends = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                Token first = t % 4 < 2 ? a : b;
                Token second = t % 4 < 2 ? b : a;
                Message<Void> end = new Message<>();
                ends.add(end);
                lwkt.cpu(t % 2).spawn("t" + t, () -> {
                    for (int i = 0; i < rounds; i++) {
                        first.acquire();
                        second.acquire();
                        count[0]++;
                        count[1]++;
                        second.release();
                        first.release();
                        if (i % 8 == 0) {
                            LwktThread.yieldNow();
                        }
                    }
                    end.reply(null);
                });
            }
            lwkt.run(0, () -> {
                ends.forEach(Message::await);
                return null;
            });
            assertEquals((long) threads * rounds, count[0]);
            assertEquals((long) threads * rounds, count[1]);
            System.out.println("collisions: " + a.collisions() + " and " + b.collisions());
        }
    }

    @Test
    void a_hundred_thousand_seeds_run_without_a_deadlock() throws Exception {
        long first = Long.getLong("lwkt.firstSeed", 1);
        System.out.println("seeds " + first + " to " + (first + SEEDS - 1));
        SteppedProgram.main(new String[] {Long.toString(first), Integer.toString(SEEDS)});
    }

    @Test
    void batons_give_the_same_traces_as_continuations() throws Exception {
        for (long seed = 1; seed <= 100; seed++) {
            assertEquals(
                    SteppedProgram.run(seed, Stack.Mechanism.CONTINUATION),
                    SteppedProgram.run(seed, Stack.Mechanism.BATON),
                    "seed " + seed);
        }
    }
}
