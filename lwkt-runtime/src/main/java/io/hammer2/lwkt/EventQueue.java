package io.hammer2.lwkt;

/** First in, first out, growing ring of one cpu's pending events. Touched by its own cpu only. */
final class EventQueue {
    private Object[] ring = new Object[256];
    private int head;
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    void add(Object event) {
        if (size == ring.length) {
            grow();
        }
        ring[(head + size++) & (ring.length - 1)] = event;
    }

    /** The oldest event, left where it is, or null. */
    Object peek() {
        return size == 0 ? null : ring[head];
    }

    Object poll() {
        if (size == 0) {
            return null;
        }
        Object event = ring[head];
        ring[head] = null;
        head = (head + 1) & (ring.length - 1);
        size--;
        return event;
    }

    private void grow() {
        Object[] larger = new Object[ring.length * 2];
        System.arraycopy(ring, head, larger, 0, ring.length - head);
        System.arraycopy(ring, 0, larger, ring.length - head, head);
        ring = larger;
        head = 0;
    }
}
