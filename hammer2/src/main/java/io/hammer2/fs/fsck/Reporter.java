package io.hammer2.fs.fsck;

import io.hammer2.fs.media.BlockRef;
import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/** Counts findings and passes the first of each kind on, with the PFS that is being verified. */
final class Reporter {
    private final FsckListener listener;
    private final int perCodeMax;
    private final long referencesMax;
    private final Map<ProblemCode, Long> counts = new EnumMap<>(ProblemCode.class);
    private final Map<String, Long> notes = new TreeMap<>();
    private String pfs;
    private String phase = "";
    private long allocatedBytes;
    private long problemCount;
    private long referenceCount;
    private long byteCount;

    Reporter(FsckListener listener, FsckOptions options) {
        this.listener = listener;
        this.perCodeMax = options.reportsPerCodeMax();
        this.referencesMax = options.referencesMax();
    }

    void phase(String name, String pfsOrNull) {
        phase = name;
        pfs = pfsOrNull;
        report();
    }

    void allocatedBytes(long bytes) {
        allocatedBytes = bytes;
    }

    /** Problems so far, of all kinds. */
    long problemCount() {
        return problemCount;
    }

    Map<ProblemCode, Long> counts() {
        return new EnumMap<>(counts);
    }

    void problem(ProblemCode code, String text) {
        problem(code, text, null, null);
    }

    void problem(ProblemCode code, String text, BlockRef ref) {
        problem(code, text, ref, null);
    }

    /** @param path gives the path, or null; asked only if the problem is passed on, because looking for it is dear */
    void problem(ProblemCode code, String text, BlockRef ref, Supplier<String> path) {
        problemCount++;
        long count = counts.merge(code, 1L, Long::sum);
        if (count <= perCodeMax) {
            listener.found(
                    new Finding(Finding.Severity.PROBLEM, code, text, pfs, path == null ? null : path.get(), ref));
        }
    }

    /** A note of some kind: as with problems, only the first of a kind are passed on. */
    void note(String kind, String text, BlockRef ref) {
        note(kind, text, ref, null);
    }

    void note(String kind, String text, BlockRef ref, String path) {
        if (notes.merge(kind, 1L, Long::sum) <= perCodeMax) {
            listener.found(new Finding(Finding.Severity.NOTE, null, text, pfs, path, ref));
        }
    }

    /** Counts a reference that is about to be followed; ends the verification when there have been too many. */
    void onReference() {
        if (++referenceCount > referencesMax) {
            problem(ProblemCode.LIMIT, "more than " + referencesMax + " block references: giving up");
            throw new GivenUp(false);
        }
        if ((referenceCount & 0x3FF) == 0) {
            report();
        }
    }

    void onBytes(long count) {
        byteCount += count;
    }

    private void report() {
        listener.progress(new FsckListener.Progress(phase, referenceCount, byteCount, allocatedBytes));
        if (listener.cancelled()) {
            throw new GivenUp(true);
        }
    }

    /** The verification ends here, and what was found so far is the result. */
    static final class GivenUp extends RuntimeException {
        private final boolean cancelled;

        GivenUp(boolean cancelled) {
            super(null, null, false, false);
            this.cancelled = cancelled;
        }

        boolean cancelled() {
            return cancelled;
        }
    }

    /** The volumes cannot be verified. */
    static final class Unusable extends RuntimeException {
        Unusable(String why) {
            super(why, null, false, false);
        }
    }
}
