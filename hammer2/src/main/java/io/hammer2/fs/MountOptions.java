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
 * @param log takes one line for each thing that an administrator should know; called from any thread
 */
public record MountOptions(
        boolean readOnly, long cacheBytesPerCpu, long dirtyBytesMax, long syncIntervalNanos, Consumer<String> log) {
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
        return new MountOptions(true, cacheBytesPerCpu, DIRTY_BYTES_DEFAULT, SYNC_INTERVAL_NANOS_DEFAULT, log);
    }

    /** To read and write, with defaults otherwise. */
    public static MountOptions readWrite(long cacheBytesPerCpu, Consumer<String> log) {
        return new MountOptions(false, cacheBytesPerCpu, DIRTY_BYTES_DEFAULT, SYNC_INTERVAL_NANOS_DEFAULT, log);
    }
}
