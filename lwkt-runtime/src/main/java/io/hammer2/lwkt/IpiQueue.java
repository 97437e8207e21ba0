package io.hammer2.lwkt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * The messages of one cpu to one other: a bounded ring with one producer and one consumer.
 *
 * <p>Rules: a slot is null or full; the producer fills the slot at {@code tail} and only if it is null, the consumer empties the one
 * at {@code head}. A slot is published by a release store and read by an acquire load, and that is all the ordering there is: what
 * the producer did before {@link #offer} is visible to whoever {@link #poll}s the event. The consumer publishes its head only for the
 * producer's watermarks. The fields of each side are on cache lines of their own.
 */
final class IpiQueue {
    private static final VarHandle SLOT = MethodHandles.arrayElementVarHandle(Object[].class);
    private static final VarHandle HEAD;

    static {
        try {
            HEAD = MethodHandles.lookup().findVarHandle(ConsumerSide.class, "head", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static final int CAPACITY_DEFAULT = 1024;

    /** Fields of one side, and enough unused ones around them that nobody else's share their cache line (or the one fetched with it). */
    @SuppressWarnings("unused")
    private static class Padding {
        private long p00, p01, p02, p03, p04, p05, p06, p07, p08, p09, p10, p11, p12, p13, p14, p15;
    }

    private static class ConsumerFields extends Padding {
        long head; // written by the consumer, read by the producer
    }

    @SuppressWarnings("unused")
    private static final class ConsumerSide extends ConsumerFields {
        private long q00, q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15;
    }

    private static class ProducerFields extends Padding {
        long tail;
        long headSeen; // not later than the real head
        long stalls;
        long wakeups;
        long wakeupsAvoided;
        long passive;
    }

    @SuppressWarnings("unused")
    private static final class ProducerSide extends ProducerFields {
        private long q00, q01, q02, q03, q04, q05, q06, q07, q08, q09, q10, q11, q12, q13, q14, q15;
    }

    private final Object[] ring;
    private final int mask;
    private final ConsumerSide consumer = new ConsumerSide();
    private final ProducerSide producer = new ProducerSide();

    /** @param capacity how many events fit: a power of two, at least 4 */
    IpiQueue(int capacity) {
        if (capacity < 4 || Integer.bitCount(capacity) != 1) {
            throw new IllegalArgumentException("capacity " + capacity + " is not a power of two of at least 4");
        }
        ring = new Object[capacity];
        mask = capacity - 1;
    }

    // ---- producer

    /** Puts an event in. @return false if the ring is full */
    boolean offer(Object event) {
        long tail = producer.tail;
        int slot = (int) tail & mask;
        if (SLOT.getAcquire(ring, slot) != null) {
            return false;
        }
        SLOT.setRelease(ring, slot, event);
        producer.tail = tail + 1;
        return true;
    }

    /** High watermark: more than half of the ring is full. */
    boolean isAboveHalf() {
        return fillsMoreThan(ring.length / 2);
    }

    /** Low watermark: a quarter of the ring or less is full. */
    boolean isBelowQuarter() {
        return !fillsMoreThan(ring.length / 4);
    }

    private boolean fillsMoreThan(int events) {
        ProducerSide p = producer;
        if (p.tail - p.headSeen <= events) {
            return false; // the real head can only be further on
        }
        p.headSeen = (long) HEAD.getAcquire(consumer);
        return p.tail - p.headSeen > events;
    }

    void countStall() {
        producer.stalls++;
    }

    void countWakeup(boolean needed) {
        if (needed) {
            producer.wakeups++;
        } else {
            producer.wakeupsAvoided++;
        }
    }

    void countPassive() {
        producer.passive++;
    }

    // ---- consumer

    /** The oldest event, or null. */
    Object poll() {
        long head = consumer.head;
        int slot = (int) head & mask;
        Object event = SLOT.getAcquire(ring, slot);
        if (event != null) {
            // Plain: the producer reads the slot before it writes it, and looks at nothing else of ours.
            SLOT.setRelease(ring, slot, null);
            HEAD.setRelease(consumer, head + 1);
        }
        return event;
    }

    boolean isEmpty() {
        return SLOT.getAcquire(ring, (int) consumer.head & mask) == null;
    }

    // ---- statistics; a reader on another cpu may see values that are a little old

    long sent() {
        return producer.tail;
    }

    long stalls() {
        return producer.stalls;
    }

    long wakeups() {
        return producer.wakeups;
    }

    long wakeupsAvoided() {
        return producer.wakeupsAvoided;
    }

    long passive() {
        return producer.passive;
    }
}
