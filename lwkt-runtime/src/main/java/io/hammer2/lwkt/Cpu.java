package io.hammer2.lwkt;

import java.util.function.Supplier;

/** One cpu of a runtime: a run queue, an event loop, and exactly one thread that runs at a time. */
public final class Cpu {
    private final Lwkt lwkt;
    private final int id;
    final EventLoop loop;

    Cpu(Lwkt lwkt, int id, int cpuCount, Stack.Mechanism mechanism) {
        this.lwkt = lwkt;
        this.id = id;
        this.loop = new EventLoop(this, cpuCount, mechanism);
    }

    /**
     * The cpu the caller runs on.
     *
     * @throws IllegalStateException if it runs on none
     */
    public static Cpu current() {
        Cpu cpu = currentOrNull();
        if (cpu == null) {
            throw new IllegalStateException(Thread.currentThread() + " runs on no cpu: use Lwkt.run or Cpu.post");
        }
        return cpu;
    }

    public static Cpu currentOrNull() {
        if (Thread.currentThread() instanceof CarrierThread carrier) {
            return carrier.cpu;
        }
        return Stepper.currentCpu();
    }

    public int id() {
        return id;
    }

    public Lwkt lwkt() {
        return lwkt;
    }

    /**
     * Checks that the caller may touch what this cpu owns.
     *
     * @throws IllegalStateException unless it runs on this cpu
     */
    public void assertCurrent() {
        Cpu here = currentOrNull();
        if (here != this) {
            throw new IllegalStateException(
                    "owned by " + this + ", touched by " + (here == null ? Thread.currentThread() : here));
        }
    }

    /**
     * Starts a thread on this cpu; from any thread.
     *
     * @throws IllegalStateException after the runtime was closed
     */
    public LwktThread spawn(String name, Runnable body) {
        return spawn(name, LwktThread.PRIORITY_DEFAULT, body);
    }

    public LwktThread spawn(String name, int priority, Runnable body) {
        checkOpen();
        LwktThread thread = loop.create(name, priority, body);
        if (currentOrNull() == this) {
            loop.start(thread);
        } else {
            deliver(thread);
        }
        return thread;
    }

    /**
     * Has the event loop run the task to completion; from any thread. Tasks of one sender are started in the order of their
     * posting. The task may block.
     *
     * @throws IllegalStateException after the runtime was closed
     */
    public void post(Runnable task) {
        checkOpen();
        deliver(task);
    }

    /**
     * As {@link #post}, for work that can wait until the cpu is awake for some other reason: never wakes it, unless its queue runs full.
     * Called on a cpu.
     */
    public void postPassive(Runnable task) {
        checkOpen();
        Cpu here = current();
        if (here == this || here.lwkt != lwkt) {
            deliver(task);
        } else {
            deliverFrom(here, task, true);
        }
    }

    /**
     * Has this cpu do something and waits for its result; called by an LWKT thread. On this cpu itself it is a direct call.
     *
     * @throws RuntimeException what the body threw
     */
    public <T> T call(Supplier<T> body) {
        if (currentOrNull() == this) {
            return body.get();
        }
        checkOpen();
        Message<T> result = new Message<>();
        deliver((Runnable) () -> {
            try {
                result.reply(body.get());
            } catch (ShutdownError closing) {
                throw closing;
            } catch (Throwable t) {
                result.fail(t);
            }
        });
        return result.await();
    }

    /** Whether a message to this cpu would have to wake it, which costs some 20 us and more; a hint, from any thread. */
    public boolean isAsleep() {
        return loop.doorbell.asleep;
    }

    /** What this cpu has done so far; from any thread. */
    public CpuStatistics statistics() {
        return CpuStatistics.of(this);
    }

    /** The timer's task is handled like a posted one. On this cpu only. */
    public Timer after(long nanos, Runnable task) {
        assertCurrent();
        return loop.timers.add(this, loop.clock.nanoTime() + Math.max(0, nanos), task);
    }

    /** Adds a source of events to this cpu's loop. On this cpu only. */
    public void attach(EventSource source) {
        assertCurrent();
        loop.attach(source);
    }

    /** Takes a source out; does nothing if it is not attached. On this cpu only. */
    public void detach(EventSource source) {
        assertCurrent();
        loop.detach(source);
    }

    /** The way this cpu waits when idle. On this cpu only. */
    public Sleeper sleeper() {
        assertCurrent();
        return loop.doorbell.sleeper();
    }

    /** Replaces the way this cpu waits when idle. On this cpu only. The stepped world never sleeps and ignores it. */
    public void sleeper(Sleeper sleeper) {
        assertCurrent();
        loop.doorbell.setSleeper(sleeper);
    }

    @Override
    public String toString() {
        return "cpu" + id;
    }

    /** Gets an event (a task, a message, or a thread to be started or made runnable) to this cpu, from wherever the caller is. */
    void deliver(Object event) {
        Cpu here = currentOrNull();
        if (here == this) {
            if (event instanceof LwktThread thread && thread.state != LwktThread.State.NEW) {
                loop.counters.messagesLocal++;
                loop.ready(thread);
            } else {
                loop.post(event);
            }
        } else if (here != null && here.lwkt == lwkt) {
            deliverFrom(here, event, false);
        } else {
            loop.inbox.put(event);
            if (lwkt.stepper != null) {
                lwkt.stepper.arrived();
            } else {
                loop.doorbell.ring();
            }
        }
    }

    private void deliverFrom(Cpu here, Object event, boolean passive) {
        IpiQueue queue = loop.incoming[here.id];
        if (queue.isAboveHalf()) {
            here.loop.awaitRoom(queue, this);
        }
        if (!queue.offer(event)) {
            return; // shut down meanwhile: nobody takes anything out any more
        }
        if (passive) {
            queue.countPassive();
        } else if (lwkt.stepper == null) {
            queue.countWakeup(loop.doorbell.ring());
        }
        here.interleave();
    }

    /** Stepped world: the other cpus may go on here, as they may at any time in production. */
    void interleave() {
        if (lwkt.stepper != null) {
            lwkt.stepper.interleave(this);
        }
    }

    void checkOpen() {
        if (loop.doorbell.isShutDown()) {
            throw new IllegalStateException(this + " was shut down: nothing can be sent to it any more");
        }
    }
}
