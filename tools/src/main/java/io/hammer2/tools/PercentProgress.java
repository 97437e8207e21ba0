package io.hammer2.tools;

/** One line on a terminal that says how far something is, once it has taken two seconds; nothing elsewhere. */
final class PercentProgress {
    private static final long DELAY_NANOS = 2_000_000_000;
    private static final long INTERVAL_NANOS = 200_000_000;
    private static final int BAR = 40;

    private final Console console;
    private final String what;
    private final boolean isShown;
    private final long startNanos = System.nanoTime();
    private long lastNanos = startNanos;
    private int width;

    PercentProgress(Console console, boolean quiet, String what) {
        this.console = console;
        this.what = what;
        this.isShown = console.errIsTerminal() && !quiet;
    }

    /** @param percent 0..100 */
    void show(int percent) {
        long now = System.nanoTime();
        if (!isShown || now - startNanos < DELAY_NANOS || now - lastNanos < INTERVAL_NANOS) {
            return;
        }
        lastNanos = now;
        String line = line(what, percent);
        console.err().print("\r" + line + " ".repeat(Math.max(0, width - line.length())));
        console.err().flush();
        width = line.length();
    }

    void clear() {
        if (width > 0) {
            console.err().print("\r" + " ".repeat(width) + "\r");
            console.err().flush();
            width = 0;
        }
    }

    static String line(String what, int percent) {
        int done = Math.clamp(percent, 0, 100) * BAR / 100;
        return what + " [" + "#".repeat(done) + ".".repeat(BAR - done) + "] " + percent + "%";
    }
}
