package io.hammer2.fs.pipeline;

import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.Cpu;
import java.util.List;

/**
 * How long encoding takes, about: what decides how much is done at once, and whether another cpu's help pays. From measurements; what
 * is wrong here costs time and nothing else.
 */
public final class EncodingCost {
    /** Blocks of one run: enough to share out. */
    private static final int BLOCKS_MAX = 32;

    /** What one run may take on one cpu, while a file cannot be read or other things have to wait. */
    private static final long RUN_NANOS_MAX = 5_000_000;

    /** A message and its reply, between cpus that are awake. */
    private static final long AWAKE_NANOS = 10_000;

    /** With a wake-up, and what the woken cpu would rather do. */
    private static final long ASLEEP_NANOS = 70_000;

    private EncodingCost() {}

    /** Nanoseconds of some blocks on one cpu. */
    static long of(List<OutgoingBlock> blocks) {
        long sum = 0;
        for (OutgoingBlock block : blocks) {
            sum += of(block);
        }
        return sum;
    }

    /** Nanoseconds until {@code other} has begun to help and said that it is done. */
    static long ofHelp(Cpu other) {
        return other.isAsleep() ? ASLEEP_NANOS : AWAKE_NANOS;
    }

    /** Of the blocks that one run has so far. */
    public static final class Sum {
        private int blocks;
        private long nanos;

        /** With one more. */
        public Sum add(OutgoingBlock block) {
            blocks++;
            nanos += of(block);
            return this;
        }

        /** Whether the run should not become longer. */
        public boolean isFull() {
            return blocks >= BLOCKS_MAX || nanos >= RUN_NANOS_MAX;
        }
    }

    private static long of(OutgoingBlock block) {
        return nanosPerKib(block) * (block.plain().byteSize() / Limits.KIB);
    }

    private static long nanosPerKib(OutgoingBlock block) {
        long check = switch (block.policy().check()) {
            case NONE, DISABLED -> 10;
            case XXHASH64, ISCSI32, FREEMAP -> 170;
            case SHA192 -> 850;
        };
        if (!block.isTried()) {
            return check;
        }
        return check
                + switch (block.policy().compression()) {
                    case NONE, AUTOZERO -> 0;
                    case LZ4 -> 2_000;
                    case ZLIB -> 30_000;
                    case ZSTD -> 5_000 * (1L + block.policy().level() / 4);
                };
    }
}
