package io.hammer2.lwkt;

/** Waiting for another cpu that is in the middle of a few instructions: it changes the wait queue of a token or gate. */
final class SpinBit {
    private static final int SPINS_BEFORE_YIELD = 1_000;

    private SpinBit() {}

    /**
     * Waits a moment.
     *
     * @param tries how often the caller has tried already
     */
    @SuppressWarnings("ThreadPriorityCheck") // a hint is all that is wanted
    static void pause(int tries) {
        if (tries < SPINS_BEFORE_YIELD) {
            Thread.onSpinWait();
        } else {
            // The operating system has taken the other carrier's processor away.
            Thread.yield();
        }
    }
}
