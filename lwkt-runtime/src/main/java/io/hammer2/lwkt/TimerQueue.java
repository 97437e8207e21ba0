package io.hammer2.lwkt;

import java.util.Arrays;

/** The pending timers of one cpu: a binary heap by deadline, equal ones in the order of their setting. */
final class TimerQueue {
    private Timer[] heap = new Timer[16];
    private int size;
    private long sequence;

    boolean isEmpty() {
        return size == 0;
    }

    int size() {
        return size;
    }

    /** Deadline of the earliest timer; there must be one. */
    long earliestNanos() {
        return heap[0].deadlineNanos;
    }

    Timer add(Cpu cpu, long deadlineNanos, Object event) {
        Timer timer = new Timer(cpu, deadlineNanos, sequence++, event);
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, size * 2);
        }
        siftUp(size++, timer);
        return timer;
    }

    void remove(Timer timer) {
        int index = timer.heapIndex;
        if (index < 0) {
            return;
        }
        timer.heapIndex = -1;
        Timer last = heap[--size];
        heap[size] = null;
        if (last != timer) {
            siftDown(index, last);
            if (heap[index] == last) {
                siftUp(index, last);
            }
        }
    }

    /** Removes and returns the earliest timer if its deadline is reached, else null. */
    Timer pollDue(long nowNanos) {
        if (size == 0 || heap[0].deadlineNanos - nowNanos > 0) {
            return null;
        }
        Timer due = heap[0];
        remove(due);
        return due;
    }

    private void siftUp(int index, Timer timer) {
        while (index > 0) {
            int parent = (index - 1) >>> 1;
            if (!before(timer, heap[parent])) {
                break;
            }
            put(index, heap[parent]);
            index = parent;
        }
        put(index, timer);
    }

    private void siftDown(int index, Timer timer) {
        while (2 * index + 1 < size) {
            int child = 2 * index + 1;
            if (child + 1 < size && before(heap[child + 1], heap[child])) {
                child++;
            }
            if (!before(heap[child], timer)) {
                break;
            }
            put(index, heap[child]);
            index = child;
        }
        put(index, timer);
    }

    private void put(int index, Timer timer) {
        heap[index] = timer;
        timer.heapIndex = index;
    }

    private static boolean before(Timer a, Timer b) {
        // A difference, because nanoTime may wrap around.
        long difference = a.deadlineNanos - b.deadlineNanos;
        return difference != 0 ? difference < 0 : a.sequence < b.sequence;
    }
}
