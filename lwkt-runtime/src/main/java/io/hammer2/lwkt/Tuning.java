package io.hammer2.lwkt;

/** The few numbers that were chosen by measurement (docs/perf/lwkt.md). */
final class Tuning {
    /** How long a cpu without work looks for some before it sleeps: about what one wake-up costs. */
    static final long SPIN_NANOS = Long.getLong("io.hammer2.lwkt.spinNanos", 20_000);

    /** How often a thread that blocks on a cpu without other work looks for its wake-up before it leaves its stack. */
    static final int LINGER_SPINS = Integer.getInteger("io.hammer2.lwkt.lingerSpins", 100);

    /** An idle cpu reads the clock once in so many rounds. */
    static final int IDLE_ROUNDS_PER_CLOCK = 16;

    /** Whether misuse that production counts is an error: wherever assertions are on. */
    static final boolean STRICT = LwktThread.class.desiredAssertionStatus();

    /** Production looks for monitors held by a blocking thread once in so many switches: the look costs about 0.1 ms. */
    static final int SWITCHES_PER_LOCK_CHECK = 1 << 17;

    static final boolean TIMING = Boolean.getBoolean("io.hammer2.lwkt.timing");

    static final boolean PIN = !"false".equals(System.getProperty("io.hammer2.lwkt.pin"));

    private Tuning() {}
}
