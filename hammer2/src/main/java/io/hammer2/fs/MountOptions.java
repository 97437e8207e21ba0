package io.hammer2.fs;

import java.util.Objects;
import java.util.function.Consumer;

/**
 * How a volume is opened.
 *
 * @param readOnly nothing is written, whatever the devices allow
 * @param cacheBytesPerCpu bound of each cpu's block cache, off-heap
 * @param dirtyBytesMax bound of what is changed and not yet committed, off-heap; who writes more waits for a commit
 * @param syncIntervalNanos what changed is committed at most this long after, unless somebody asks earlier
 * @param atime when reading a file changes its access time
 * @param dedup whether a block that is written is shared with one of the same content that was read or written lately
 * @param log takes one line for each thing that an administrator should know; called from any thread
 */
public record MountOptions(
        boolean readOnly,
        long cacheBytesPerCpu,
        long dirtyBytesMax,
        long syncIntervalNanos,
        Atime atime,
        boolean dedup,
        Consumer<String> log) {
    /** When reading a file changes its access time: mount(8). */
    public enum Atime {
        /** noatime: the media of DragonFly keep none, and what was never set shows the time of modification. */
        NEVER,
        /** relatime: when it is not after the last change, or a day old. */
        RELATIVE,
        /** strictatime. */
        ALWAYS
    }

    /** 128 MiB. */
    public static final long CACHE_BYTES_DEFAULT = 128L << 20;

    /** Below this a few readers at once could not hold their blocks. */
    public static final long CACHE_BYTES_MIN = 4L << 20;

    /** 128 MiB. */
    public static final long DIRTY_BYTES_DEFAULT = 128L << 20;

    /** Below this a few large requests at once could not be taken. */
    public static final long DIRTY_BYTES_MIN = 8L << 20;

    /** 30 s, as DragonFly's syncer. */
    public static final long SYNC_INTERVAL_NANOS_DEFAULT = 30_000_000_000L;

    public MountOptions {
        Objects.requireNonNull(log);
        Objects.requireNonNull(atime);
        if (cacheBytesPerCpu < CACHE_BYTES_MIN) {
            throw new IllegalArgumentException(
                    "a block cache needs at least 4 MiB, not " + cacheBytesPerCpu + " bytes");
        }
        if (dirtyBytesMax < DIRTY_BYTES_MIN) {
            throw new IllegalArgumentException(
                    "at least 8 MiB must be allowed to wait for a commit, not " + dirtyBytesMax + " bytes");
        }
        if (syncIntervalNanos <= 0) {
            throw new IllegalArgumentException("a sync interval of " + syncIntervalNanos + " ns");
        }
    }

    /** To read only, with defaults otherwise and the log on standard error. */
    public static MountOptions defaults() {
        return readOnly(CACHE_BYTES_DEFAULT, System.err::println);
    }

    /** To read only. */
    public static MountOptions readOnly(long cacheBytesPerCpu, Consumer<String> log) {
        return new MountOptions(
                true, cacheBytesPerCpu, DIRTY_BYTES_DEFAULT, SYNC_INTERVAL_NANOS_DEFAULT, Atime.NEVER, true, log);
    }

    /** To read and write, with defaults otherwise. */
    public static MountOptions readWrite(long cacheBytesPerCpu, Consumer<String> log) {
        return new MountOptions(
                false, cacheBytesPerCpu, DIRTY_BYTES_DEFAULT, SYNC_INTERVAL_NANOS_DEFAULT, Atime.NEVER, true, log);
    }

    /** These, with another bound of what waits for a commit. */
    public MountOptions withDirtyBytesMax(long bytes) {
        return new MountOptions(readOnly, cacheBytesPerCpu, bytes, syncIntervalNanos, atime, dedup, log);
    }

    /** These, with another interval of commits. */
    public MountOptions withSyncIntervalNanos(long nanos) {
        return new MountOptions(readOnly, cacheBytesPerCpu, dirtyBytesMax, nanos, atime, dedup, log);
    }

    /** These, with another rule for access times. */
    public MountOptions withAtime(Atime rule) {
        return new MountOptions(readOnly, cacheBytesPerCpu, dirtyBytesMax, syncIntervalNanos, rule, dedup, log);
    }

    /** These, with content that comes again shared or not. */
    public MountOptions withDedup(boolean shares) {
        return new MountOptions(readOnly, cacheBytesPerCpu, dirtyBytesMax, syncIntervalNanos, atime, shares, log);
    }
}
