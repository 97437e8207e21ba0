package io.hammer2.lwkt;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;

/** Every interleaving, up to a bound, of two producers and the consumer looks like some order of a queue's operations. */
public class InboxModelTest {
    private final Inbox inbox = new Inbox();

    @Operation
    public void put(@Param(gen = IntGen.class, conf = "1:9") int event) {
        inbox.put(event);
    }

    @Operation(nonParallelGroup = "consumer")
    public List<Object> takeAll() {
        List<Object> events = new ArrayList<>();
        for (Inbox.Entry entry = inbox.takeAll(); entry != null; entry = entry.next) {
            events.add(entry.event);
        }
        return events;
    }

    /** The inbox as a single thread would have it. */
    public static final class Specification {
        private final ArrayDeque<Object> events = new ArrayDeque<>();

        public void put(int event) {
            events.add(event);
        }

        public List<Object> takeAll() {
            List<Object> all = new ArrayList<>(events);
            events.clear();
            return all;
        }
    }

    @Test
    void an_inbox_loses_nothing_and_keeps_the_order() {
        new ModelCheckingOptions()
                .sequentialSpecification(Specification.class)
                .threads(3)
                .actorsPerThread(2)
                .iterations(8)
                .invocationsPerIteration(1_000)
                .check(InboxModelTest.class);
    }
}
