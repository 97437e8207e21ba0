package io.hammer2.tools;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar on a terminal that says how far going over many files has come, once that takes longer; nothing elsewhere. */
final class SweepProgress implements AutoCloseable {
    private static final long DELAY_NANOS = 1_000_000_000;
    private static final int INTERVAL_MILLIS = 250;
    private static final int WIDTH = 100;
    private static final long MIB = 1 << 20;

    private final Console console;
    private final String task;
    private final boolean shown;
    private final long startNanos = System.nanoTime();
    private ProgressBar bar;

    /** @param task what is being done, in a word or two */
    SweepProgress(Console console, boolean quiet, String task) {
        this.console = console;
        this.task = task;
        this.shown = console.errIsTerminal() && !quiet;
    }

    /**
     * Shows how far it is.
     *
     * @param totalBytes of about so many, or -1 when nobody knows
     * @param remark what else to say
     */
    void show(long doneBytes, long totalBytes, String remark) {
        if (!shown || (bar == null && System.nanoTime() - startNanos < DELAY_NANOS)) {
            return;
        }
        if (bar == null) {
            bar = new ProgressBarBuilder()
                    .setTaskName(task)
                    .setInitialMax(totalBytes)
                    .setUnit(" MiB", MIB)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(INTERVAL_MILLIS)
                    .setConsumer(new Line(console))
                    .build();
        }
        bar.maxHint(totalBytes < 0 ? totalBytes : Math.max(doneBytes, totalBytes));
        bar.stepTo(doneBytes);
        bar.setExtraMessage(" " + remark);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }

    /** One line of the error output, over and over. */
    private record Line(Console console) implements ProgressBarConsumer {
        @Override
        public int getMaxRenderedLength() {
            return WIDTH;
        }

        @Override
        public void accept(String rendered) {
            console.err().print("\r" + rendered + "\u001b[K");
            console.err().flush();
        }

        @Override
        public void close() {
            console.err().print("\r\u001b[K");
            console.err().flush();
        }
    }
}
