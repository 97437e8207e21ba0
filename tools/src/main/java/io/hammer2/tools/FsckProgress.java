package io.hammer2.tools;

import io.hammer2.fs.fsck.FsckListener.Progress;
import java.util.Locale;

/** One line on a terminal that says how far the verification is; nothing elsewhere. */
final class FsckProgress {
    private static final long INTERVAL_NANOS = 200_000_000;
    private static final long DELAY_NANOS = 500_000_000;
    private static final int WIDTH = 78;

    private final Console console;
    private final boolean shown;
    private final long startNanos = System.nanoTime();
    private long lastNanos = startNanos;
    private boolean onScreen;

    FsckProgress(Console console, boolean quiet) {
        this.console = console;
        this.shown = console.errIsTerminal() && !quiet;
    }

    void show(Progress state) {
        long now = System.nanoTime();
        if (!shown || now - startNanos < DELAY_NANOS || now - lastNanos < INTERVAL_NANOS) {
            return;
        }
        lastNanos = now;
        onScreen = true;
        String line = line(state, (now - startNanos) / 1e9);
        console.err().print("\r" + line + " ".repeat(Math.max(0, WIDTH - line.length())));
        console.err().flush();
    }

    void clear() {
        if (onScreen) {
            console.err().print("\r" + " ".repeat(WIDTH) + "\r");
            console.err().flush();
            onScreen = false;
        }
    }

    static String line(Progress state, double seconds) {
        // What snapshots share is read once and what is free not at all, so this is an estimate and never "100%".
        String percent = state.allocatedBytes() <= 0
                ? ""
                : String.format(Locale.ROOT, " %d%%", Math.min(99, state.byteCount() * 100 / state.allocatedBytes()));
        String phase = state.phase().length() > 30 ? state.phase().substring(0, 30) : state.phase();
        return String.format(
                Locale.ROOT,
                "%s:%s %d blocks, %s, %s/s",
                phase,
                percent,
                state.blockCount(),
                Size.text(state.byteCount()),
                Size.text((long) (state.byteCount() / Math.max(seconds, 0.001))));
    }
}
