package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.concurrent.atomic.AtomicInteger;

/** A wake may come after what was waited for has been seen: to a thread that runs, that has ended, or that has not begun. */
class LateWakeTest {
    @Worlds.OnEach
    void a_wake_does_not_start_an_ended_thread_again(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            AtomicInteger lives = new AtomicInteger();
            LwktThread ended = lwkt.run(0, () -> {
                Message<Void> end = new Message<>();
                LwktThread thread = Cpu.current().spawn("short", () -> {
                    lives.incrementAndGet();
                    end.reply(null);
                });
                end.await();
                LwktThread.yieldNow();
                assertSame(LwktThread.State.DEAD, thread.state);
                thread.wake();
                return thread;
            });
            lwkt.run(1, () -> {
                ended.wake();
                return null;
            });
            ended.wake();
            lwkt.run(0, () -> {
                LwktThread.yieldNow();
                return null;
            });
            assertEquals(1, lives.get());
        }
    }

    @Worlds.OnEach
    void a_wake_does_not_run_a_running_thread_twice(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            AtomicInteger lives = new AtomicInteger();
            lwkt.run(0, () -> {
                Message<Void> end = new Message<>();
                Cpu.current().spawn("wakes itself", () -> {
                    lives.incrementAndGet();
                    LwktThread.current().wake();
                    end.reply(null);
                });
                end.await();
                for (int i = 0; i < 5; i++) {
                    LwktThread.yieldNow();
                }
                return null;
            });
            assertEquals(1, lives.get());
        }
    }

    @Worlds.OnEach
    void a_wake_does_not_start_a_thread_that_is_about_to_start(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            AtomicInteger lives = new AtomicInteger();
            lwkt.run(0, () -> {
                Message<Void> end = new Message<>();
                LwktThread local = Cpu.current().spawn("local", lives::incrementAndGet);
                local.wake();
                LwktThread remote = lwkt.cpu(1).spawn("remote", () -> {
                    lives.incrementAndGet();
                    end.reply(null);
                });
                remote.wake();
                end.await();
                for (int i = 0; i < 5; i++) {
                    LwktThread.yieldNow();
                }
                return null;
            });
            assertEquals(2, lives.get());
        }
    }
}
