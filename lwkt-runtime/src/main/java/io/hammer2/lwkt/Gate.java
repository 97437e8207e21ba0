package io.hammer2.lwkt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * Many readers or one mutator, first come first served, between threads of any cpus. A gate is kept while its holder is blocked; who
 * must wait for it suspends, and is handed the gate before it runs again.
 *
 * <p>Order, checked in the stepped world: a gate is taken after every gate of a lower order number, or after its parent by
 * {@code lockSharedBelow} and {@code lockExclusiveBelow}. A gate is not recursive and cannot be upgraded; the
 * thread that locked it unlocks it, in any order.
 *
 * <p>The state is one word: readers in the low 32 bits, {@link #EXCLUSIVE}, {@link #WAITERS} while the wait queue is not empty, and
 * {@link #BUSY} while some cpu changes the queue. Nobody overtakes a waiter.
 */
public final class Gate {
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Gate.class, "state", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final long READERS = 0xffff_ffffL;
    private static final long EXCLUSIVE = 1L << 32;
    private static final long WAITERS = 1L << 33;
    private static final long BUSY = 1L << 34;

    /** A thread's place in the wait queue of the gate it waits for; every thread has one and waits for one gate at a time. */
    static final class Wait {
        final LwktThread thread;
        private boolean exclusive;
        private volatile boolean granted;
        private Wait next;

        Wait(LwktThread thread) {
            this.thread = thread;
        }
    }

    private final long order;
    private volatile long state;
    // Under BUSY.
    private Wait first;
    private Wait last;

    /** @param order place in the order in which gates are taken: of an inode's gate its number */
    public Gate(long order) {
        this.order = order;
    }

    public long order() {
        return order;
    }

    public void lockShared() {
        lock(LwktThread.current(), null, false);
    }

    public void lockExclusive() {
        lock(LwktThread.current(), null, true);
    }

    /** Takes a gate whose order number may be lower than that of {@code parent}, which the caller holds. */
    public void lockSharedBelow(Gate parent) {
        lock(LwktThread.current(), parent, false);
    }

    public void lockExclusiveBelow(Gate parent) {
        lock(LwktThread.current(), parent, true);
    }

    /** Takes the gate shared unless that would mean to wait. @return whether it is held now */
    public boolean tryLockShared() {
        return tryLock(LwktThread.current(), false);
    }

    public boolean tryLockExclusive() {
        return tryLock(LwktThread.current(), true);
    }

    public void unlockShared() {
        unlock(LwktThread.current(), false);
    }

    public void unlockExclusive() {
        unlock(LwktThread.current(), true);
    }

    /**
     * Checks that this thread may read what the gate guards.
     *
     * @throws IllegalStateException unless it holds the gate, shared or exclusive
     */
    public void assertHeldShared() {
        LwktThread self = LwktThread.current();
        if (!self.gates.holds(this)) {
            throw new IllegalStateException(self + " does not hold " + this);
        }
    }

    /**
     * Checks that this thread may change what the gate guards.
     *
     * @throws IllegalStateException unless it holds the gate exclusively
     */
    public void assertHeldExclusive() {
        LwktThread self = LwktThread.current();
        if (!self.gates.holdsExclusive(this)) {
            throw new IllegalStateException(self + " does not hold " + this + " exclusively");
        }
    }

    @Override
    public String toString() {
        long s = state;
        String how = (s & EXCLUSIVE) != 0 ? "exclusive" : (s & READERS) + " readers";
        return "gate " + order + " (" + how + ((s & WAITERS) != 0 ? ", waiters)" : ")");
    }

    private void lock(LwktThread self, Gate parent, boolean exclusive) {
        int level = self.gates.checkMayTake(this, parent, exclusive);
        self.cpu().interleave();
        if (!take(exclusive)) {
            waitFor(self, exclusive);
        }
        self.gates.add(this, exclusive, level);
    }

    private boolean tryLock(LwktThread self, boolean exclusive) {
        // Out of order is fine here: who does not wait is in no cycle of waiting.
        self.gates.checkNotHeld(this, exclusive);
        self.cpu().interleave();
        if (!take(exclusive)) {
            return false;
        }
        self.gates.add(this, exclusive, 0);
        return true;
    }

    private boolean take(boolean exclusive) {
        for (int tries = 0; ; tries++) {
            long s = state;
            if ((s & (EXCLUSIVE | WAITERS)) != 0 || (exclusive && (s & READERS) != 0)) {
                return false;
            }
            if ((s & BUSY) == 0 && STATE.compareAndSet(this, s, exclusive ? s | EXCLUSIVE : s + 1)) {
                return true;
            }
            SpinBit.pause(tries);
        }
    }

    private void waitFor(LwktThread self, boolean exclusive) {
        Wait wait = self.gateWait;
        long s = lockQueue();
        if ((s & (EXCLUSIVE | WAITERS)) == 0 && (!exclusive || (s & READERS) == 0)) {
            // It was let go of between the attempt and now.
            state = exclusive ? s | EXCLUSIVE : s + 1;
            return;
        }
        wait.exclusive = exclusive;
        wait.granted = false;
        wait.next = null;
        if (first == null) {
            first = wait;
        } else {
            last.next = wait;
        }
        last = wait;
        state = s | WAITERS;
        while (!wait.granted) {
            self.block(this);
        }
    }

    private void unlock(LwktThread self, boolean exclusive) {
        self.gates.remove(this, exclusive);
        for (int tries = 0; ; tries++) {
            long s = state;
            if ((s & WAITERS) != 0) {
                unlockWithWaiters(exclusive);
                break;
            }
            if ((s & BUSY) == 0 && STATE.compareAndSet(this, s, exclusive ? s & ~EXCLUSIVE : s - 1)) {
                break;
            }
            SpinBit.pause(tries);
        }
        self.cpu().interleave();
    }

    private void unlockWithWaiters(boolean exclusive) {
        long s = lockQueue();
        s = exclusive ? s & ~EXCLUSIVE : s - 1;
        Wait granted = null;
        if ((s & READERS) == 0) {
            granted = first;
            s = grantFirst(s);
        }
        state = s;
        while (granted != null) {
            // Once granted is set its thread may go on and wait for the next gate with the same Wait.
            Wait next = granted.next;
            LwktThread thread = granted.thread;
            granted.next = null;
            granted.granted = true;
            thread.wake();
            granted = next;
        }
    }

    /** Takes the mutator at the head of the queue, or all readers there, out of it. @return the state with them as holders */
    private long grantFirst(long s) {
        Wait lastGranted = first;
        if (first.exclusive) {
            s |= EXCLUSIVE;
        } else {
            s++;
            while (lastGranted.next != null && !lastGranted.next.exclusive) {
                lastGranted = lastGranted.next;
                s++;
            }
        }
        first = lastGranted.next;
        lastGranted.next = null;
        if (first == null) {
            last = null;
            s &= ~WAITERS;
        }
        return s;
    }

    /** Sets {@link #BUSY}. @return the state without it; writing that back unlocks the queue */
    private long lockQueue() {
        for (int tries = 0; ; tries++) {
            long s = state;
            if ((s & BUSY) == 0 && STATE.compareAndSet(this, s, s | BUSY)) {
                return s;
            }
            SpinBit.pause(tries);
        }
    }
}
