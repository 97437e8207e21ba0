package io.hammer2.tools;

import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * How long a change to PFSs took.
 *
 * @param coreNanos while nothing else could be changed, apart from what was to be committed anyway
 * @param durableNanos until it was on the media, as whoever asked for it saw it
 */
record ChangeTiming(long coreNanos, long durableNanos) {
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;

    /** @param change answers with the time in core */
    static ChangeTiming of(LongSupplier change) {
        long from = System.nanoTime();
        long core = change.getAsLong();
        return new ChangeTiming(core, System.nanoTime() - from);
    }

    String text() {
        return String.format(
                Locale.ROOT,
                "in core %.1f us, durable after %.1f ms",
                coreNanos / NANOS_PER_MICRO,
                durableNanos / NANOS_PER_MILLI);
    }

    void write(JsonWriter json) {
        json.name("coreNanos").value(coreNanos);
        json.name("durableNanos").value(durableNanos);
    }
}
