package io.hammer2.tools;

import java.util.Locale;
import java.util.function.Supplier;

/** One line on a terminal that says how far long work is; nothing elsewhere, and nothing of what is over in a moment. For one thread. */
final class Progress implements AutoCloseable {
    private static final long DELAY_NANOS = 500_000_000;
    private static final long INTERVAL_NANOS = 200_000_000;
    private static final int WIDTH = 78;
    private static final int BAR_CHARS = 24;
    private static final int PHASE_CHARS = 30;
    private static final int PERCENT = 100;
    private static final int MINUTE_SECONDS = 60;

    private final Console console;
    private final boolean shown;
    private final long startNanos = System.nanoTime();
    private long lastNanos = startNanos;
    private String phase = "";
    private long phaseNanos = startNanos;
    private boolean onScreen;

    private Progress(Console console, boolean shown) {
        this.console = console;
        this.shown = shown;
    }

    /** On the error output, if that is a terminal; of results, which may be on the same one, it keeps clear. */
    static Progress of(Console console, boolean isQuiet) {
        return new Progress(console, console.errIsTerminal() && !isQuiet);
    }

    /**
     * A bar, and when it will be at its end.
     *
     * @param name of the work, or of the part of it that began when this name came first
     * @param total of the same unit as {@code done}; 0 when it is not known
     */
    void show(String name, long done, long total) {
        show(name, done, total, () -> "");
    }

    /** As {@link #show(String, long, long)}; {@code remark} is made only if it is shown, behind the bar. */
    void show(String name, long done, long total, Supplier<String> remark) {
        long now = System.nanoTime();
        if (!name.equals(phase)) {
            phase = name;
            phaseNanos = now;
        }
        if (isDue(now)) {
            String said = remark.get();
            print(bar(name, done, total, (now - phaseNanos) / 1e9) + (said.isEmpty() ? "" : ", " + said), now);
        }
    }

    /** A line of the caller's, made only if it is shown. */
    void show(Supplier<String> line) {
        long now = System.nanoTime();
        if (isDue(now)) {
            print(line.get(), now);
        }
    }

    /** Seconds since the start. */
    double seconds() {
        return (System.nanoTime() - startNanos) / 1e9;
    }

    /** Takes the line away, for whoever prints something. */
    void clear() {
        if (onScreen) {
            console.err().print("\r" + " ".repeat(WIDTH) + "\r");
            console.err().flush();
            onScreen = false;
        }
    }

    @Override
    public void close() {
        clear();
    }

    private boolean isDue(long now) {
        return shown && now - startNanos >= DELAY_NANOS && now - lastNanos >= INTERVAL_NANOS;
    }

    private void print(String line, long now) {
        lastNanos = now;
        onScreen = true;
        String cut = line.length() > WIDTH ? line.substring(0, WIDTH) : line;
        console.err().print("\r" + cut + " ".repeat(WIDTH - cut.length()));
        console.err().flush();
    }

    static String bar(String name, long done, long total, double seconds) {
        String cut = name.length() > PHASE_CHARS ? name.substring(0, PHASE_CHARS) : name;
        if (total <= 0) {
            return cut + " ... " + clock((long) seconds);
        }
        double part = Math.clamp((double) done / total, 0.0, 1.0);
        int filled = (int) (part * BAR_CHARS);
        String bar = "=".repeat(filled) + (filled < BAR_CHARS ? ">" + " ".repeat(BAR_CHARS - filled - 1) : "");
        // The first moments say little about the rest.
        String left = part > 0.01 && seconds > 1 ? ", " + clock((long) (seconds / part * (1 - part))) + " left" : "";
        return String.format(Locale.ROOT, "%s [%s] %3d%%%s", cut, bar, (int) (part * PERCENT), left);
    }

    private static String clock(long seconds) {
        return String.format(Locale.ROOT, "%d:%02d", seconds / MINUTE_SECONDS, seconds % MINUTE_SECONDS);
    }
}
