package io.hammer2.fs.simulation;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import java.lang.foreign.MemorySegment;

/** Another device, which outlives this one. */
record LentBlockDevice(BlockDevice lender) implements BlockDevice {
    @Override
    public long sizeBytes() {
        return lender.sizeBytes();
    }

    @Override
    public int alignmentBytes() {
        return lender.alignmentBytes();
    }

    @Override
    public boolean readOnly() {
        return lender.readOnly();
    }

    @Override
    public String name() {
        return lender.name();
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        lender.read(offsetBytes, into, done);
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        lender.write(offsetBytes, from, done);
    }

    @Override
    public void flush(IoCompletion done) {
        lender.flush(done);
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        lender.discard(offsetBytes, lengthBytes, done);
    }

    /** Leaves it open. */
    @Override
    public void close() {}
}
