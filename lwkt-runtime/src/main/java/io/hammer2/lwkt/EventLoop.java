package io.hammer2.lwkt;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/**
 * What one cpu does for ever. The carrier dispatches runnable threads; when there is none it dispatches a <em>worker</em>, a
 * thread that takes one event after the other and handles each to completion. A handler that blocks takes its worker
 * with it, and the carrier goes on with another worker: an event that need not wait costs no switch at all, one that waits about two.
 *
 * <p>Rules: everything here is touched by its own cpu only, except {@link #incoming} and {@link #inbox}, which others put into, and
 * {@link #doorbell}. There is one place where the cpu sleeps, {@link #sleep}.
 */
final class EventLoop {
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
    /** By source cpu; null for this one. */
    final IpiQueue[] incoming;

    final Inbox inbox = new Inbox();
    final SleepQueue sleepQueue;
    final CpuCounters counters = new CpuCounters();
    final TimerQueue timers = new TimerQueue();
    private final List<EventSource> sources = new ArrayList<>();
    private int nextSource;
    boolean sourcesAsked; // stepped world: a look at the sources is among the local events

    LwktThread current;
    LwktThread paused; // stepped world: runs, but the other cpus go first
    final ThreadList threads = new ThreadList();
    private final ArrayDeque<LwktThread> standby = new ArrayDeque<>();
    private final ArrayDeque<Stack> deadStacks = new ArrayDeque<>();
    private int workersMade;
    private int dispatchesSincePoll;
    private int localEventsSincePoll;
    private long nextLockCheck = Tuning.SWITCHES_PER_LOCK_CHECK; // in switches

    final Doorbell doorbell = new Doorbell();
    private int idleRounds; // without finding anything, since the last event
    private long idleSinceNanos;
    private long idleSeenNanos; // latest reading of the clock in this idle time

    EventLoop(Cpu cpu, int cpuCount, Stack.Mechanism mechanism) {
        this.cpu = cpu;
        this.mechanism = mechanism;
        clock = cpu.lwkt().clock();
        stepped = cpu.lwkt().stepper != null;
        sleepQueue = new SleepQueue(cpu, cpu.lwkt().sleepersByBucket);
        incoming = new IpiQueue[cpuCount];
        for (int source = 0; source < cpuCount; source++) {
            incoming[source] = source == cpu.id() ? null : new IpiQueue(IpiQueue.CAPACITY_DEFAULT);
        }
    }

    // ---- threads

    LwktThread create(String name, int priority, Runnable body) {
        return new LwktThread(cpu, cpu.lwkt().nextThreadId(), name, priority, body);
    }

    /**
     * Makes a thread of this cpu runnable if it is blocked. In any other state the wake came late and has no meaning: who waits looks at
     * what it waits for before each block, and a worker may meet the wake for its own last wait, or anybody one for a thread
     * that has ended since.
     */
    void ready(LwktThread thread) {
        if (thread.state == LwktThread.State.BLOCKED) {
            thread.state = LwktThread.State.RUNNABLE;
            runQueue.add(thread);
        }
    }

    /** Puts the running thread at the end of its run queue. If it would come next, an event goes first. */
    void requeue(LwktThread thread) {
        if (runQueue.isEmpty()) {
            dispatchesSincePoll = DISPATCHES_PER_POLL;
        }
        thread.state = LwktThread.State.RUNNABLE;
        runQueue.add(thread);
    }

    void start(LwktThread thread) {
        thread.state = LwktThread.State.RUNNABLE;
        counters.threadsStarted++;
        threads.add(thread);
        runQueue.add(thread);
    }

    /** An event of this cpu for itself. */
    void post(Object event) {
        counters.messagesLocal++;
        local.add(event);
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
        pinToProcessor();
        while (!doorbell.isShutDown()) {
            dispatch(next());
        }
        unwind();
    }

    /** Pins the calling carrier, if the runtime's cpus can have a processor each. A single cpu goes where the system puts it. */
    void pinToProcessor() {
        int cpus = incoming.length;
        if (Tuning.PIN && !stepped && cpus > 1 && cpus <= Runtime.getRuntime().availableProcessors()) {
            Affinity.pinToNth(cpu.id());
        }
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
            giveStack(thread);
        }
        counters.switches++;
        thread.state = LwktThread.State.RUNNING;
        current = thread;
        if (stepped || Tuning.TIMING || FlightRecording.isOn()) {
            resumeTimed(thread);
        } else {
            thread.stack.resume();
        }
        current = null;
        if (thread.state == LwktThread.State.DEAD) {
            bury(thread);
        }
    }

    private void resumeTimed(LwktThread thread) {
        long idleBefore = counters.idleNanos;
        long start = clock.nanoTime();
        thread.stack.resume();
        long nanos = clock.nanoTime() - start - (counters.idleNanos - idleBefore);
        if (nanos > counters.longestRunNanos) {
            counters.longestRunNanos = nanos;
        }
        if (nanos > FlightRecording.LONG_RUN_NANOS && !stepped && FlightRecording.isOn()) {
            FlightRecording.longRun(cpu, thread, nanos);
        }
    }

    private void giveStack(LwktThread thread) {
        Stack stack = deadStacks.pollLast();
        if (stack == null) {
            counters.stacksMade++;
            stack = mechanism.newStack(cpu);
        }
        stack.occupant = thread;
        thread.stack = stack;
    }

    private void bury(LwktThread thread) {
        threads.remove(thread);
        Stack stack = thread.stack;
        thread.stack = null;
        if (deadStacks.size() < DEAD_STACKS_MAX && !doorbell.isShutDown()) {
            deadStacks.addLast(stack);
        } else {
            stack.discard();
        }
    }

    private LwktThread newWorker() {
        LwktThread worker = create("worker-" + workersMade++, LwktThread.PRIORITY_DEFAULT, this::work);
        counters.threadsStarted++;
        threads.add(worker);
        return worker;
    }

    /**
     * The thread blocks but cannot leave its stack. In tests that is an error; production counts it, and the cpu goes on with the others
     * on top of that stack, so that the thread can return only after those above it have blocked.
     */
    void stayPinned(LwktThread thread, String why) {
        counters.pinnedBlocks++;
        if (Tuning.STRICT || stepped) {
            if (thread.state == LwktThread.State.RUNNABLE) {
                runQueue.remove(thread);
            }
            thread.state = LwktThread.State.RUNNING;
            throw new IllegalStateException(thread + " cannot block: " + why);
        }
        thread.pinned = true;
        while (!thread.readyWhilePinned && !doorbell.isShutDown()) {
            LwktThread next = next();
            if (next.pinned) {
                next.readyWhilePinned = true; // perhaps another one, further down
            } else {
                dispatch(next);
            }
        }
        thread.pinned = false;
        thread.readyWhilePinned = false;
        thread.killed |= doorbell.isShutDown();
        thread.state = LwktThread.State.RUNNING;
        current = thread;
    }

    /** A thread is about to block: only tokens and gates may be held across that. */
    void checkNoLockHeld(LwktThread thread) {
        String held = null;
        if (Tuning.STRICT) {
            held = HeldLocks.heldOnNewStack();
        } else if (counters.switches >= nextLockCheck) {
            // Not by the remainder: between two blocks of a thread there may always be an even number of switches.
            nextLockCheck = counters.switches + Tuning.SWITCHES_PER_LOCK_CHECK;
            held = HeldLocks.held(false);
        }
        if (held != null) {
            counters.lockedBlocks++;
            if (Tuning.STRICT) {
                throw new IllegalStateException(thread + " cannot block: it holds " + held);
            }
        }
    }

    /**
     * A cpu with nothing else to do waits for a moment on the stack of the thread that blocks: when what comes next is the wake-up of that
     * very thread, as it is in a call to another cpu, it goes on without a switch.
     *
     * @return whether the thread was woken and runs on
     */
    boolean linger(LwktThread self) {
        if (stepped || !sources.isEmpty()) {
            return false;
        }
        for (int spin = 0; runQueue.isEmpty() && local.isEmpty(); spin++) {
            takeArrivals();
            if (local.peek() == self) {
                local.poll();
                self.state = LwktThread.State.RUNNING;
                return true;
            }
            if (spin == Tuning.LINGER_SPINS || doorbell.isShutDown()) {
                break;
            }
            Thread.onSpinWait();
        }
        return false;
    }

    // ---- the workers' side

    private void work() {
        LwktThread self = current;
        while (!doorbell.isShutDown()) {
            // First an event and then a look at the run queue: the carrier may want one handled although threads are
            // runnable.
            if (handleOne(self)) {
                idleRounds = 0;
            } else if (!stepped && runQueue.isEmpty()) {
                idle();
            }
            if ((stepped || !runQueue.isEmpty()) && !standBy(self)) {
                return;
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
        counters.events++;
        if (event instanceof LwktThread thread) {
            if (thread.state == LwktThread.State.NEW) {
                start(thread);
            } else {
                ready(thread);
            }
            return;
        }
        try {
            if (event instanceof Message<?> message) {
                ((HandlerHooks) message.port()).arrived(message);
            } else {
                ((Runnable) event).run();
            }
        } catch (ShutdownError closing) {
            throw closing;
        } catch (Throwable t) {
            uncaught(self, t);
        }
        finished(self);
    }

    private void finished(LwktThread self) {
        self.clearAbort();
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
        for (IpiQueue queue : incoming) {
            if (queue != null) {
                for (Object event = queue.poll(); event != null; event = queue.poll()) {
                    local.add(event);
                }
            }
        }
        takeFromOutside();
    }

    void takeFromOutside() {
        for (Inbox.Entry entry = inbox.takeAll(); entry != null; entry = entry.next) {
            counters.messagesFromOutside++;
            local.add(entry.event);
        }
    }

    /**
     * A queue of this cpu's messages to another one is above half full: waits until it is below a quarter. Meanwhile this cpu empties its
     * own queues, so that two cpus which send to each other cannot both wait for ever.
     */
    void awaitRoom(IpiQueue queue, Cpu target) {
        queue.countStall();
        for (int tries = 0; !queue.isBelowQuarter() && !target.loop.doorbell.isShutDown(); tries++) {
            takeArrivals();
            if (stepped) {
                cpu.lwkt().stepper.pause(cpu);
            } else {
                target.loop.doorbell.ring();
                SpinBit.pause(tries);
            }
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
        if (idleRounds++ % Tuning.IDLE_ROUNDS_PER_CLOCK == 0) {
            long now = clock.nanoTime();
            if (idleRounds == 1) {
                idleSinceNanos = now;
            } else {
                counters.idleNanos += now - idleSeenNanos;
            }
            idleSeenNanos = now;
            if (now - idleSinceNanos >= doorbell.sleeper().spinNanos()) {
                sleep(now);
                return;
            }
        }
        Thread.onSpinWait();
    }

    private void sleep(long now) {
        doorbell.fallAsleep();
        if (!hasArrivals() && !doorbell.isShutDown()) {
            counters.sleeps++;
            doorbell.sleeper().sleep(timers.isEmpty() ? Long.MAX_VALUE : Math.max(1, timers.earliestNanos() - now));
            counters.idleNanos += clock.nanoTime() - now;
        }
        doorbell.wakeUp();
        idleRounds = 0;
    }

    private boolean hasArrivals() {
        for (IpiQueue queue : incoming) {
            if (queue != null && !queue.isEmpty()) {
                return true;
            }
        }
        return !inbox.isEmpty();
    }

    // ---- the end

    /** Ends every thread of this cpu by unwinding its stack, one after the other. */
    void unwind() {
        for (LwktThread thread = threads.first(); thread != null; thread = threads.first()) {
            thread.killed = true;
            dispatch(thread);
            if (threads.first() == thread) {
                threads.remove(thread); // caught the ShutdownError and blocked again: left as it is
            }
        }
        deadStacks.forEach(Stack::discard);
        deadStacks.clear();
    }

    void uncaught(LwktThread thread, Throwable t) {
        cpu.lwkt().uncaught(thread, t);
    }
}
