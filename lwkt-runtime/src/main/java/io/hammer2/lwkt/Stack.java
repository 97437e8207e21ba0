package io.hammer2.lwkt;

/**
 * A call stack that can be left in the middle and taken up again later: the mechanism below {@link LwktThread}. A stack outlives
 * the thread that runs on it and is reused by the next one (the cache of dead threads).
 */
abstract sealed class Stack permits ContinuationStack, BatonStack {
    /** Whose body runs here; set by the cpu before the first {@link #resume} of that thread. */
    LwktThread occupant;

    /** Called on the carrier: runs the occupant until it suspends or ends. */
    abstract void resume();

    /**
     * Called on this stack: leaves it, and returns when it is resumed.
     *
     * @return null, or why it cannot be left (it was not left, then)
     */
    abstract String suspend();

    /** Lets go of what the stack holds; it is never resumed again. */
    abstract void discard();

    /** What every stack runs: its occupants' bodies, one after the other. */
    final void runOccupants() {
        while (occupant != null) {
            occupant.runBody();
            occupant = null;
            suspend();
        }
    }

    /** Makes stacks of one kind. */
    enum Mechanism {
        CONTINUATION {
            @Override
            Stack newStack(Cpu cpu) {
                return new ContinuationStack();
            }
        },
        BATON {
            @Override
            Stack newStack(Cpu cpu) {
                return new BatonStack(cpu);
            }
        };

        abstract Stack newStack(Cpu cpu);

        /**
         * The fastest mechanism this JVM was started for, unless the system property {@code io.hammer2.lwkt.stacks} names one.
         */
        static Mechanism choose() {
            String wanted = System.getProperty("io.hammer2.lwkt.stacks");
            if (wanted != null) {
                return valueOf(wanted.toUpperCase(java.util.Locale.ROOT));
            }
            boolean exported = Object.class.getModule().isExported("jdk.internal.vm", Stack.class.getModule());
            return exported ? CONTINUATION : BATON;
        }
    }
}
