package io.hammer2.lwkt;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * What one cpu does for ever. The carrier dispatches runnable threads; when there is none it dispatches a <em>worker</em>, a
 * thread that takes one event after the other and handles each to completion. A handler that blocks takes its worker
 * with it, and the carrier goes on with another worker: an event that need not wait costs no switch at all, one that waits about two.
 *
 * <p>Rules: everything here is touched by its own cpu only, except {@link #inbox}, {@link #asleep}, {@link #stopping} and
 * {@link #sleeper}, which other threads read or put into. There is one place where the cpu sleeps, {@link #idle}.
 */
final class EventLoop {
    private static final VarHandle ASLEEP;

    static {
        try {
            ASLEEP = MethodHandles.lookup().findVarHandle(EventLoop.class, "asleep", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Threads dispatched in a row before a worker looks for events, so that threads which yield for ever starve no event. */
    private static final int DISPATCHES_PER_POLL = 32;

    /** Local events in a row before timers, sources and other cpus are looked at. */
    private static final int LOCAL_EVENTS_PER_POLL = 64;

    private static final int DEAD_STACKS_MAX = 64;
    private static final int STANDBY_WORKERS_MAX = 64;

    private final Cpu cpu;
    private final Stack.Mechanism mechanism;
    private final boolean stepped;
    final Clock clock;

    final RunQueue runQueue = new RunQueue();
    final EventQueue local = new EventQueue();
    final Inbox inbox = new Inbox();
    final TimerQueue timers = new TimerQueue();
    private final List<EventSource> sources = new ArrayList<>();
    private int nextSource;

    LwktThread current;
    LwktThread paused; // stepped world: runs, but the other cpus go first
    private LwktThread alive; // head of the list of all threads of this cpu
    private final ArrayDeque<LwktThread> standby = new ArrayDeque<>();
    private final ArrayDeque<Stack> deadStacks = new ArrayDeque<>();
    private int workersMade;
    private int dispatchesSincePoll;
    private int localEventsSincePoll;

    volatile Sleeper sleeper = new ParkSleeper();
    private volatile boolean asleep;
    volatile boolean stopping;
    private long idleSinceNanos;
    private boolean idling;

    EventLoop(Cpu cpu, Stack.Mechanism mechanism, Clock clock, boolean stepped) {
        this.cpu = cpu;
        this.mechanism = mechanism;
        this.clock = clock;
        this.stepped = stepped;
    }

    // ---- threads

    LwktThread create(String name, int priority, Runnable body) {
        LwktThread thread = new LwktThread(cpu, cpu.lwkt().nextThreadId(), name, priority, body);
        return thread;
    }

    /** Puts a thread of this cpu at the end of its run queue, unless it is there or runs. */
    void ready(LwktThread thread) {
        switch (thread.state) {
            case BLOCKED, RUNNING -> {
                thread.state = LwktThread.State.RUNNABLE;
                runQueue.add(thread);
            }
            case RUNNABLE, STANDBY, DEAD -> {}
        }
    }

    void start(LwktThread thread) {
        link(thread);
        runQueue.add(thread);
    }

    void attach(EventSource source) {
        sources.add(source);
    }

    void detach(EventSource source) {
        sources.remove(source);
    }

    boolean hasSources() {
        return !sources.isEmpty();
    }

    // ---- the carrier's side

    /** The life of a dedicated carrier. */
    void carry() {
        while (!stopping) {
            dispatch(next());
        }
        unwind();
    }

    /** Who runs next: a runnable thread, or a worker when there is none or events have waited long enough. */
    LwktThread next() {
        if (++dispatchesSincePoll < DISPATCHES_PER_POLL) {
            LwktThread thread = runQueue.poll();
            if (thread != null) {
                return thread;
            }
        }
        dispatchesSincePoll = 0;
        LwktThread worker = standby.pollLast();
        return worker != null ? worker : newWorker();
    }

    void dispatch(LwktThread thread) {
        if (thread.stack == null) {
            Stack stack = deadStacks.pollLast();
            thread.stack = stack != null ? stack : mechanism.newStack(cpu);
            thread.stack.occupant = thread;
        }
        thread.state = LwktThread.State.RUNNING;
        current = thread;
        thread.stack.resume();
        current = null;
        if (thread.state == LwktThread.State.DEAD) {
            bury(thread);
        }
    }

    private void bury(LwktThread thread) {
        unlink(thread);
        Stack stack = thread.stack;
        thread.stack = null;
        if (deadStacks.size() < DEAD_STACKS_MAX && !stopping) {
            deadStacks.addLast(stack);
        } else {
            stack.discard();
        }
    }

    private LwktThread newWorker() {
        LwktThread worker = create("worker-" + workersMade++, LwktThread.PRIORITY_DEFAULT, this::work);
        link(worker);
        return worker;
    }

    /** The thread cannot leave its stack: a mistake in tests; in production its cpu goes on with the others on top of that stack. */
    void stayPinned(LwktThread thread, String why) {
        thread.state = LwktThread.State.RUNNING;
        throw new IllegalStateException(thread + " cannot block: " + why);
    }

    // ---- the workers' side

    private void work() {
        LwktThread self = current;
        while (!stopping) {
            if (!runQueue.isEmpty()) {
                if (!standBy(self)) {
                    return;
                }
            } else if (handleOne(self)) {
                idling = false;
                if (stepped && !standBy(self)) {
                    return;
                }
            } else if (stepped) {
                standBy(self);
            } else {
                idle();
            }
        }
    }

    /** Steps back until the carrier wants a worker. @return false if there are workers enough and this one may end */
    private boolean standBy(LwktThread self) {
        if (standby.size() >= STANDBY_WORKERS_MAX) {
            return false;
        }
        standby.addLast(self);
        self.state = LwktThread.State.STANDBY;
        self.leave();
        return true;
    }

    private boolean handleOne(LwktThread self) {
        if (++localEventsSincePoll < LOCAL_EVENTS_PER_POLL) {
            Object event = local.poll();
            if (event != null) {
                handle(self, event);
                return true;
            }
        }
        localEventsSincePoll = 0;
        if (!stepped) {
            takeArrivals();
            fireTimers();
            if (pollSource()) {
                finished(self);
                return true;
            }
        }
        Object event = local.poll();
        if (event == null) {
            return false;
        }
        handle(self, event);
        return true;
    }

    private void handle(LwktThread self, Object event) {
        switch (event) {
            case LwktThread thread when thread.stack == null -> start(thread);
            case LwktThread thread -> ready(thread);
            case Runnable task -> {
                try {
                    task.run();
                } catch (ShutdownError closing) {
                    throw closing;
                } catch (Throwable t) {
                    uncaught(self, t);
                }
                finished(self);
            }
            default -> throw new AssertionError("not an event: " + event);
        }
    }

    private void finished(LwktThread self) {
        try {
            self.checkNothingHeld("finished an event");
        } catch (IllegalStateException e) {
            uncaught(self, e);
        }
    }

    boolean pollSource() {
        for (int tries = sources.size(); tries > 0; tries--) {
            if (nextSource >= sources.size()) {
                nextSource = 0;
            }
            if (sources.get(nextSource++).pollOne()) {
                return true;
            }
        }
        return false;
    }

    /** Moves what others have sent into the local queue. Handles nothing: the caller may be in the middle of something. */
    void takeArrivals() {
        for (Inbox.Entry entry = inbox.takeAll(); entry != null; entry = entry.next) {
            local.add(entry.event);
        }
    }

    void fireTimers() {
        if (timers.isEmpty()) {
            return;
        }
        long now = clock.nanoTime();
        for (Timer due = timers.pollDue(now); due != null; due = timers.pollDue(now)) {
            local.add(due.event);
        }
    }

    // ---- sleeping

    /** Nothing to do: look around for a while, then sleep until someone wakes this cpu or a timer is due. */
    private void idle() {
        long now = clock.nanoTime();
        if (!idling) {
            idling = true;
            idleSinceNanos = now;
        }
        if (now - idleSinceNanos < sleeper.spinNanos()) {
            Thread.onSpinWait();
            return;
        }
        asleep = true;
        // A sender puts its event first and then reads asleep; both accesses are volatile, so one of the two sees the
        // other.
        if (inbox.isEmpty() && !stopping) {
            sleeper.sleep(timers.isEmpty() ? Long.MAX_VALUE : Math.max(1, timers.earliestNanos() - now));
        }
        asleep = false;
    }

    /** Called by any thread after it has put an event where this cpu will find it. */
    void wakeIfAsleep() {
        if (asleep && ASLEEP.compareAndSet(this, true, false)) {
            sleeper.wake();
        }
    }

    // ---- the end

    /** Ends every thread of this cpu by unwinding its stack, one after the other. */
    void unwind() {
        while (alive != null) {
            LwktThread thread = alive;
            thread.killed = true;
            dispatch(thread);
            if (alive == thread) {
                unlink(thread); // caught the ShutdownError and blocked again: left as it is
            }
        }
        deadStacks.forEach(Stack::discard);
        deadStacks.clear();
    }

    void uncaught(LwktThread thread, Throwable t) {
        cpu.lwkt().uncaught(thread, t);
    }

    Iterable<LwktThread> threads() {
        List<LwktThread> threads = new ArrayList<>();
        for (LwktThread thread = alive; thread != null; thread = thread.nextAlive) {
            threads.add(thread);
        }
        return threads;
    }

    private void link(LwktThread thread) {
        thread.nextAlive = alive;
        if (alive != null) {
            alive.previousAlive = thread;
        }
        alive = thread;
    }

    private void unlink(LwktThread thread) {
        if (thread.previousAlive == null) {
            alive = thread.nextAlive;
        } else {
            thread.previousAlive.nextAlive = thread.nextAlive;
        }
        if (thread.nextAlive != null) {
            thread.nextAlive.previousAlive = thread.previousAlive;
        }
        thread.nextAlive = null;
        thread.previousAlive = null;
    }
}
