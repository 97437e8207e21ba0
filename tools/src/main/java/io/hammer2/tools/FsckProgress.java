package io.hammer2.tools;

import io.hammer2.fs.fsck.FsckListener;
import java.util.Locale;

/** How far a verification is, in a line. */
final class FsckProgress {
    private FsckProgress() {}

    static String line(FsckListener.Progress state, double seconds) {
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
