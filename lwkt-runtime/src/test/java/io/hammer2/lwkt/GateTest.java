package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;

class GateTest {
    @Worlds.OnEach
    void a_mutator_excludes_everyone_also_while_it_is_blocked(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            Gate gate = new Gate(1);
            int[] inside = new int[1];
            int[] total = new int[1];
            List<Message<Void>> ends = new ArrayList<>();
            for (int t = 0; t < 8; t++) {
                Message<Void> end = new Message<>();
                ends.add(end);
                lwkt.cpu(t % 2).spawn("mutator", () -> {
                    for (int i = 0; i < 50; i++) {
                        gate.lockExclusive();
                        assertEquals(0, inside[0]++);
                        LwktThread.yieldNow();
                        assertEquals(1, inside[0]--);
                        total[0]++;
                        gate.unlockExclusive();
                    }
                    end.reply(null);
                });
            }
            lwkt.run(0, () -> {
                ends.forEach(Message::await);
                return null;
            });
            assertEquals(400, total[0]);
        }
    }

    @Worlds.OnEach
    void readers_are_inside_together(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            Gate gate = new Gate(1);
            Message<Void> firstIsIn = new Message<>();
            Message<Void> secondIsIn = new Message<>();
            lwkt.cpu(1).spawn("first", () -> {
                gate.lockShared();
                firstIsIn.reply(null);
                secondIsIn.await();
                gate.unlockShared();
            });
            lwkt.run(0, () -> {
                firstIsIn.await();
                gate.lockShared();
                secondIsIn.reply(null);
                gate.unlockShared();
                return null;
            });
        }
    }

    @Worlds.OnEach
    void nobody_overtakes_a_waiting_mutator(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Gate gate = new Gate(1);
            List<String> order = new ArrayList<>();
            lwkt.run(0, () -> {
                gate.lockShared();
                Cpu.current().spawn("mutator", () -> {
                    gate.lockExclusive();
                    order.add("mutator");
                    gate.unlockExclusive();
                });
                LwktThread.yieldNow();
                Message<Void> end = new Message<>();
                Cpu.current().spawn("late reader", () -> {
                    gate.lockShared();
                    order.add("late reader");
                    gate.unlockShared();
                    end.reply(null);
                });
                LwktThread.yieldNow();
                order.add("first reader leaves");
                gate.unlockShared();
                return end.await();
            });
            assertEquals(List.of("first reader leaves", "mutator", "late reader"), order);
        }
    }

    @Worlds.OnEach
    void what_is_not_held_cannot_be_asserted_or_unlocked(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(1)) {
            Gate gate = new Gate(7);
            lwkt.run(0, () -> {
                assertThrows(IllegalStateException.class, gate::assertHeldShared);
                assertThrows(IllegalStateException.class, gate::unlockShared);
                gate.lockShared();
                gate.assertHeldShared();
                assertThrows(IllegalStateException.class, gate::assertHeldExclusive);
                assertThrows(IllegalStateException.class, gate::unlockExclusive);
                String upgrade = assertThrows(IllegalStateException.class, gate::lockExclusive)
                        .getMessage();
                assertTrue(upgrade.contains("upgrade"), upgrade);
                gate.unlockShared();
                return null;
            });
        }
    }
}
