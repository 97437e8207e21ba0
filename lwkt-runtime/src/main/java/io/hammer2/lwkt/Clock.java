package io.hammer2.lwkt;

/** The only source of time: the machine's in production, simulated in the stepped world. */
public interface Clock {
    /** Nanoseconds since an arbitrary origin; never goes back; only differences mean something. */
    long nanoTime();

    /** Microseconds since 1970-01-01 00:00 UTC, the unit of HAMMER2's time stamps. */
    long currentTimeMicros();
}
