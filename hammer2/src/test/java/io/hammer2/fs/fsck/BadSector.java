package io.hammer2.fs.fsck;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.testing.ForwardingBlockDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** A read-only device of which one range cannot be read. It leaves the one below open. */
final class BadSector extends ForwardingBlockDevice {
    private final long badOffsetBytes;
    private final long badLengthBytes;

    BadSector(BlockDevice device, long badOffsetBytes, long badLengthBytes) {
        super(device);
        this.badOffsetBytes = badOffsetBytes;
        this.badLengthBytes = badLengthBytes;
    }

    @Override
    public boolean readOnly() {
        return true;
    }

    @Override
    public String name() {
        return "bad sector on " + base.name();
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        if (offsetBytes < badOffsetBytes + badLengthBytes && badOffsetBytes < offsetBytes + into.byteSize()) {
            done.done(new IOException("bad sector"));
        } else {
            base.read(offsetBytes, into, done);
        }
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        done.done(new IOException("read only"));
    }

    @Override
    public void close() {}
}
