package io.hammer2.lwkt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A serializing token: between threads of any cpus, one holder or many sharers run at a time. <em>State may have changed while you
 * slept</em>: a thread gives up all its tokens when it blocks for whatever reason, also for another token, and has them
 * again when the blocking call returns. Therefore tokens cannot deadlock with each other, in whatever order they are taken.
 *
 * <p>Recursive; released in reverse order. An exclusive holder may take it shared too; a sharer cannot take it exclusively. An
 * exclusive request lets no new sharers in.
 *
 * <p>The state is one word: sharers, waiting exclusive requests, {@link #EXCLUSIVE}, {@link #WAITERS} while the wait list is not
 * empty, {@link #BUSY} while some cpu changes that list. A release wakes every waiter and reserves the token for none of
 * them: a thread that waits for one token and is not running cannot keep others out.
 */
public final class Token {
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Token.class, "state", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final AtomicLong TOKENS_MADE = new AtomicLong();

    private static final long SHARER = 1L;
    private static final long SHARERS = 0xf_ffffL;
    private static final long REQUEST = 1L << 20;
    private static final long REQUESTS = 0xf_ffffL << 20;
    private static final long EXCLUSIVE = 1L << 40;
    private static final long WAITERS = 1L << 41;
    private static final long BUSY = 1L << 42;

    /** A thread's place in the list of those who wait for a token; every thread has one and waits for one token at a time. */
    static final class Wait {
        private final Runnable wakeup;
        private Wait next;
        private volatile boolean listed;

        Wait(Runnable wakeup) {
            this.wakeup = wakeup;
        }

        /** Whether nobody has let the token go since {@link Token#addWaiter}. */
        boolean listed() {
            return listed;
        }
    }

    private final String name;
    // Stands in for the address: an object has none that stays. Threads take their tokens again in this order.
    private final long address = TOKENS_MADE.getAndIncrement();
    private volatile long state;
    private Wait waiters; // under BUSY
    private long collisions; // only ever counted up, under BUSY

    public Token(String name) {
        this.name = name;
    }

    /** Takes the token exclusively. */
    public void acquire() {
        LwktThread.current().tokens.acquire(this, true);
    }

    public void acquireShared() {
        LwktThread.current().tokens.acquire(this, false);
    }

    /** Takes the token exclusively unless that would mean to wait. @return whether it is held now */
    public boolean tryGet() {
        return LwktThread.current().tokens.tryAcquire(this, true);
    }

    public boolean tryGetShared() {
        return LwktThread.current().tokens.tryAcquire(this, false);
    }

    /** Releases the token that was taken last, which must be this one. */
    public void release() {
        LwktThread.current().tokens.release(this);
    }

    /**
     * Checks that this thread has the token.
     *
     * @throws IllegalStateException unless it holds it, shared or exclusive
     */
    public void assertHeld() {
        LwktThread self = LwktThread.current();
        if (!self.tokens.holds(this)) {
            throw new IllegalStateException(self + " does not hold " + this);
        }
    }

    /** How often someone had to wait for this token. */
    public long collisions() {
        return collisions;
    }

    @Override
    public String toString() {
        return "token " + name;
    }

    long address() {
        return address;
    }

    boolean tryTake(boolean exclusive, boolean requested) {
        for (int tries = 0; ; tries++) {
            long s = state;
            if (!isFree(s, exclusive)) {
                return false;
            }
            long taken = (exclusive ? s | EXCLUSIVE : s + SHARER) - (requested ? REQUEST : 0);
            if ((s & BUSY) == 0 && STATE.compareAndSet(this, s, taken)) {
                return true;
            }
            SpinBit.pause(tries);
        }
    }

    private static boolean isFree(long s, boolean exclusive) {
        return exclusive ? (s & (EXCLUSIVE | SHARERS)) == 0 : (s & (EXCLUSIVE | REQUESTS)) == 0;
    }

    /**
     * Puts the thread on the wait list unless the token has become free.
     *
     * @param newRequest whether this is an exclusive request that is not counted yet
     * @return whether the thread is on the list and has to be woken before it tries again
     */
    boolean addWaiter(Wait wait, boolean exclusive, boolean newRequest) {
        long s = lockList();
        if (newRequest) {
            s += REQUEST;
        }
        if (isFree(s, exclusive)) {
            state = s;
            return false;
        }
        collisions++;
        wait.listed = true;
        wait.next = waiters;
        waiters = wait;
        state = s | WAITERS;
        return true;
    }

    /** An exclusive request that is not going to be served: sharers need not wait for it. */
    void withdrawRequest() {
        long s = lockList() - REQUEST;
        if ((s & WAITERS) != 0) {
            wakeAll(s);
        } else {
            state = s;
        }
    }

    void letGo(boolean exclusive) {
        for (int tries = 0; ; tries++) {
            long s = state;
            if ((s & BUSY) == 0) {
                long free = exclusive ? s & ~EXCLUSIVE : s - SHARER;
                if ((s & WAITERS) == 0) {
                    if (STATE.compareAndSet(this, s, free)) {
                        return;
                    }
                } else if (STATE.compareAndSet(this, s, s | BUSY)) {
                    wakeAll(free);
                    return;
                }
            }
            SpinBit.pause(tries);
        }
    }

    private void wakeAll(long free) {
        Wait newest = waiters;
        waiters = null;
        state = free & ~WAITERS;
        Wait oldest = null;
        while (newest != null) {
            Wait older = newest.next;
            newest.next = oldest;
            oldest = newest;
            newest = older;
        }
        while (oldest != null) {
            Wait next = oldest.next;
            oldest.next = null;
            oldest.listed = false;
            oldest.wakeup.run();
            oldest = next;
        }
    }

    private long lockList() {
        for (int tries = 0; ; tries++) {
            long s = state;
            if ((s & BUSY) == 0 && STATE.compareAndSet(this, s, s | BUSY)) {
                return s;
            }
            SpinBit.pause(tries);
        }
    }
}
