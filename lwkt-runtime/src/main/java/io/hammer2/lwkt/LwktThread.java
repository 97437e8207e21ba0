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
    State state = State.RUNNABLE;
    Object waitsFor; // what the wait graph shows for a blocked thread
    boolean killed; // the runtime closes: every blocking call throws
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
        self.tokens.giveUp();
        self.cpu.loop.ready(self);
        self.leave();
        self.tokens.retake();
    }

    /** Blocks for at least so many nanoseconds of the runtime's {@link Clock}. */
    public static void sleep(long nanos) {
        LwktThread self = current();
        EventLoop loop = self.cpu.loop;
        long deadline = loop.clock.nanoTime() + Math.max(0, nanos);
        Timer timer = loop.timers.add(self.cpu, deadline, self);
        try {
            while (timer.heapIndex >= 0) {
                self.block(timer);
            }
        } finally {
            timer.cancel();
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
        suspend(waitsFor);
        tokens.retake();
    }

    /** As {@link #block}, with the tokens left as they are: for what holds none, and for the tokens themselves. */
    void suspend(Object waitsFor) {
        checkNotKilled();
        this.waitsFor = waitsFor;
        state = State.BLOCKED;
        leave();
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

    private void checkNotKilled() {
        if (killed) {
            throw new ShutdownError(toString());
        }
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
