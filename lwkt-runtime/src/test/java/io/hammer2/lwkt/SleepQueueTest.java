package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;

class SleepQueueTest {
    private final Object address = new Object();

    @Worlds.OnEach
    void a_wakeup_reaches_the_sleepers_of_every_cpu(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(3)) {
            Token token = new Token("condition");
            boolean[] condition = new boolean[1];
            List<Message<Void>> ends = new ArrayList<>();
            for (int id = 0; id < 3; id++) {
                Message<Void> end = new Message<>();
                ends.add(end);
                lwkt.cpu(id).spawn("sleeper", () -> {
                    token.acquire();
                    while (!condition[0]) {
                        LwktThread.interlock(address);
                        if (!condition[0]) {
                            LwktThread.sleepOn(address, "the condition", Long.MAX_VALUE);
                        }
                    }
                    token.release();
                    end.reply(null);
                });
            }
            lwkt.run(1, () -> {
                LwktThread.sleep(100_000);
                token.acquire();
                condition[0] = true;
                token.release();
                lwkt.wakeup(address);
                ends.forEach(Message::await);
                return null;
            });
        }
    }

    @Worlds.OnEach
    void a_wakeup_between_interlock_and_sleep_is_not_lost(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            assertTrue(lwkt.run(0, () -> {
                LwktThread.interlock(address);
                lwkt.wakeup(address);
                return LwktThread.sleepOn(address, "nothing more", Long.MAX_VALUE);
            }));
        }
    }

    @Worlds.OnEach
    void sleeping_on_an_address_ends_when_the_time_is_up(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            assertFalse(lwkt.run(0, () -> LwktThread.sleepOn(address, "nobody", 1_000)));
        }
    }

    @Worlds.OnEach
    void wakeup_one_wakes_the_longest_sleeper_only(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            List<String> woken = new ArrayList<>();
            lwkt.run(0, () -> {
                for (String name : List.of("first", "second")) {
                    Cpu.current().spawn(name, () -> {
                        LwktThread.sleepOn(address, "a turn", Long.MAX_VALUE);
                        woken.add(name);
                    });
                    LwktThread.yieldNow();
                }
                lwkt.wakeupOne(address);
                LwktThread.sleep(1_000);
                return null;
            });
            assertEquals(List.of("first"), woken);
        }
    }
}
