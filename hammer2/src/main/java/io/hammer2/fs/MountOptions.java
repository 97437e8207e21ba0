package io.hammer2.fs;

import java.util.Objects;
import java.util.function.Consumer;

/**
 * How a volume is opened.
 *
 * @param cacheBytesPerCpu bound of each cpu's block cache, off-heap
 * @param log takes one line for each thing that an administrator should know; called from any thread
 */
public record MountOptions(long cacheBytesPerCpu, Consumer<String> log) {
    /** 128 MiB. */
    public static final long CACHE_BYTES_DEFAULT = 128L << 20;

    /** Below this a few readers at once could not hold their blocks. */
    public static final long CACHE_BYTES_MIN = 4L << 20;

    public MountOptions {
        Objects.requireNonNull(log);
        if (cacheBytesPerCpu < CACHE_BYTES_MIN) {
            throw new IllegalArgumentException(
                    "a block cache needs at least 4 MiB, not " + cacheBytesPerCpu + " bytes");
        }
    }

    /** Defaults, with the log on standard error. */
    public static MountOptions defaults() {
        return new MountOptions(CACHE_BYTES_DEFAULT, System.err::println);
    }
}
