package io.hammer2.fs.fsck;

/** Whoever asked for a verification, while it runs. Called by the thread that runs it. */
public interface FsckListener {
    /** Forgets everything: the result is enough. */
    FsckListener SILENT = finding -> {};

    /** A problem or a note, as soon as it is found. Of each kind only the first {@link FsckOptions#reportsPerCodeMax}. */
    void found(Finding finding);

    /** Called now and then, many times a second. */
    default void progress(Progress progress) {}

    /** Whether to give up; asked as often as {@link #progress} is called. */
    default boolean cancelled() {
        return false;
    }

    /**
     * How far it is.
     *
     * @param phase what is being verified, in a word or two, or the name of a PFS
     * @param blockCount blocks seen
     * @param byteCount bytes read and verified
     * @param allocatedBytes what the volume says is allocated: roughly the last {@code byteCount}
     */
    record Progress(String phase, long blockCount, long byteCount, long allocatedBytes) {}
}
