package io.hammer2.lwkt;

/** One event that a cpu gets at a given time, unless it is cancelled before. Touched by its own cpu only. */
public final class Timer {
    final Cpu cpu;
    final long deadlineNanos;
    final long sequence;
    final Object event;
    int heapIndex = -1; // where it is in the TimerQueue; -1: fired or cancelled

    Timer(Cpu cpu, long deadlineNanos, long sequence, Object event) {
        this.cpu = cpu;
        this.deadlineNanos = deadlineNanos;
        this.sequence = sequence;
        this.event = event;
    }

    /** Whether it has neither fired nor been cancelled. */
    public boolean isPending() {
        return heapIndex >= 0;
    }

    /** Does nothing if the timer has fired. */
    public void cancel() {
        cpu.assertCurrent();
        cpu.loop.timers.remove(this);
    }

    @Override
    public String toString() {
        return "a timer";
    }
}
