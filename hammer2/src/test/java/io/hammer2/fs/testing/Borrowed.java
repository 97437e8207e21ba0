package io.hammer2.fs.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import java.lang.foreign.MemorySegment;

/** Another device, which outlives whoever is lent it: closing does nothing. */
public record Borrowed(BlockDevice device) implements BlockDevice {
    @Override
    public long sizeBytes() {
        return device.sizeBytes();
    }

    @Override
    public int alignmentBytes() {
        return device.alignmentBytes();
    }

    @Override
    public boolean readOnly() {
        return device.readOnly();
    }

    @Override
    public String name() {
        return device.name();
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        device.read(offsetBytes, into, done);
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        device.write(offsetBytes, from, done);
    }

    @Override
    public void flush(IoCompletion done) {
        device.flush(done);
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        device.discard(offsetBytes, lengthBytes, done);
    }

    @Override
    public void close() {}
}
