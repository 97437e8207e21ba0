package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.Requests;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A part of another device as a device of its own, so that several of them are recorded, reordered and crash as one. On a recorded
 * device a flush makes durable what was written to this part, and nothing else.
 */
public final class SliceBlockDevice extends ForwardingBlockDevice {
    private final long fromBytes;
    private final long sizeBytes;

    /** The whole device is closed with any of its parts. */
    public SliceBlockDevice(BlockDevice whole, long fromBytes, long sizeBytes) {
        if (fromBytes < 0 || sizeBytes < 0 || sizeBytes > whole.sizeBytes() - fromBytes) {
            throw new IllegalArgumentException(sizeBytes + " bytes at " + fromBytes + " of " + whole.sizeBytes());
        }
        super(whole);
        this.fromBytes = fromBytes;
        this.sizeBytes = sizeBytes;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    /** A part of the same place, whatever the whole becomes. */
    @Override
    public long refreshSize() {
        return sizeBytes;
    }

    @Override
    public String name() {
        return base.name() + "+" + fromBytes;
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        IOException refusal = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
        if (refusal != null) {
            done.done(refusal);
        } else {
            base.read(fromBytes + offsetBytes, into, done);
        }
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            done.done(refusal);
        } else {
            base.write(fromBytes + offsetBytes, from, done);
        }
    }

    @Override
    public void flush(IoCompletion done) {
        if (base instanceof RecordingBlockDevice recorded) {
            recorded.flush(fromBytes, fromBytes + sizeBytes, done);
        } else {
            base.flush(done);
        }
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        IOException refusal = Requests.notWritable(this, "discard", offsetBytes, lengthBytes);
        if (refusal != null) {
            done.done(refusal);
        } else {
            base.discard(fromBytes + offsetBytes, lengthBytes, done);
        }
    }

    @Override
    public void readFully(long offsetBytes, MemorySegment into) throws IOException {
        IOException refusal = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
        if (refusal != null) {
            throw refusal;
        }
        base.readFully(fromBytes + offsetBytes, into);
    }

    @Override
    public void writeFully(long offsetBytes, MemorySegment from) throws IOException {
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            throw refusal;
        }
        base.writeFully(fromBytes + offsetBytes, from);
    }
}
