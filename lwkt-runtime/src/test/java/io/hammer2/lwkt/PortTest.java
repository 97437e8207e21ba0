package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class PortTest {
    /** A request with an argument. */
    private static final class Square extends Message<Integer> {
        final int number;

        Square(int number) {
            this.number = number;
        }
    }

    private static void onSquare(Message<?> message) {
        Square square = (Square) message;
        square.reply(square.number * square.number);
    }

    @Worlds.OnEach
    void a_call_is_answered_from_whichever_cpu_the_port_is_on(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            for (int id = 0; id < 2; id++) {
                Port port = Port.onCpu(lwkt.cpu(id), "square", PortTest::onSquare);
                assertEquals(49, lwkt.run(0, () -> port.call(new Square(7))));
            }
        }
    }

    @Worlds.OnEach
    void a_call_on_the_ports_own_cpu_runs_on_the_callers_stack_unless_a_message_waits(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            List<String> handled = new ArrayList<>();
            Port port = Port.onCpu(lwkt.cpu(0), "square", message -> {
                handled.add(((Square) message).number + " by "
                        + LwktThread.current().name());
                onSquare(message);
            });
            lwkt.run(0, () -> {
                port.call(new Square(1));
                port.send(new Square(2));
                port.call(new Square(3));
                return null;
            });
            assertEquals("1 by run", handled.get(0));
            assertTrue(handled.get(1).startsWith("2 by worker"), handled.get(1));
            assertTrue(handled.get(2).startsWith("3 by worker"), handled.get(2));
        }
    }

    @Worlds.OnEach
    void what_a_handler_throws_fails_the_message(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            Port port = Port.onCpu(lwkt.cpu(1), "broken", message -> {
                throw new UnsupportedOperationException("broken");
            });
            lwkt.run(0, () -> assertThrows(UnsupportedOperationException.class, () -> port.call(new Square(1))));
        }
    }

    @Worlds.OnEach
    void a_server_receives_from_its_mailbox_in_the_order_of_sending(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            Port mailbox = Port.mailbox(lwkt.cpu(1), "squares");
            List<Integer> received = new ArrayList<>();
            lwkt.cpu(1).spawn("server", () -> {
                while (true) {
                    Square square = (Square) mailbox.receive();
                    received.add(square.number);
                    square.reply(square.number * square.number);
                }
            });
            int sum = lwkt.run(0, () -> {
                List<Square> squares = new ArrayList<>();
                for (int i = 0; i < 10; i++) {
                    Square square = new Square(i);
                    squares.add(square);
                    mailbox.send(square);
                }
                return squares.stream().mapToInt(Message::await).sum();
            });
            assertEquals(285, sum);
            assertEquals(List.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9), received);
        }
    }

    @Worlds.OnEach
    void a_reply_port_gets_the_answered_message(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            Port port = Port.onCpu(lwkt.cpu(1), "square", PortTest::onSquare);
            lwkt.run(0, () -> {
                Port replies = Port.mailbox(Cpu.current(), "replies");
                Square square = new Square(5);
                square.replyTo(replies);
                port.send(square);
                Message.Reply<?> reply = (Message.Reply<?>) replies.receive();
                assertSame(square, reply.answered());
                assertEquals(25, square.await());
                return null;
            });
        }
    }

    @Worlds.OnEach
    void an_abort_ends_the_servers_next_blocking_call(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            Message<Void> never = new Message<>();
            Message<Void> begun = new Message<>();
            Port port = Port.onCpu(lwkt.cpu(1), "stuck", message -> {
                begun.reply(null);
                never.await();
            });
            lwkt.run(0, () -> {
                Square square = new Square(1);
                port.send(square);
                begun.await();
                square.abort();
                return assertThrows(AbortException.class, square::await);
            });
            // The worker that was aborted serves on.
            assertEquals(1, lwkt.run(1, () -> Cpu.current().call(() -> 1)));
        }
    }

    @Worlds.OnEach
    void an_aborted_message_that_was_not_begun_never_is(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            boolean[] handled = new boolean[1];
            Port port = Port.onCpu(lwkt.cpu(0), "port", message -> handled[0] = true);
            lwkt.run(0, () -> {
                Square square = new Square(1);
                port.send(square);
                square.abort();
                return assertThrows(AbortException.class, square::await);
            });
            assertFalse(handled[0]);
        }
    }

    @Worlds.OnEach
    void a_thread_that_is_aborted_throws_from_its_blocking_call_and_a_late_reply_harms_nobody(Worlds worlds)
            throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Message<Void> late = new Message<>();
            Message<String> outcome = new Message<>();
            lwkt.run(0, () -> {
                LwktThread waiter = Cpu.current().spawn("waiter", () -> {
                    try {
                        late.await();
                    } catch (AbortException e) {
                        LwktThread.sleep(1_000);
                        outcome.reply("aborted, then slept");
                    }
                });
                LwktThread.yieldNow();
                waiter.abort();
                LwktThread.yieldNow();
                late.reply(null);
                return outcome.await();
            });
            assertEquals("aborted, then slept", outcome.await());
        }
    }

    @Worlds.OnEach
    void a_cpu_calls_another_one_and_gets_its_result_or_its_error(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            lwkt.run(0, () -> {
                assertEquals(1, lwkt.cpu(1).call(() -> Cpu.current().id()));
                assertThrows(ArithmeticException.class, () -> lwkt.cpu(1).call(() -> Math.toIntExact(1L << 40)));
                return null;
            });
        }
    }

    /** The sender's end of a port in another process: numbers and texts through two pipes. */
    private static final class RemoteHooks implements PortHooks {
        private final DataOutputStream requests;
        private final Map<Integer, Square> inFlight = new ConcurrentHashMap<>();
        private final AtomicInteger ids = new AtomicInteger();

        RemoteHooks(DataOutputStream requests, DataInputStream replies) {
            this.requests = requests;
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (true) {
                        inFlight.remove(replies.readInt()).reply(replies.readInt());
                    }
                } catch (IOException closed) {
                    // the other process has ended
                }
            });
        }

        @Override
        public void put(Message<?> message) {
            Square square = (Square) message;
            int id = ids.getAndIncrement();
            inFlight.put(id, square);
            try {
                requests.writeInt(id);
                requests.writeInt(square.number);
                requests.flush();
            } catch (IOException e) {
                message.fail(e);
            }
        }

        @Override
        public void abort(Message<?> message) {
            throw new UnsupportedOperationException("this protocol has no abort");
        }
    }

    @Test
    void a_port_may_be_in_another_process_behind_replaced_hooks() throws Exception {
        PipedOutputStream requestsOut = new PipedOutputStream();
        PipedOutputStream repliesOut = new PipedOutputStream();
        DataInputStream requestsIn = new DataInputStream(new PipedInputStream(requestsOut));
        DataInputStream repliesIn = new DataInputStream(new PipedInputStream(repliesOut));
        try (Lwkt here = Lwkt.dedicated(1);
                Lwkt there = Lwkt.dedicated(1)) {
            Port served = Port.onCpu(there.cpu(0), "square", PortTest::onSquare);
            DataOutputStream replies = new DataOutputStream(repliesOut);
            Thread.ofPlatform().daemon().start(() -> {
                try {
                    while (true) {
                        int id = requestsIn.readInt();
                        int number = requestsIn.readInt();
                        int result = there.run(0, () -> served.call(new Square(number)));
                        replies.writeInt(id);
                        replies.writeInt(result);
                        replies.flush();
                    }
                } catch (Exception closed) {
                    // the sender's process has ended
                }
            });
            Port remote = Port.of("remote square", new RemoteHooks(new DataOutputStream(requestsOut), repliesIn));
            assertEquals(144, here.run(0, () -> remote.call(new Square(12))));
        }
    }
}
