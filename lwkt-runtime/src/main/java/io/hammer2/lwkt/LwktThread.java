package io.hammer2.lwkt;

/**
 * A cooperative thread, bound for life to one cpu. It runs until it blocks or yields, and no other thread of its cpu runs meanwhile,
 * so what only threads of one cpu touch needs no lock. Tokens are given up while it is blocked, gates are kept; a Java monitor
 * or {@code java.util.concurrent} lock must never be held then.
 */
public final class LwktThread {
    /** Lowest priority: 0; highest: {@value}. */
    public static final int PRIORITY_MAX = RunQueue.LEVELS - 1;

    public static final int PRIORITY_DEFAULT = 16;

    enum State {
        NEW, // not yet started; a wake that comes for a thread in any other state never starts it
        RUNNABLE,
        RUNNING,
        BLOCKED,
        STANDBY, // a worker that no event needs now; only the carrier takes it back, and a late wake does not
        DEAD
    }

    private final Cpu cpu;
    private final long id;
    private final String name;
    private final Runnable body;
    private int priority;

    final HeldTokens tokens = new HeldTokens(this);
    final HeldGates gates = new HeldGates(this);
    final Gate.Wait gateWait = new Gate.Wait(this);

    Stack stack; // null until the first dispatch
    State state = State.NEW;
    Object waitsFor; // what the wait graph shows for a blocked thread
    boolean killed; // the runtime closes: every blocking call throws
    private Object interlocked; // address of an interlock that no sleepOn has followed yet
    Object sleepsOn; // address, while it is in the SleepQueue
    boolean pinned; // blocked with a stack that could not be left
    boolean readyWhilePinned;
    private volatile boolean abortRequested;
    LwktThread nextInQueue;
    LwktThread nextAlive;
    LwktThread previousAlive;

    LwktThread(Cpu cpu, long id, String name, int priority, Runnable body) {
        if (priority < 0 || priority > PRIORITY_MAX) {
            throw new IllegalArgumentException("priority " + priority + " is not in 0.." + PRIORITY_MAX);
        }
        this.cpu = cpu;
        this.id = id;
        this.name = name;
        this.priority = priority;
        this.body = body;
    }

    /**
     * The thread that calls.
     *
     * @throws IllegalStateException if it is not an LWKT thread
     */
    public static LwktThread current() {
        LwktThread thread = currentOrNull();
        if (thread == null) {
            throw new IllegalStateException(
                    "only an LWKT thread can do this, not " + Thread.currentThread() + ": use Lwkt.run or Cpu.post");
        }
        return thread;
    }

    public static LwktThread currentOrNull() {
        Cpu cpu = Cpu.currentOrNull();
        return cpu == null ? null : cpu.loop.current;
    }

    /** Lets the other runnable threads of this cpu, of the same or a higher priority, go first. */
    public static void yieldNow() {
        LwktThread self = current();
        self.checkNotKilled();
        self.cpu.loop.checkNoLockHeld(self);
        self.tokens.giveUp();
        try {
            self.cpu.loop.requeue(self);
            self.leave();
        } finally {
            self.tokens.retake();
        }
    }

    /**
     * Blocks for at least so many nanoseconds of the runtime's {@link Clock}.
     *
     * @throws AbortException if the thread is aborted meanwhile
     */
    public static void sleep(long nanos) {
        LwktThread self = current();
        Timer timer = self.setTimer(nanos);
        try {
            while (timer.isPending()) {
                self.blockAbortably(timer);
            }
        } finally {
            timer.cancel();
        }
    }

    /**
     * From here on a {@link Lwkt#wakeup} of the address counts, also one that comes before the {@link #sleepOn} which has to follow.
     * Between the two the caller looks once more at what it would wait for.
     */
    public static void interlock(Object address) {
        LwktThread self = current();
        self.cpu.loop.sleepQueue.remove(self);
        self.cpu.loop.sleepQueue.add(self, address);
        self.interlocked = address;
    }

    /**
     * Sleeps on an address, which may be any object and is compared by identity, until {@link Lwkt#wakeup} is called with it.
     *
     * @param why what is waited for, for the wait graph
     * @param nanosMax nanoseconds; {@link Long#MAX_VALUE} for no limit
     * @return false if the time was up
     * @throws AbortException if the thread is aborted meanwhile
     */
    @SuppressWarnings("ReferenceEquality") // addresses are compared by identity
    public static boolean sleepOn(Object address, String why, long nanosMax) {
        LwktThread self = current();
        if (self.interlocked != address) {
            interlock(address);
        }
        self.interlocked = null;
        Timer timer = nanosMax == Long.MAX_VALUE ? null : self.setTimer(nanosMax);
        try {
            while (self.sleepsOn != null && (timer == null || timer.isPending())) {
                self.blockAbortably(why);
            }
            return self.sleepsOn == null;
        } finally {
            if (timer != null) {
                timer.cancel();
            }
            self.cpu.loop.sleepQueue.remove(self);
        }
    }

    public Cpu cpu() {
        return cpu;
    }

    public String name() {
        return name;
    }

    public int priority() {
        return priority;
    }

    /**
     * Has the thread throw an {@link AbortException} from the blocking call it is in, or else from its next one; from any thread. Waits
     * for a message, a mailbox, a timer or an address are such calls; waits for a gate or token are short and run to their end.
     */
    public void abort() {
        abortRequested = true;
        wake();
    }

    @Override
    public String toString() {
        return name + "#" + id + "@" + cpu;
    }

    long id() {
        return id;
    }

    /** Gives the cpu away until {@link #wake}; tokens are given up meanwhile. Callers look again at what they wait for. */
    void block(Object waitsFor) {
        tokens.giveUp();
        try {
            suspend(waitsFor);
        } finally {
            tokens.retake();
        }
    }

    /** As {@link #block}, and a blocking point at which an abort is honoured. */
    void blockAbortably(Object waitsFor) {
        if (abortRequested) {
            abortRequested = false;
            throw new AbortException(this + " was aborted while it waited for " + waitsFor);
        }
        block(waitsFor);
    }

    void clearAbort() {
        if (abortRequested) { // a volatile store costs as much as the rest of handling an event
            abortRequested = false;
        }
    }

    /** As {@link #block}, with the tokens left as they are: for the tokens themselves. */
    void suspend(Object waitsFor) {
        checkNotKilled();
        cpu.loop.checkNoLockHeld(this);
        this.waitsFor = waitsFor;
        state = State.BLOCKED;
        if (!cpu.loop.linger(this)) {
            leave();
        }
        this.waitsFor = null;
    }

    /** Makes the thread runnable if it is blocked; from any thread. A wake without reason is harmless. */
    void wake() {
        cpu.deliver(this);
    }

    /** Leaves the stack in whatever state the caller has set, and returns at the next dispatch. */
    void leave() {
        String stuck = stack.suspend();
        if (stuck != null) {
            cpu.loop.stayPinned(this, stuck);
        }
        checkNotKilled();
    }

    /** Stepped world: leaves the stack in the middle of running. @return false if that is not possible now */
    boolean pause() {
        boolean left = stack.suspend() == null;
        checkNotKilled();
        return left;
    }

    private void checkNotKilled() {
        if (killed) {
            throw new ShutdownError(toString());
        }
    }

    private Timer setTimer(long nanos) {
        EventLoop loop = cpu.loop;
        return loop.timers.add(cpu, loop.clock.nanoTime() + Math.max(0, nanos), this);
    }

    /** Called on the thread's stack: the whole life of the thread. */
    void runBody() {
        try {
            if (!killed) {
                body.run();
                checkNothingHeld("ended");
            }
        } catch (ShutdownError closing) {
            // Unwound, as it should be.
        } catch (Throwable t) {
            cpu.loop.uncaught(this, t);
        } finally {
            state = State.DEAD;
        }
    }

    /** A thread that ends, or a worker that has handled an event, must have let go of everything. */
    void checkNothingHeld(String when) {
        if (!tokens.isEmpty() || !gates.isEmpty()) {
            String held = tokens + " " + gates;
            tokens.abandon();
            gates.abandon();
            throw new IllegalStateException(this + " " + when + " while it held " + held);
        }
    }
}
