package io.hammer2.lwkt;

import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * Advances the cpus of a stepped world, one thing at a time, in the order that follows from a seed: which cpu runs, when a message
 * arrives, when a timer fires, and where in the middle of a thread the other cpus go first. The clock is simulated. One
 * thread advances a world for all its life.
 */
final class Stepper {
    private static final ThreadLocal<Stepper> ADVANCING = new ThreadLocal<>();

    /** 2026-01-01 00:00 UTC: when every stepped world begins. */
    private static final long EPOCH_MICROS = 1_767_225_600_000_000L;

    private static final int STEP_NANOS_MAX = 1_000;
    /** One in so many points where cpus may interleave is used. */
    private static final int INTERLEAVE_ONE_IN = 4;
    /** How long an answer from outside the world is waited for before its absence counts as a deadlock. */
    private static final long OUTSIDE_NANOS_MAX = Long.getLong("io.hammer2.lwkt.outsideNanos", 5_000_000_000L);

    private final SplittableRandom random;
    private Lwkt lwkt;
    private volatile Thread advancer;
    private Cpu running;
    private long nowNanos;
    private long traceHash;
    private Throwable failure;
    private boolean polled; // whether a source had an event

    Stepper(long seed) {
        random = new SplittableRandom(seed);
        traceHash = seed;
    }

    void govern(Lwkt world) {
        lwkt = world;
    }

    Clock clock() {
        return new Clock() {
            @Override
            public long nanoTime() {
                return nowNanos;
            }

            @Override
            public long currentTimeMicros() {
                return EPOCH_MICROS + nowNanos / 1_000;
            }
        };
    }

    static Cpu currentCpu() {
        Stepper stepper = ADVANCING.get();
        return stepper == null ? null : stepper.running;
    }

    long traceHash() {
        return traceHash;
    }

    /** An event was put into an inbox from outside. */
    void arrived() {
        LockSupport.unpark(advancer);
    }

    void failed(LwktThread thread, Throwable t) {
        if (failure == null) {
            failure = t;
        } else {
            failure.addSuppressed(t);
        }
    }

    /** In the middle of a thread: now and then, the other cpus go first. */
    void interleave(Cpu cpu) {
        LwktThread self = cpu.loop.current;
        if (lwkt.cpuCount() > 1 && self != null && !self.killed && random.nextInt(INTERLEAVE_ONE_IN) == 0) {
            pause(cpu);
        }
    }

    /** The other cpus go first; to this one nothing happens meanwhile. */
    void pause(Cpu cpu) {
        LwktThread self = cpu.loop.current;
        cpu.loop.paused = self;
        if (!self.pause()) {
            cpu.loop.paused = null; // native frames on its stack: the others go first some other time
        }
    }

    void advanceUntil(BooleanSupplier done) {
        enter();
        try {
            while (!done.getAsBoolean()) {
                if (!advance()) {
                    awaitOutside();
                }
            }
        } finally {
            leave();
        }
    }

    boolean advanceOnce() {
        enter();
        try {
            return advance();
        } finally {
            leave();
        }
    }

    void unwind() {
        enter();
        try {
            for (int id = 0; id < lwkt.cpuCount(); id++) {
                running = lwkt.cpu(id);
                running.loop.unwind();
            }
        } finally {
            running = null;
            leave();
        }
    }

    private void enter() {
        Thread self = Thread.currentThread();
        if (advancer == null) {
            advancer = self;
        } else if (advancer != self) {
            // A suspended stack may remember the thread it ran on.
            throw new IllegalStateException("this stepped world is advanced by " + advancer + ", not by " + self);
        }
        if (ADVANCING.get() != null) {
            throw new IllegalStateException(self + " is advancing a stepped world already");
        }
        if (Tuning.STRICT) {
            HeldLocks.noteWhatIsHeldOutside();
        }
        ADVANCING.set(this);
    }

    private void leave() {
        ADVANCING.remove();
    }

    private boolean advance() {
        if (!choose() && !pollAll() && !jumpToTimer()) {
            return false;
        }
        if (failure != null) {
            Throwable t = failure;
            failure = null;
            switch (t) {
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new IllegalStateException(t);
            }
        }
        return true;
    }

    /** Does one of the things that can be done now. @return false if there is none */
    private boolean choose() {
        int choices = walkChoices(-1);
        if (choices == 0) {
            return false;
        }
        nowNanos += 1 + random.nextInt(STEP_NANOS_MAX);
        walkChoices(random.nextInt(choices));
        return true;
    }

    /** Counts what can be done now; and does the one thing that has the wanted number, if any. */
    private int walkChoices(int wanted) {
        int choices = 0;
        for (int id = 0; id < lwkt.cpuCount(); id++) {
            EventLoop loop = lwkt.cpu(id).loop;
            if (canRun(loop) && choices++ == wanted) {
                perform(lwkt.cpu(id), 'r', () -> run(loop));
                return choices;
            }
            if (isTimerDue(loop) && choices++ == wanted) {
                perform(lwkt.cpu(id), 't', loop::fireTimers);
                return choices;
            }
            if (!loop.inbox.isEmpty() && choices++ == wanted) {
                perform(lwkt.cpu(id), 'o', loop::takeFromOutside);
                return choices;
            }
            for (IpiQueue queue : loop.incoming) {
                if (queue != null && !queue.isEmpty() && choices++ == wanted) {
                    perform(lwkt.cpu(id), 'm', () -> loop.local.add(queue.poll()));
                    return choices;
                }
            }
            // A source is asked now and then while there is other work, and when there is none (pollAll).
            if (loop.hasSources() && !loop.sourcesAsked && choices > 0 && choices++ == wanted) {
                perform(lwkt.cpu(id), 's', () -> askSources(loop));
                return choices;
            }
        }
        return choices;
    }

    private static boolean canRun(EventLoop loop) {
        return loop.paused != null || !loop.runQueue.isEmpty() || !loop.local.isEmpty();
    }

    private boolean isTimerDue(EventLoop loop) {
        return !loop.timers.isEmpty() && loop.timers.earliestNanos() <= nowNanos;
    }

    private void askSources(EventLoop loop) {
        loop.sourcesAsked = true;
        loop.local.add((Runnable) () -> {
            loop.sourcesAsked = false;
            polled |= loop.pollSource();
        });
    }

    private void perform(Cpu cpu, char kind, Runnable step) {
        trace(((long) kind << 32) | cpu.id());
        running = cpu;
        try {
            step.run();
        } finally {
            running = null;
        }
    }

    private void run(EventLoop loop) {
        LwktThread thread = loop.paused;
        if (thread != null) {
            loop.paused = null;
        } else {
            thread = loop.next();
        }
        trace(thread.id());
        loop.dispatch(thread);
    }

    /** Every source is asked once when there is nothing else to do. @return whether one of them had an event */
    private boolean pollAll() {
        polled = false;
        for (int id = 0; id < lwkt.cpuCount(); id++) {
            Cpu cpu = lwkt.cpu(id);
            if (cpu.loop.hasSources()) {
                perform(cpu, 's', () -> askSources(cpu.loop));
                while (choose()) {
                    // until the source has answered, and what follows from its event has been done
                }
            }
        }
        return polled;
    }

    private boolean jumpToTimer() {
        long earliest = Long.MAX_VALUE;
        for (int id = 0; id < lwkt.cpuCount(); id++) {
            TimerQueue timers = lwkt.cpu(id).loop.timers;
            if (!timers.isEmpty()) {
                earliest = Math.min(earliest, timers.earliestNanos());
            }
        }
        if (earliest == Long.MAX_VALUE) {
            return false;
        }
        nowNanos = Math.max(nowNanos, earliest);
        return true;
    }

    /** Nothing can go on inside: something outside may still answer, unless all who wait wait for each other. */
    private void awaitOutside() {
        long deadline = System.nanoTime() + OUTSIDE_NANOS_MAX;
        while (mayBeAnsweredFromOutside() && System.nanoTime() - deadline < 0) {
            LockSupport.parkNanos(this, deadline - System.nanoTime());
            for (int id = 0; id < lwkt.cpuCount(); id++) {
                if (!lwkt.cpu(id).loop.inbox.isEmpty()) {
                    return;
                }
            }
        }
        throw new DeadlockException("deadlock: nothing can run\n" + WaitGraph.describe(lwkt));
    }

    private boolean mayBeAnsweredFromOutside() {
        for (int id = 0; id < lwkt.cpuCount(); id++) {
            for (LwktThread thread : lwkt.cpu(id).loop.threads.snapshot()) {
                if (thread.waitsFor instanceof Message) {
                    return true;
                }
            }
        }
        return false;
    }

    private void trace(long what) {
        long mixed = (traceHash ^ what) * 0x9E3779B97F4A7C15L;
        traceHash = mixed ^ (mixed >>> 29);
    }
}
