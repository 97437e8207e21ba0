package io.hammer2.fs.fsck;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A device of which one range cannot be read. */
record BadSector(BlockDevice device, long badOffsetBytes, long badLengthBytes) implements BlockDevice {
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
        return true;
    }

    @Override
    public String name() {
        return "bad sector on " + device.name();
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        if (offsetBytes < badOffsetBytes + badLengthBytes && badOffsetBytes < offsetBytes + into.byteSize()) {
            done.done(new IOException("bad sector"));
        } else {
            device.read(offsetBytes, into, done);
        }
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        done.done(new IOException("read only"));
    }

    @Override
    public void flush(IoCompletion done) {
        done.done(null);
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        done.done(null);
    }

    @Override
    public void close() {}
}
