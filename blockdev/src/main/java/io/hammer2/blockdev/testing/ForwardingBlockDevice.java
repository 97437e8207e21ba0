package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A device over another, to which it passes on what a subclass does not do itself. The blocking forms come as requests, too, and so
 * meet what the subclass does to these.
 */
public abstract class ForwardingBlockDevice implements BlockDevice {
    /** The device below. */
    protected final BlockDevice base;

    /** The base is closed with this device. */
    protected ForwardingBlockDevice(BlockDevice base) {
        this.base = base;
    }

    @Override
    public long sizeBytes() {
        return base.sizeBytes();
    }

    @Override
    public long refreshSize() throws IOException {
        return base.refreshSize();
    }

    @Override
    public int alignmentBytes() {
        return base.alignmentBytes();
    }

    @Override
    public boolean readOnly() {
        return base.readOnly();
    }

    @Override
    public String name() {
        return base.name();
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        base.read(offsetBytes, into, done);
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        base.write(offsetBytes, from, done);
    }

    @Override
    public void flush(IoCompletion done) {
        base.flush(done);
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        base.discard(offsetBytes, lengthBytes, done);
    }

    @Override
    public void close() throws IOException {
        base.close();
    }
}
