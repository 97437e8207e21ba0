package io.hammer2.lwkt;

import java.util.ArrayDeque;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;

/** Every interleaving, up to a bound, of a producer and a consumer looks like some order of a bounded queue's operations. */
public class IpiQueueModelTest {
    private static final int CAPACITY = 4;

    private final IpiQueue queue = new IpiQueue(CAPACITY);
    private int next;

    @Operation(nonParallelGroup = "producer")
    public boolean offer() {
        return queue.offer(next++);
    }

    @Operation(nonParallelGroup = "producer")
    public boolean offerUnlessAboveHalf() {
        return !queue.isAboveHalf() && queue.offer(next++);
    }

    @Operation(nonParallelGroup = "consumer")
    public Integer poll() {
        return (Integer) queue.poll();
    }

    @Operation(nonParallelGroup = "consumer")
    public boolean isEmpty() {
        return queue.isEmpty();
    }

    /** The queue as a single thread would have it. */
    public static final class Specification {
        private final ArrayDeque<Integer> queue = new ArrayDeque<>();
        private int next;

        public boolean offer() {
            int event = next++;
            return queue.size() < CAPACITY && queue.add(event);
        }

        public boolean offerUnlessAboveHalf() {
            return queue.size() <= CAPACITY / 2 && queue.add(next++);
        }

        public Integer poll() {
            return queue.poll();
        }

        public boolean isEmpty() {
            return queue.isEmpty();
        }
    }

    @Test
    void a_ring_is_a_bounded_queue() {
        new ModelCheckingOptions()
                .sequentialSpecification(Specification.class)
                .threads(2)
                .actorsBefore(3)
                .actorsPerThread(4)
                .actorsAfter(2)
                .iterations(25)
                .invocationsPerIteration(1_000)
                .check(IpiQueueModelTest.class);
    }
}
