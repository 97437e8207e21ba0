package io.hammer2.lwkt;

/** The few numbers that were chosen by measurement (docs/perf/lwkt.md). */
final class Tuning {
    /** How long a cpu without work looks for some before it sleeps: about what one wake-up costs. */
    static final long SPIN_NANOS = Long.getLong("io.hammer2.lwkt.spinNanos", 20_000);

    private Tuning() {}
}
