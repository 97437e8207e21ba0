package io.hammer2.tools.offenders;

import io.hammer2.tools.ArchitectureControl;
import java.util.concurrent.locks.ReentrantLock;

/** Breaks each rule of the architecture test once. Never run. */
public final class Offender {
    private final ReentrantLock lock = new ReentrantLock();
    private final Object monitor = new Object();
    private volatile int count;

    /** Blocks, locks, uses what it may not, and ends the process. */
    public synchronized int offend() {
        lock.lock();
        count = ArchitectureControl.VALUE.length();
        System.exit(count);
        return count;
    }

    /** Blocks in another way. */
    public int offendInABlock() {
        synchronized (monitor) {
            return count;
        }
    }
}
