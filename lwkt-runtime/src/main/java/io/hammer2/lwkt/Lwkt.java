package io.hammer2.lwkt;

import java.lang.invoke.VarHandle;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * A runtime of N cpus, either <em>dedicated</em>, each with a platform thread of its own, or <em>stepped</em>, where the thread that
 * calls {@link #run} or {@link #step} advances them one at a time in an order that follows from a seed. What runs on the cpus cannot
 * tell the difference.
 */
public final class Lwkt implements AutoCloseable {
    private final Cpu[] cpus;
    private final Clock clock;
    final Stepper stepper; // null: dedicated
    final AtomicLongArray sleepersByBucket = SleepQueue.newTable();
    private final CountDownLatch carriersRunning;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicLong threadIds = new AtomicLong();
    private final Map<Long, RunningBody<?>> runs = new ConcurrentHashMap<>(); // those whose end is waited for

    private Lwkt(int cpuCount, Stack.Mechanism mechanism, Clock clock, Stepper stepper) {
        if (cpuCount < 1) {
            throw new IllegalArgumentException("a runtime of " + cpuCount + " cpus");
        }
        this.clock = clock;
        this.stepper = stepper;
        cpus = new Cpu[cpuCount];
        for (int id = 0; id < cpuCount; id++) {
            cpus[id] = new Cpu(this, id, cpuCount, mechanism);
        }
        carriersRunning = new CountDownLatch(stepper == null ? cpuCount : 0);
    }

    /** Starts a runtime with one carrier, a daemon platform thread, per cpu. */
    public static Lwkt dedicated(int cpus) {
        return dedicated(cpus, Stack.Mechanism.choose());
    }

    static Lwkt dedicated(int cpus, Stack.Mechanism mechanism) {
        Lwkt lwkt = new Lwkt(cpus, mechanism, new RealClock(), null);
        FlightRecording.opened(lwkt);
        for (Cpu cpu : lwkt.cpus) {
            new CarrierThread(cpu, "lwkt-" + cpu, () -> {
                        try {
                            cpu.loop.carry();
                        } finally {
                            lwkt.carriersRunning.countDown();
                        }
                    })
                    .start();
        }
        return lwkt;
    }

    /** A runtime that its caller advances; the same seed gives the same interleaving. Its clock is simulated. */
    public static Lwkt stepped(int cpus, long seed) {
        return stepped(cpus, seed, Stack.Mechanism.choose());
    }

    static Lwkt stepped(int cpus, long seed, Stack.Mechanism mechanism) {
        Stepper stepper = new Stepper(seed);
        Lwkt lwkt = new Lwkt(cpus, mechanism, stepper.clock(), stepper);
        stepper.govern(lwkt);
        return lwkt;
    }

    public int cpuCount() {
        return cpus.length;
    }

    public Cpu cpu(int id) {
        return cpus[id];
    }

    public Clock clock() {
        return clock;
    }

    /**
     * Runs the body as an LWKT thread on a cpu and waits for it; called by a thread that belongs to no cpu. In the stepped world
     * this advances the world until the body has ended.
     *
     * @throws Exception what the body threw
     * @throws DeadlockException in the stepped world, if the body can never end
     */
    public <T> T run(int cpuId, Callable<T> body) throws Exception {
        if (Cpu.currentOrNull() != null) {
            throw new IllegalStateException("Lwkt.run would block " + Cpu.current() + ": an LWKT thread uses Cpu.call");
        }
        RunningBody<T> running = new RunningBody<>(body);
        Long runId = nextThreadId();
        runs.put(runId, running);
        try {
            cpus[cpuId].spawn("run", running);
            if (stepper != null) {
                stepper.advanceUntil(running::hasEnded);
            } else if (closed.get()) {
                Uninterruptibly.await(carriersRunning);
                running.abandon(closedWhile("it was started"));
            }
            return running.await();
        } finally {
            runs.remove(runId);
        }
    }

    private static IllegalStateException closedWhile(String what) {
        return new IllegalStateException("the runtime was closed while " + what);
    }

    /**
     * Stepped world: does one thing on one cpu.
     *
     * @return false if there was nothing to do for any cpu, now or later
     */
    public boolean step() {
        return stepped().advanceOnce();
    }

    /** Stepped world: what has happened so far, in one number. */
    public long traceHash() {
        return stepped().traceHash();
    }

    private Stepper stepped() {
        if (stepper == null) {
            throw new IllegalStateException("a dedicated runtime advances by itself");
        }
        return stepper;
    }

    /** Wakes every thread of this runtime that sleeps on the address; called on one of its cpus. */
    public void wakeup(Object address) {
        wakeup(address, true);
    }

    /** Wakes at least one thread that sleeps on the address, if there is one: one on each cpu that has any. */
    public void wakeupOne(Object address) {
        wakeup(address, false);
    }

    private void wakeup(Object address, boolean all) {
        Cpu.current();
        VarHandle.fullFence(); // what the sleepers wait for was stored before; their side stores the table first
        for (Cpu cpu : cpus) {
            if (SleepQueue.mayHaveSleepers(sleepersByBucket, cpu.id(), address)) {
                if (Cpu.current() == cpu) {
                    cpu.loop.sleepQueue.wakeup(address, all);
                } else {
                    cpu.deliver((Runnable) () -> cpu.loop.sleepQueue.wakeup(address, all));
                }
            }
        }
    }

    /** Who exists and what each blocked thread waits for, one line a thread. Exact in the stepped world, else a moment's impression. */
    public String waitGraph() {
        return WaitGraph.describe(this);
    }

    /** Stops all cpus. Threads that are blocked are unwound, so that their {@code finally} blocks run; events are dropped. */
    @Override
    public void close() {
        if (Cpu.currentOrNull() != null) {
            throw new IllegalStateException(
                    "a runtime cannot be closed by " + LwktThread.currentOrNull() + ", one of its own threads");
        }
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        for (Cpu cpu : cpus) {
            cpu.loop.doorbell.shutDown();
        }
        if (stepper != null) {
            stepper.unwind();
        } else {
            Uninterruptibly.await(carriersRunning);
            FlightRecording.closed(this);
        }
        runs.values().forEach(run -> run.abandon(closedWhile("it ran")));
    }

    long nextThreadId() {
        return threadIds.getAndIncrement();
    }

    boolean checksGateOrder() {
        return stepper != null;
    }

    /** A body or a handler threw: in the stepped world the run ends with it, in production it is reported and the cpu goes on. */
    void uncaught(LwktThread thread, Throwable t) {
        if (stepper != null) {
            stepper.failed(thread, t);
        } else {
            Thread carrier = Thread.currentThread();
            carrier.getUncaughtExceptionHandler()
                    .uncaughtException(carrier, new IllegalStateException("in " + thread, t));
        }
    }
}
