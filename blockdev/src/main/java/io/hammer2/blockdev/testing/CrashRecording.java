package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/**
 * What was written to a device and which flushes covered it; from that, every state that a crash may leave, by the contract
 * of {@link BlockDevice}.
 *
 * <p>A <em>crash point</em> lies after each write or discard was asked for and after each flush ended; there the power goes.
 * Durable at a point are the writes that had completed before a flush was asked for that has ended. All other writes asked for
 * until then are <em>in flight</em>, completed or not: any subset of them survives, whole or in part, see {@link CrashKind}.
 * They are applied in the order in which they were asked for. That is no restriction: whatever order the medium had, each
 * sector holds what one of the writes to it brought, and that is a state in which the others are torn there.
 *
 * <p>A write that failed is in flight for ever: any part of it may have arrived, but only before the failure was reported, so
 * never over what was written and flushed later. A discard is a write of zeros; one longer than {@link #DISCARD_BYTES_MAX}
 * is one that the medium ignored.
 *
 * <p>Memory: each write is kept once, off-heap, until {@link #close}; the initial device is read and must not change. When
 * the bound is reached, recording ends there ({@link #isFull}), and what was recorded until then stays good. Crash states
 * may be made and used by several threads, also while recording goes on.
 */
public final class CrashRecording implements AutoCloseable {
    /** Longer discards are not recorded: nothing would be learnt from so many pages of zeros. */
    public static final long DISCARD_BYTES_MAX = 64L << 20;

    private static final int NEVER = Integer.MAX_VALUE;

    private final int sectorBytes;
    private final long payloadBytesMax;
    private final Arena arena = Arena.ofShared();
    private final PageHistory history;

    private final ReentrantLock lock = new ReentrantLock();

    // All guarded by the lock.
    private final List<Write> writes = new ArrayList<>();
    private final List<Point> points = new ArrayList<>();
    private final List<Object> marks = new ArrayList<>();
    /** A copy of the marks for crash states to share; made anew when it has become too short. */
    private List<Object> sharedMarks = List.of();
    /** For each version the number of the first write that is not durable at it. */
    private final List<Integer> firstInFlight = new ArrayList<>();

    private IntPredicate ignoredFlushes = number -> false;
    private long payloadBytes;
    private long time;
    private int flushes;
    private boolean full;

    /** A write or discard that was asked for. */
    private static final class Write {
        private final int number;
        private final long offset;
        private final long length;
        private final MemorySegment bytesOrNull;
        private long completedAt = Long.MAX_VALUE;
        private boolean failed;
        private int durableFrom = NEVER;

        private Write(int number, long offset, long length, MemorySegment bytesOrNull) {
            this.number = number;
            this.offset = offset;
            this.length = length;
            this.bytesOrNull = bytesOrNull;
        }
    }

    /** A flush that was asked for and has not ended, of a range of the device. */
    record Flush(int number, long askedAt, long from, long to) {
        private boolean covers(Write write) {
            return write.offset >= from && write.offset < to && !write.failed && write.completedAt < askedAt;
        }
    }

    /** A place to crash: what had been asked for, what was durable, how many marks had been made when it came about. */
    private record Point(int writes, int version, int marks) {}

    /**
     * Begins a recording.
     *
     * @param initial contents of the device before the first write; must not change any more, and is not closed
     * @param sectorBytes what the medium writes whole or not at all
     * @param payloadBytesMax memory for the writes
     */
    public CrashRecording(BlockDevice initial, int sectorBytes, long payloadBytesMax) {
        if (Integer.bitCount(sectorBytes) != 1) {
            throw new IllegalArgumentException("not a sector size: " + sectorBytes);
        }
        this.sectorBytes = sectorBytes;
        this.payloadBytesMax = payloadBytesMax;
        this.history = new PageHistory(initial, arena);
        this.points.add(new Point(0, 0, 0));
        this.firstInFlight.add(0);
    }

    public int sectorBytes() {
        return sectorBytes;
    }

    /**
     * Notes something of the test's own: an operation begins, an operation was acknowledged. A crash state knows all marks
     * that were made before the write or flush that follows it.
     */
    public void mark(Object note) {
        locked(() -> full || marks.add(note));
    }

    /**
     * For a test's control: these flushes, counted from 0, report success and make nothing durable, as if the file system had
     * forgotten them.
     */
    public void ignoreFlushes(IntPredicate numbers) {
        locked(() -> ignoredFlushes = numbers);
    }

    /** Whether the bound on memory ended the recording. */
    public boolean isFull() {
        return locked(() -> full);
    }

    /** Number of crash points so far. Point 0 is before the first write. */
    public int points() {
        return locked(points::size);
    }

    /** Number of flushes that were asked for so far. */
    public int flushes() {
        return locked(() -> flushes);
    }

    /** Number of writes and discards that were asked for so far. */
    public int writes() {
        return locked(writes::size);
    }

    /** The state that a crash at the point leaves; the same for the same arguments. */
    public CrashState crash(int point, CrashKind kind, long seed) {
        return locked(() -> {
            Point at = points.get(point);
            int marksEnd = point + 1 < points.size() ? points.get(point + 1).marks : marks.size();
            List<Write> inFlight = inFlight(at);
            SplittableRandom random = new SplittableRandom(seed * 0x9e3779b97f4a7c15L + point);
            return new CrashState(
                    this,
                    point,
                    kind,
                    seed,
                    history.at(at.version),
                    survivors(inFlight, at, kind, random),
                    inFlight.size(),
                    marks(marksEnd));
        });
    }

    /** A state whose point and kind, too, come from the seed: most of them subsets and torn writes. */
    public CrashState crash(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int point = random.nextInt(points());
        int chance = random.nextInt(10);
        CrashKind kind = switch (chance) {
            case 0 -> CrashKind.ALL;
            case 1 -> random.nextBoolean() ? CrashKind.NONE : CrashKind.LAST;
            case 2, 3, 4, 5 -> CrashKind.SUBSET;
            default -> CrashKind.TORN;
        };
        return crash(point, kind, seed);
    }

    /**
     * States of every point that there is now: all, none and only the last of what was in flight, then subsets and torn ones
     * by turns.
     *
     * @param seededPerPoint how many subsets and torn ones, together
     */
    public Stream<CrashState> crashes(long seed, int seededPerPoint) {
        return IntStream.range(0, points())
                .boxed()
                .flatMap(point -> Stream.concat(
                        Stream.of(CrashKind.ALL, CrashKind.NONE, CrashKind.LAST).map(kind -> crash(point, kind, seed)),
                        LongStream.range(0, seededPerPoint)
                                .mapToObj(
                                        i -> crash(point, i % 2 == 0 ? CrashKind.SUBSET : CrashKind.TORN, seed + i))));
    }

    /** Frees the memory; open crash states must not be used any more. */
    @Override
    public void close() {
        arena.close();
    }

    /** A write is about to be passed on; null bytes are a discard. Returns its number, or -1 when it is not recorded. */
    int asked(long offset, long length, MemorySegment bytesOrNull) {
        return locked(() -> {
            if (length == 0 || full || (bytesOrNull == null && length > DISCARD_BYTES_MAX)) {
                return -1;
            }
            if (bytesOrNull != null && length > payloadBytesMax - payloadBytes) {
                full = true;
                return -1;
            }
            MemorySegment kept = null;
            if (bytesOrNull != null) {
                kept = arena.allocate(length).copyFrom(bytesOrNull);
                payloadBytes += length;
            }
            int number = writes.size();
            writes.add(new Write(number, offset, length, kept));
            points.add(new Point(writes.size(), version(), marks.size()));
            return number;
        });
    }

    /** A write has ended; the caller has not been told yet. */
    void completed(int number, IOException errorOrNull) {
        if (number < 0) {
            return;
        }
        locked(() -> {
            Write write = writes.get(number);
            write.failed = errorOrNull != null;
            write.completedAt = ++time;
            return null;
        });
    }

    /** A flush is about to be passed on. */
    Flush flushAsked(long from, long to) {
        return locked(() -> new Flush(flushes++, ++time, from, to));
    }

    /** A flush has ended; the caller has not been told yet. */
    void flushCompleted(Flush flush, IOException errorOrNull) {
        locked(() -> {
            if (errorOrNull == null && !full && !ignoredFlushes.test(flush.number)) {
                makeDurable(flush);
            }
            return null;
        });
    }

    private List<Object> marks(int end) {
        if (sharedMarks.size() < end) {
            sharedMarks = List.copyOf(marks);
        }
        return sharedMarks.subList(0, end);
    }

    private int version() {
        return firstInFlight.size() - 1;
    }

    private void makeDurable(Flush flush) {
        int next = version() + 1;
        boolean any = false;
        for (Write write : writes.subList(firstInFlight.getLast(), writes.size())) {
            if (write.durableFrom == NEVER && flush.covers(write)) {
                write.durableFrom = next;
                any = true;
                try {
                    history.change(next, write.offset, write.length, write.bytesOrNull);
                } catch (IOException e) {
                    throw new UncheckedIOException("initial contents of a recorded device cannot be read", e);
                }
            }
        }
        if (any) {
            int first = firstInFlight.getLast();
            while (first < writes.size() && writes.get(first).durableFrom != NEVER) {
                first++;
            }
            firstInFlight.add(first);
            points.add(new Point(writes.size(), next, marks.size()));
        }
    }

    private List<Write> inFlight(Point at) {
        return writes.subList(firstInFlight.get(at.version), at.writes).stream()
                .filter(write -> write.durableFrom > at.version)
                .toList();
    }

    private List<CrashState.Survivor> survivors(
            List<Write> inFlight, Point at, CrashKind kind, SplittableRandom random) {
        List<CrashState.Survivor> survivors = new ArrayList<>();
        // Few survivors, many, and all but few are different kinds of bad luck.
        double density = random.nextInt(1, 10) / 10.0;
        int surelyTorn = inFlight.isEmpty() ? -1 : random.nextInt(inFlight.size());
        for (int i = 0; i < inFlight.size(); i++) {
            boolean last = i == inFlight.size() - 1;
            boolean torn = kind == CrashKind.TORN && (i == surelyTorn || random.nextInt(8) == 0);
            boolean survives = switch (kind) {
                case ALL -> true;
                case NONE -> false;
                case LAST -> last;
                case SUBSET, TORN -> torn || random.nextDouble() < density;
            };
            if (survives) {
                addSurvivor(inFlight.get(i), at, torn, random, survivors);
            }
        }
        return survivors;
    }

    private void addSurvivor(
            Write write, Point at, boolean torn, SplittableRandom random, List<CrashState.Survivor> survivors) {
        BitSet sectors = null;
        if (torn || write.failed) {
            int count = Sectors.count(write.offset, write.length, sectorBytes);
            sectors = new BitSet(count);
            if (torn) {
                sectors.or(Sectors.some(count, random));
            } else {
                sectors.set(0, count);
            }
            if (write.failed) {
                clearOverwritten(write, at, sectors);
            }
            if (sectors.isEmpty()) {
                return;
            }
        }
        survivors.add(new CrashState.Survivor(write.number, write.offset, write.length, write.bytesOrNull, sectors));
    }

    /** Takes away the sectors that a later, durable write has touched. */
    private void clearOverwritten(Write failed, Point at, BitSet sectors) {
        long first = failed.offset / sectorBytes;
        for (Write later : writes.subList(failed.number + 1, at.writes)) {
            if (later.durableFrom <= at.version) {
                long start = later.offset / sectorBytes - first;
                long end = (later.offset + later.length - 1) / sectorBytes + 1 - first;
                if (end > 0 && start < sectors.length()) {
                    sectors.clear((int) Math.max(start, 0), (int) Math.min(end, Integer.MAX_VALUE));
                }
            }
        }
    }

    private <T> T locked(Supplier<T> body) {
        lock.lock();
        try {
            return body.get();
        } finally {
            lock.unlock();
        }
    }
}
