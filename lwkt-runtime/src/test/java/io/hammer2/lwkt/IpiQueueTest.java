package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class IpiQueueTest {
    @Test
    void events_come_out_in_the_order_in_which_they_went_in_and_no_more_than_fit_go_in() {
        IpiQueue queue = new IpiQueue(4);
        for (int round = 0; round < 10; round++) {
            for (int i = 0; i < 4; i++) {
                assertTrue(queue.offer(i));
            }
            assertFalse(queue.offer(4));
            for (int i = 0; i < 4; i++) {
                assertEquals(i, queue.poll());
            }
            assertNull(queue.poll());
        }
    }

    @Test
    void the_watermarks_are_a_half_and_a_quarter() {
        IpiQueue queue = new IpiQueue(16);
        for (int i = 0; i < 16; i++) {
            assertEquals(i > 8, queue.isAboveHalf());
            assertEquals(i <= 4, queue.isBelowQuarter());
            queue.offer(i);
        }
        for (int left = 16; left > 0; left--) {
            assertEquals(left <= 4, queue.isBelowQuarter());
            queue.poll();
        }
    }

    @Worlds.OnEach
    void two_cpus_that_fill_each_others_queues_do_not_stop(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            int[] handled = new int[2];
            int messages = 3 * IpiQueue.CAPACITY_DEFAULT;
            Message<Void> otherSent = new Message<>();
            lwkt.cpu(1).spawn("sender", () -> {
                flood(lwkt.cpu(0), messages, handled);
                // Behind them in the same queue: answered from here, it could be seen before they are handled.
                lwkt.cpu(0).post(() -> otherSent.reply(null));
            });
            lwkt.run(0, () -> {
                flood(lwkt.cpu(1), messages, handled);
                otherSent.await();
                lwkt.cpu(1).call(() -> null);
                return null;
            });
            assertEquals(messages, handled[0]);
            assertEquals(messages, handled[1]);
            // Dedicated cpus may be so fast that no queue ever fills; stepped, nobody takes anything while another
            // sends.
            boolean filled =
                    lwkt.cpu(0).statistics().stalls() + lwkt.cpu(1).statistics().stalls() > 0;
            assertTrue(filled || !worlds.toString().startsWith("stepped"));
        }
    }

    private static void flood(Cpu target, int messages, int[] handled) {
        Runnable count = () -> handled[target.id()]++;
        for (int i = 0; i < messages; i++) {
            target.post(count);
        }
    }

    @Test
    void a_passive_message_waits_until_its_cpu_wakes_for_another_reason() throws Exception {
        try (Lwkt lwkt = Lwkt.dedicated(2)) {
            Cpu target = lwkt.cpu(1);
            boolean[] handled = new boolean[1];
            while (target.statistics().sleeps() == 0) {
                Thread.onSpinWait();
            }
            lwkt.run(0, () -> {
                target.postPassive(() -> handled[0] = true);
                assertTrue(target.call(() -> handled[0]));
                return null;
            });
            CpuStatistics sender = lwkt.cpu(0).statistics();
            assertEquals(1, sender.messagesPassive());
            assertTrue(sender.messagesRemote() >= 2, sender.toString());
        }
    }
}
