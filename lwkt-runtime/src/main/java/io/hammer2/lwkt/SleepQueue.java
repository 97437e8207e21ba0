package io.hammer2.lwkt;

import java.util.ArrayDeque;
import java.util.IdentityHashMap;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * The threads of one cpu that sleep on an address, which here is any object, by identity. A table shared by all cpus says which of
 * them have sleepers in a bucket of addresses, so that a wake-up is sent only where it may be wanted.
 */
final class SleepQueue {
    private static final int BUCKETS = 256;

    private final Cpu cpu;
    private final AtomicLongArray cpusByBucket;
    private final int[] sleepersByBucket = new int[BUCKETS];
    private final IdentityHashMap<Object, ArrayDeque<LwktThread>> sleepers = new IdentityHashMap<>();

    SleepQueue(Cpu cpu, AtomicLongArray cpusByBucket) {
        this.cpu = cpu;
        this.cpusByBucket = cpusByBucket;
    }

    /** The table that the queues of one runtime share: a bit for every cpu, the 65th one shares the first one's. */
    static AtomicLongArray newTable() {
        return new AtomicLongArray(BUCKETS);
    }

    static boolean mayHaveSleepers(AtomicLongArray table, int cpuId, Object address) {
        return (table.get(bucket(address)) & 1L << cpuId) != 0;
    }

    void add(LwktThread thread, Object address) {
        thread.sleepsOn = address;
        sleepers.computeIfAbsent(address, a -> new ArrayDeque<>()).addLast(thread);
        int bucket = bucket(address);
        if (sleepersByBucket[bucket]++ == 0) {
            cpusByBucket.getAndUpdate(bucket, bits -> bits | 1L << cpu.id());
        }
    }

    /** Takes a thread out whom nobody woke; does nothing if it is not in. */
    void remove(LwktThread thread) {
        Object address = thread.sleepsOn;
        if (address != null) {
            ArrayDeque<LwktThread> queue = sleepers.get(address);
            queue.remove(thread);
            left(thread, address, queue);
        }
    }

    /** Wakes the longest sleeping thread, or all. */
    void wakeup(Object address, boolean all) {
        ArrayDeque<LwktThread> queue = sleepers.get(address);
        if (queue == null) {
            return;
        }
        do {
            LwktThread thread = queue.pollFirst();
            left(thread, address, queue);
            cpu.loop.ready(thread);
        } while (all && !queue.isEmpty());
    }

    private void left(LwktThread thread, Object address, ArrayDeque<LwktThread> queue) {
        thread.sleepsOn = null;
        if (queue.isEmpty()) {
            sleepers.remove(address);
        }
        int bucket = bucket(address);
        if (--sleepersByBucket[bucket] == 0 && cpu.lwkt().cpuCount() <= Long.SIZE) {
            cpusByBucket.getAndUpdate(bucket, bits -> bits & ~(1L << cpu.id()));
        }
    }

    private static int bucket(Object address) {
        int hash = System.identityHashCode(address);
        return (hash ^ hash >>> 16) & (BUCKETS - 1);
    }
}
