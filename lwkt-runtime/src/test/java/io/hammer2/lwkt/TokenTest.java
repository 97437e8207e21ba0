package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;

class TokenTest {
    @Worlds.OnEach
    void another_thread_runs_inside_a_held_token_while_its_holder_sleeps(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            Token token = new Token("state");
            int[] state = new int[1];
            int after = lwkt.run(0, () -> {
                token.acquire();
                Message<Void> changed = new Message<>();
                lwkt.cpu(1).spawn("other", () -> {
                    token.acquire();
                    state[0] = 1;
                    token.release();
                    changed.reply(null);
                });
                assertEquals(0, state[0]);
                changed.await(); // state may have changed while you slept
                token.assertHeld();
                int seen = state[0];
                token.release();
                return seen;
            });
            assertEquals(1, after);
        }
    }

    @Worlds.OnEach
    void opposite_orders_neither_deadlock_nor_lose_an_update(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            Token a = new Token("a");
            Token b = new Token("b");
            int[] count = new int[1];
            List<Message<Void>> ends = new ArrayList<>();
            for (int t = 0; t < 4; t++) {
                Token first = t < 2 ? a : b;
                Token second = t < 2 ? b : a;
                Message<Void> end = new Message<>();
                ends.add(end);
                lwkt.cpu(t % 2).spawn("worker", () -> {
                    for (int i = 0; i < 1_000; i++) {
                        first.acquire();
                        second.acquire();
                        count[0]++;
                        second.release();
                        first.release();
                        if (i % 16 == 0) {
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
            assertEquals(4_000, count[0]);
        }
    }

    @Worlds.OnEach
    void releasing_out_of_order_is_refused(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Token a = new Token("a");
            Token b = new Token("b");
            lwkt.run(0, () -> {
                a.acquire();
                b.acquire();
                String text =
                        assertThrows(IllegalStateException.class, a::release).getMessage();
                assertTrue(text.contains("out of order"), text);
                b.release();
                a.release();
                assertThrows(IllegalStateException.class, a::release);
                return null;
            });
        }
    }

    @Worlds.OnEach
    void a_token_is_recursive_but_sharing_cannot_become_exclusive(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Token token = new Token("t");
            lwkt.run(0, () -> {
                token.acquire();
                token.acquire();
                token.acquireShared();
                token.release();
                token.release();
                token.release();
                token.acquireShared();
                assertThrows(IllegalStateException.class, token::acquire);
                token.release();
                return null;
            });
        }
    }
}
