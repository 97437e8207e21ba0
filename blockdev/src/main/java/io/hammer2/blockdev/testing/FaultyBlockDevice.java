package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.Requests;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;

/**
 * A device over another with errors and lies, all of them from one seed.
 *
 * <p>What happens to a request depends on the seed and on the request's number alone, so the same requests in the same order
 * meet the same faults. For latency and reordering put a {@link ReorderingBlockDevice} over it.
 */
public final class FaultyBlockDevice extends ForwardingBlockDevice {
    private static final int SECTOR_BYTES = 512;

    /** What a failed read leaves in the segment: nobody should mistake it for data. */
    private static final byte GARBAGE = (byte) 0xa5;

    /** What can go wrong. */
    public enum Fault {
        /** The read fails; the segment holds garbage. */
        READ_ERROR,
        /** The write fails; any subset of its sectors has been written. */
        WRITE_ERROR,
        /** The flush fails, and every later one. */
        FLUSH_ERROR,
        /** A torn write: it reports success, but one or more of its sectors have not been written. */
        LOST_SECTORS,
        /** One bit of what was read is wrong; reading again may give the right one. */
        READ_BIT_FLIP,
        /** One bit of what was written is wrong on the medium. */
        WRITE_BIT_FLIP
    }

    /** Probabilities, 0 to 1, of each fault for each request of its kind; at most one fault happens to a request. */
    public record Faults(
            double readErrors,
            double writeErrors,
            double flushErrors,
            double lostSectors,
            double readBitFlips,
            double writeBitFlips) {
        public static final Faults NONE = new Faults(0, 0, 0, 0, 0, 0);

        /** The same with another probability for one fault. */
        public Faults with(Fault fault, double probability) {
            return new Faults(
                    fault == Fault.READ_ERROR ? probability : readErrors,
                    fault == Fault.WRITE_ERROR ? probability : writeErrors,
                    fault == Fault.FLUSH_ERROR ? probability : flushErrors,
                    fault == Fault.LOST_SECTORS ? probability : lostSectors,
                    fault == Fault.READ_BIT_FLIP ? probability : readBitFlips,
                    fault == Fault.WRITE_BIT_FLIP ? probability : writeBitFlips);
        }

        private double of(Fault fault) {
            return switch (fault) {
                case READ_ERROR -> readErrors;
                case WRITE_ERROR -> writeErrors;
                case FLUSH_ERROR -> flushErrors;
                case LOST_SECTORS -> lostSectors;
                case READ_BIT_FLIP -> readBitFlips;
                case WRITE_BIT_FLIP -> writeBitFlips;
            };
        }
    }

    /** A place where a fault always happens. */
    private record BadRange(Fault fault, long start, long end) {
        private boolean overlaps(long offset, long length) {
            return offset < end && offset + length > start;
        }
    }

    private final long seed;
    private final AtomicReference<Faults> faults;
    private final AtomicReference<List<BadRange>> badRanges = new AtomicReference<>(List.of());
    private final ConcurrentHashMap<Fault, LongAdder> injected = new ConcurrentHashMap<>();
    private final AtomicInteger requestNumber = new AtomicInteger();
    private final AtomicBoolean flushFailed = new AtomicBoolean();

    /** The base is closed with this device. */
    public FaultyBlockDevice(BlockDevice base, long seed, Faults faults) {
        super(base);
        this.seed = seed;
        this.faults = new AtomicReference<>(faults);
    }

    /** Changes the probabilities, for instance after a file system was made without faults. */
    public void faults(Faults changed) {
        faults.set(changed);
    }

    /**
     * From now on the fault happens to every request of its kind that touches the range: a bad place on the medium. To every
     * flush, if it is a {@link Fault#FLUSH_ERROR}.
     */
    public void alwaysAt(Fault fault, long offsetBytes, long lengthBytes) {
        BadRange bad = new BadRange(fault, offsetBytes, Math.addExact(offsetBytes, lengthBytes));
        badRanges.updateAndGet(ranges -> {
            List<BadRange> longer = new ArrayList<>(ranges);
            longer.add(bad);
            return List.copyOf(longer);
        });
    }

    /** Undoes {@link #alwaysAt}; a device whose flush has failed stays so. */
    public void heal() {
        badRanges.set(List.of());
    }

    /** How often the fault has happened: so that a test can tell that it tested something. */
    public long injected(Fault fault) {
        LongAdder count = injected.get(fault);
        return count == null ? 0 : count.sum();
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        Requests.checkLendable(into);
        IOException refusal = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
        if (refusal != null) {
            done.done(refusal);
            return;
        }
        long length = into.byteSize();
        SplittableRandom random = nextRandom();
        if (happens(Fault.READ_ERROR, offsetBytes, length, random)) {
            into.fill(GARBAGE);
            done.done(injectedError("read", offsetBytes, length));
        } else if (happens(Fault.READ_BIT_FLIP, offsetBytes, length, random)) {
            base.read(offsetBytes, into, error -> {
                if (error == null) {
                    flipBit(into, random);
                }
                done.done(error);
            });
        } else {
            base.read(offsetBytes, into, done);
        }
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        Requests.checkLendable(from);
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            done.done(refusal);
            return;
        }
        long length = from.byteSize();
        SplittableRandom random = nextRandom();
        if (happens(Fault.WRITE_ERROR, offsetBytes, length, random)) {
            IOException failure = injectedError("write", offsetBytes, length);
            BitSet sectors = Sectors.some(Sectors.count(offsetBytes, length, SECTOR_BYTES), random);
            writeSectors(offsetBytes, from, sectors, ignored -> done.done(failure));
        } else if (happens(Fault.LOST_SECTORS, offsetBytes, length, random)) {
            int count = Sectors.count(offsetBytes, length, SECTOR_BYTES);
            BitSet sectors = Sectors.some(count, random);
            sectors.clear(random.nextInt(count));
            writeSectors(offsetBytes, from, sectors, done);
        } else if (happens(Fault.WRITE_BIT_FLIP, offsetBytes, length, random)) {
            MemorySegment wrong = Arena.ofAuto().allocate(length, base.alignmentBytes());
            wrong.copyFrom(from);
            flipBit(wrong, random);
            base.write(offsetBytes, wrong, done);
        } else {
            base.write(offsetBytes, from, done);
        }
    }

    @Override
    public void flush(IoCompletion done) {
        SplittableRandom random = nextRandom();
        if (flushFailed.get()) {
            done.done(new IOException(name() + ": flush refused: an earlier one failed (injected)"));
        } else if (happens(Fault.FLUSH_ERROR, 0, Long.MAX_VALUE, random)) {
            flushFailed.set(true);
            done.done(new IOException(name() + ": flush failed (injected)"));
        } else {
            base.flush(done);
        }
    }

    private SplittableRandom nextRandom() {
        // The generator spreads neighbouring seeds itself; the factor keeps the numbers of two seeds apart.
        return new SplittableRandom(seed * 0x9e3779b97f4a7c15L + requestNumber.getAndIncrement());
    }

    private boolean happens(Fault fault, long offset, long length, SplittableRandom random) {
        // Drawn in any case, so that a bad range does not change what happens elsewhere.
        boolean drawn = random.nextDouble() < faults.get().of(fault);
        boolean always = badRanges.get().stream().anyMatch(bad -> bad.fault == fault && bad.overlaps(offset, length));
        if (length == 0 || !(drawn || always)) {
            return false;
        }
        injected.computeIfAbsent(fault, absent -> new LongAdder()).increment();
        return true;
    }

    private IOException injectedError(String what, long offset, long length) {
        return new IOException(
                "%s: %s of %d bytes at offset %d failed (injected)".formatted(name(), what, length, offset));
    }

    private static void flipBit(MemorySegment segment, SplittableRandom random) {
        long at = random.nextLong(segment.byteSize());
        byte old = segment.get(ValueLayout.JAVA_BYTE, at);
        segment.set(ValueLayout.JAVA_BYTE, at, (byte) (old ^ 1 << random.nextInt(Byte.SIZE)));
    }

    /** Writes runs of sectors one after the other, then completes. */
    private void writeSectors(long offset, MemorySegment from, BitSet sectors, IoCompletion done) {
        Sectors.Run run = Sectors.nextRun(offset, from.byteSize(), SECTOR_BYTES, sectors);
        if (run == null) {
            done.done(null);
            return;
        }
        BitSet rest = (BitSet) sectors.clone();
        rest.clear(0, run.lastSector() + 1);
        base.write(offset + run.start(), from.asSlice(run.start(), run.length()), error -> {
            if (error != null) {
                done.done(error);
            } else {
                writeSectors(offset, from, rest, done);
            }
        });
    }
}
