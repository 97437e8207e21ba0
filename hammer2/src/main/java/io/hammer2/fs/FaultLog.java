package io.hammer2.fs;

import io.hammer2.lwkt.Clock;
import io.hammer2.lwkt.Token;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Tells the administrator of damage, but not more often than can be read: a hostile volume has endless damage. */
final class FaultLog {
    private static final int LINES_PER_WINDOW = 20;
    private static final long WINDOW_NANOS = 10_000_000_000L;

    private final Token token = new Token("fault log");
    private final Clock clock;
    private final Consumer<String> log;
    private long windowBegin;
    private int lines;
    private long suppressed;

    FaultLog(Clock clock, Consumer<String> log) {
        this.clock = clock;
        this.log = log;
        this.windowBegin = clock.nanoTime();
    }

    /** @param line made only if it will be logged; may block */
    void report(Supplier<String> line) {
        if (mayLog()) {
            log.accept(line.get());
        }
    }

    private boolean mayLog() {
        long before = 0;
        token.acquire();
        try {
            long now = clock.nanoTime();
            if (now - windowBegin > WINDOW_NANOS) {
                before = suppressed;
                windowBegin = now;
                lines = 0;
                suppressed = 0;
            }
            if (lines == LINES_PER_WINDOW) {
                suppressed++;
                return false;
            }
            lines++;
        } finally {
            token.release();
        }
        if (before > 0) {
            log.accept("(" + before + " more such lines were left out)");
        }
        return true;
    }
}
