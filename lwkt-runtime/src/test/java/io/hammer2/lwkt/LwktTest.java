package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;

/** What every runtime does for the threads on it, whichever mode and mechanism. */
class LwktTest {
    @Worlds.OnEach
    void run_answers_with_the_result_of_the_body_on_the_cpu_asked_for(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(3)) {
            assertEquals(2, lwkt.run(2, () -> Cpu.current().id()));
        }
    }

    @Worlds.OnEach
    void run_throws_what_the_body_throws(Worlds worlds) {
        try (Lwkt lwkt = worlds.open(1)) {
            IOException thrown = new IOException("from the body");
            assertSame(
                    thrown,
                    assertThrows(
                            IOException.class,
                            () -> lwkt.run(0, () -> {
                                throw thrown;
                            })));
        }
    }

    @Worlds.OnEach
    void threads_of_one_cpu_take_turns_when_they_yield(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            List<String> order = new ArrayList<>();
            lwkt.run(0, () -> {
                Message<Void> done = new Message<>();
                for (String name : List.of("a", "b")) {
                    Cpu.current().spawn(name, () -> {
                        for (int i = 0; i < 3; i++) {
                            order.add(name + i);
                            LwktThread.yieldNow();
                        }
                        if (name.equals("b")) {
                            done.reply(null);
                        }
                    });
                }
                return done.await();
            });
            assertEquals(List.of("a0", "b0", "a1", "b1", "a2", "b2"), order);
        }
    }

    @Worlds.OnEach
    void a_thread_that_yields_for_ever_starves_no_event(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            int yields = lwkt.run(0, () -> {
                boolean[] handled = new boolean[1];
                Cpu.current().post(() -> handled[0] = true);
                int count = 0;
                while (!handled[0] && count < 10_000) {
                    LwktThread.yieldNow();
                    count++;
                }
                return count;
            });
            assertTrue(yields < 10, "the event waited for " + yields + " yields");
        }
    }

    @Worlds.OnEach
    void threads_that_yield_to_each_other_for_ever_starve_no_event(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            int yields = lwkt.run(0, () -> {
                boolean[] handled = new boolean[1];
                Cpu.current().spawn("other", () -> {
                    while (!handled[0]) {
                        LwktThread.yieldNow();
                    }
                });
                LwktThread.yieldNow();
                Cpu.current().post(() -> handled[0] = true);
                int count = 0;
                while (!handled[0] && count < 10_000) {
                    LwktThread.yieldNow();
                    count++;
                }
                handled[0] = true;
                return count;
            });
            assertTrue(yields < 100, "the event waited for " + yields + " yields");
        }
    }

    @Worlds.OnEach
    void a_blocked_handler_does_not_stop_its_cpu(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Message<String> late = new Message<>();
            Message<String> result = new Message<>();
            lwkt.cpu(0).post(() -> result.reply("then " + late.await()));
            lwkt.cpu(0).post(() -> late.reply("the other"));
            assertEquals("then the other", lwkt.run(0, result::await));
        }
    }

    @Worlds.OnEach
    void tasks_of_one_sender_start_in_the_order_of_their_posting(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            List<Integer> started = new ArrayList<>();
            lwkt.run(1, () -> {
                Message<Void> last = new Message<>();
                for (int i = 0; i < 1_000; i++) {
                    int number = i;
                    lwkt.cpu(0).post(() -> started.add(number));
                }
                lwkt.cpu(0).post(() -> last.reply(null));
                return last.await();
            });
            assertEquals(1_000, started.size());
            for (int i = 0; i < 1_000; i++) {
                assertEquals(i, started.get(i));
            }
        }
    }

    @Worlds.OnEach
    void a_reply_from_a_thread_outside_wakes_the_waiter(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Message<Integer> message = new Message<>();
            Thread outside = Thread.ofPlatform().start(() -> message.reply(42));
            assertEquals(42, lwkt.run(0, message::await));
            outside.join();
        }
    }

    @Worlds.OnEach
    void a_failure_is_thrown_at_the_waiter(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Message<Void> unchecked = new Message<>();
            unchecked.fail(new UnsupportedOperationException("no"));
            assertThrows(UnsupportedOperationException.class, () -> lwkt.run(0, unchecked::await));
            Message<Void> checked = new Message<>();
            checked.fail(new IOException("broken"));
            CompletionException wrapped = assertThrows(CompletionException.class, () -> lwkt.run(0, checked::await));
            assertEquals("broken", wrapped.getCause().getMessage());
        }
    }

    @Worlds.OnEach
    void sleeping_takes_at_least_the_time_asked_for_by_the_clock(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            long slept = lwkt.run(0, () -> {
                long before = lwkt.clock().nanoTime();
                LwktThread.sleep(2_000_000);
                return lwkt.clock().nanoTime() - before;
            });
            assertTrue(slept >= 2_000_000, "slept " + slept + " ns");
        }
    }

    @Worlds.OnEach
    void a_source_is_polled_and_its_handler_may_block(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Message<Void> go = new Message<>();
            Message<String> handled = new Message<>();
            boolean[] taken = new boolean[1];
            EventSource source = () -> {
                if (taken[0]) {
                    return false;
                }
                taken[0] = true;
                go.await();
                handled.reply("handled");
                return true;
            };
            lwkt.run(0, () -> {
                Cpu.current().attach(source);
                return null;
            });
            lwkt.cpu(0).post(() -> go.reply(null));
            assertEquals("handled", lwkt.run(0, handled::await));
            lwkt.run(0, () -> {
                Cpu.current().detach(source);
                return null;
            });
        }
    }

    @Worlds.OnEach
    void closing_unwinds_blocked_threads(Worlds worlds) throws Exception {
        boolean[] unwound = new boolean[1];
        try (Lwkt lwkt = worlds.open(1)) {
            Message<Void> never = new Message<>();
            lwkt.run(
                    0,
                    () -> Cpu.current().spawn("stuck", () -> {
                        try {
                            never.await();
                        } finally {
                            unwound[0] = true;
                        }
                    }));
            lwkt.run(0, () -> {
                LwktThread.yieldNow();
                return null;
            });
        }
        assertTrue(unwound[0]);
    }

    @Worlds.OnEach
    void a_timer_that_was_cancelled_does_not_fire(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            boolean[] fired = new boolean[2];
            lwkt.run(0, () -> {
                Timer cancelled = Cpu.current().after(1_000, () -> fired[0] = true);
                Cpu.current().after(2_000, () -> fired[1] = true);
                cancelled.cancel();
                LwktThread.sleep(1_000_000);
                return null;
            });
            assertFalse(fired[0]);
            assertTrue(fired[1]);
        }
    }
}
