package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Each misuse ends at once, with a text of its own. */
class MisuseTest {
    private final Object monitor = new Object();
    private final ReentrantLock lock = new ReentrantLock();

    private static void refused(String text, Executable misuse) {
        String message = assertThrows(IllegalStateException.class, misuse).getMessage();
        assertTrue(message.contains(text), message);
    }

    @Test
    void blocking_outside_an_lwkt_thread_is_refused() {
        refused("only an LWKT thread can do this", () -> new Message<Void>().await());
        refused("only an LWKT thread can do this", () -> LwktThread.sleep(1));
        refused("only an LWKT thread can do this", () -> new Gate(1).lockShared());
        refused("only an LWKT thread can do this", () -> new Token("t").acquire());
        refused("runs on no cpu", Cpu::current);
    }

    @Worlds.OnEach
    void touching_an_owned_object_from_another_cpu_is_refused(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            refused(
                    "owned by cpu1, touched by cpu0",
                    () -> lwkt.run(0, () -> {
                        lwkt.cpu(1).assertCurrent();
                        return null;
                    }));
            refused(
                    "owned by cpu1, touched by cpu0",
                    () -> lwkt.run(0, () -> Port.mailbox(lwkt.cpu(1), "m").poll()));
            refused("owned by cpu1, touched by Thread", () -> lwkt.cpu(1).assertCurrent());
        }
    }

    @Worlds.OnEach
    void sending_after_shutdown_is_refused(Worlds worlds) {
        Lwkt lwkt = worlds.open(1);
        Port port = Port.onCpu(lwkt.cpu(0), "port", message -> message.reply(null));
        Port mailbox = Port.mailbox(lwkt.cpu(0), "mailbox");
        lwkt.close();
        refused("was shut down", () -> lwkt.cpu(0).post(() -> {}));
        refused("was shut down", () -> lwkt.cpu(0).spawn("late", () -> {}));
        refused("was shut down", () -> port.send(new Message<Void>()));
        refused("was shut down", () -> mailbox.send(new Message<Void>()));
        refused("was shut down", () -> lwkt.run(0, () -> null));
        lwkt.close();
    }

    @Worlds.OnEach
    @SuppressWarnings("try") // closed by hand: that is the misuse
    void waiting_on_a_cpu_as_if_outside_is_refused(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            refused("Lwkt.run would block", () -> lwkt.run(0, () -> lwkt.run(0, () -> null)));
            refused(
                    "one of its own threads",
                    () -> lwkt.run(0, () -> {
                        lwkt.close();
                        return null;
                    }));
        }
    }

    @Worlds.OnEach
    void answering_or_sending_or_awaiting_twice_is_refused(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Message<Void> answered = new Message<>();
            answered.reply(null);
            refused("answered twice", () -> answered.reply(null));
            Port port = Port.onCpu(lwkt.cpu(0), "port", message -> message.reply(null));
            Message<Void> sent = new Message<>();
            port.send(sent);
            refused("sent twice", () -> port.send(sent));
            Message<Void> awaited = new Message<>();
            lwkt.cpu(0).spawn("first", awaited::await);
            refused("waits for", () -> lwkt.run(0, awaited::await));
        }
    }

    @Worlds.OnEach
    void a_monitor_held_across_a_block_is_found(Worlds worlds) {
        try (Lwkt lwkt = worlds.open(1)) {
            Worlds.forgetStacks();
            refused(
                    "holds the monitor of a java.lang.Object",
                    () -> lwkt.run(0, () -> {
                        synchronized (monitor) {
                            LwktThread.yieldNow();
                        }
                        return null;
                    }));
            assertEquals(1, lwkt.cpu(0).statistics().lockedBlocks());
        }
    }

    @Worlds.OnEach
    void a_lock_held_across_a_block_is_found(Worlds worlds) {
        try (Lwkt lwkt = worlds.open(1)) {
            Worlds.forgetStacks();
            refused(
                    "holds the lock java.util.concurrent.locks.ReentrantLock",
                    () -> lwkt.run(0, () -> {
                        lock.lock();
                        try {
                            LwktThread.sleep(1);
                        } finally {
                            lock.unlock();
                        }
                        return null;
                    }));
        }
    }

    /** Its initialiser blocks. */
    private static final class BlocksWhenInitialised {
        static final int VALUE = block();

        private static int block() {
            LwktThread.yieldNow();
            return 1;
        }
    }

    @Test
    void blocking_in_a_class_initialiser_is_refused_where_it_pins_the_stack() {
        try (Lwkt lwkt = Lwkt.dedicated(1, Stack.Mechanism.CONTINUATION)) {
            Throwable cause = assertThrows(
                            ExceptionInInitializerError.class, () -> lwkt.run(0, () -> BlocksWhenInitialised.VALUE))
                    .getCause();
            assertTrue(cause.getMessage().contains("native frame"), cause.getMessage());
            assertEquals(1, lwkt.cpu(0).statistics().pinnedBlocks());
        }
    }

    @Worlds.OnEach
    void ending_with_a_gate_or_token_held_is_reported(Worlds worlds) throws Exception {
        if (!worlds.toString().startsWith("stepped")) {
            return; // a dedicated cpu reports it and goes on
        }
        try (Lwkt lwkt = worlds.open(1)) {
            lwkt.cpu(0).post(new Gate(1)::lockShared);
            refused(
                    "finished an event while it held",
                    () -> lwkt.run(0, () -> {
                        LwktThread.sleep(1_000_000);
                        return null;
                    }));
            lwkt.cpu(0).spawn("forgetful", new Token("t")::acquire);
            refused(
                    "ended while it held",
                    () -> lwkt.run(0, () -> {
                        LwktThread.sleep(1_000_000);
                        return null;
                    }));
        }
    }
}
