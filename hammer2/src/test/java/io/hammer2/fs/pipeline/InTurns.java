package io.hammer2.fs.pipeline;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.function.ToIntFunction;

/**
 * The speed of two ways to do something with the same blocks, on this thread. They take turns of some milliseconds, since a shared machine is
 * not as fast in this tenth of a second as in the next one, and each turn of one is compared with that of the other beside it.
 */
final class InTurns {
    private static final long TURN_NANOS = 8_000_000;
    private static final long WARM_UP_NANOS = 400_000_000;
    private static final long NANOS = 2_500_000_000L;
    private static final double LOGICAL_BYTES = 65536;

    private final List<MemorySegment> blocks;
    private final List<ToIntFunction<MemorySegment>> ways;
    private final List<double[]> turns = new ArrayList<>();

    /** @param one result of a block: anything, and not 0 of all */
    InTurns(List<MemorySegment> blocks, ToIntFunction<MemorySegment> one, ToIntFunction<MemorySegment> other) {
        this.blocks = blocks;
        this.ways = List.of(one, other);
    }

    /** Until both have done each block once, and the time is over. */
    InTurns run() {
        int count = Math.min(blocksInTurn(ways.get(0)), blocksInTurn(ways.get(1)));
        long start = System.nanoTime();
        int done = 0;
        while (done < blocks.size() || System.nanoTime() - start < NANOS) {
            double[] speeds = new double[2];
            // Who comes second finds the blocks in the processor's cache, so it is not always the same one.
            int first = turns.size() % 2;
            speeds[first] = turn(ways.get(first), done, count);
            speeds[1 - first] = turn(ways.get(1 - first), done, count);
            turns.add(speeds);
            done += count;
        }
        return this;
    }

    /** MB/s of logical bytes. */
    double median(int way) {
        return median(speeds -> speeds[way]);
    }

    /** How fast the second is where the first is 1. */
    double medianRatio() {
        return median(speeds -> speeds[1] / speeds[0]);
    }

    private double median(ToDoubleFunction<double[]> of) {
        return turns.stream()
                .mapToDouble(of)
                .sorted()
                .skip(turns.size() / 2)
                .findFirst()
                .orElseThrow();
    }

    private int blocksInTurn(ToIntFunction<MemorySegment> way) {
        blocksIn(WARM_UP_NANOS, way);
        return blocksIn(TURN_NANOS, way);
    }

    private int blocksIn(long nanos, ToIntFunction<MemorySegment> way) {
        long start = System.nanoTime();
        int done = 0;
        do {
            turn(way, done++, 1);
        } while (System.nanoTime() - start < nanos);
        return done;
    }

    private double turn(ToIntFunction<MemorySegment> way, int from, int count) {
        long start = System.nanoTime();
        long sum = 0;
        for (int i = from; i < from + count; i++) {
            sum += way.applyAsInt(blocks.get(i % blocks.size()));
        }
        long nanos = System.nanoTime() - start;
        if (sum == 0) {
            throw new IllegalStateException("nothing was done");
        }
        return count * LOGICAL_BYTES * 1000 / nanos;
    }
}
