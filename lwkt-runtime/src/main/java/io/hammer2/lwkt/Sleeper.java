package io.hammer2.lwkt;

/**
 * How an idle cpu waits. The default parks the carrier; a transport that gets its events through a descriptor supplies one that
 * waits for the descriptor and for {@link #wake} in one system call.
 */
public interface Sleeper {
    /**
     * Returns after {@link #wake}, after an event of the sleeper's own, after {@code nanosMax}, or for no reason at all. A wake
     * that came before the call counts: the call then returns at once.
     *
     * @param nanosMax nanoseconds, more than 0; {@link Long#MAX_VALUE} for no limit
     */
    void sleep(long nanosMax);

    /** Ends the current sleep or, if there is none, the next one. Called by any thread. */
    void wake();

    /**
     * How long an idle cpu looks around for work before it sleeps here. For events that come through the kernel, looking costs a
     * system call each time, and takes the core from the very client that is about to send the next one.
     */
    default long spinNanos() {
        return Tuning.SPIN_NANOS;
    }
}
