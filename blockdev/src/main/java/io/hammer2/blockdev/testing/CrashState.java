package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;
import java.util.List;
import java.util.stream.Collectors;

/** What one crash left on the medium, see {@link CrashRecording}. Immutable; its text says all that a replay needs. */
public final class CrashState {
    private final CrashRecording recording;
    private final int point;
    private final CrashKind kind;
    private final long seed;
    private final BlockDevice durable;
    private final List<Survivor> survivors;
    private final int inFlight;
    private final List<Object> marks;

    /** A write that no flush covered and of which something arrived; all of it when there is no set of sectors. */
    record Survivor(int number, long offset, long length, MemorySegment bytesOrNull, BitSet sectorsOrNull) {
        @Override
        public String toString() {
            String text = "#%d (%d bytes at %d)".formatted(number, length, offset);
            return sectorsOrNull == null ? text : text + " sectors " + sectorsOrNull;
        }
    }

    CrashState(
            CrashRecording recording,
            int point,
            CrashKind kind,
            long seed,
            BlockDevice durable,
            List<Survivor> survivors,
            int inFlight,
            List<Object> marks) {
        this.recording = recording;
        this.point = point;
        this.kind = kind;
        this.seed = seed;
        this.durable = durable;
        this.survivors = survivors;
        this.inFlight = inFlight;
        this.marks = marks;
    }

    /** The crash point, 0 to {@link CrashRecording#points} - 1. */
    public int point() {
        return point;
    }

    public CrashKind kind() {
        return kind;
    }

    /** The seed that, with point and kind, gives this state again from the same recording. */
    public long seed() {
        return seed;
    }

    /** Equal to that of another state of the same recording only when the two left the same bytes on the medium. */
    public Object contents() {
        return List.of(durable.name(), survivors);
    }

    /** What the test had noted before the crash, oldest first: which operations had begun, which had been acknowledged. */
    public List<Object> marks() {
        return marks;
    }

    /**
     * A device with these contents, to be mounted, repaired and written to as one likes: changes stay in it. To be closed
     * before the recording is.
     */
    public BlockDevice open() throws IOException {
        MemoryBlockDevice device = MemoryBlockDevice.over(durable);
        try {
            for (Survivor survivor : survivors) {
                apply(survivor, device);
            }
            return device;
        } catch (IOException | RuntimeException e) {
            device.close();
            throw e;
        }
    }

    @Override
    public String toString() {
        return "crash point %d of %d, %s, seed %d: %s; of %d writes in flight survived: %s"
                .formatted(
                        point,
                        recording.points(),
                        kind,
                        seed,
                        durable.name(),
                        inFlight,
                        survivors.stream().map(Survivor::toString).collect(Collectors.joining(", ", "[", "]")));
    }

    private void apply(Survivor survivor, MemoryBlockDevice device) throws IOException {
        if (survivor.sectorsOrNull == null) {
            put(device, survivor, 0, survivor.length);
            return;
        }
        BitSet rest = (BitSet) survivor.sectorsOrNull.clone();
        Sectors.Run run = Sectors.nextRun(survivor.offset, survivor.length, recording.sectorBytes(), rest);
        while (run != null) {
            put(device, survivor, run.start(), run.length());
            rest.clear(0, run.lastSector() + 1);
            run = Sectors.nextRun(survivor.offset, survivor.length, recording.sectorBytes(), rest);
        }
    }

    private static void put(MemoryBlockDevice device, Survivor survivor, long start, long length) throws IOException {
        if (survivor.bytesOrNull == null) {
            device.zero(survivor.offset + start, length);
        } else {
            device.writeFully(survivor.offset + start, survivor.bytesOrNull.asSlice(start, length));
        }
    }
}
