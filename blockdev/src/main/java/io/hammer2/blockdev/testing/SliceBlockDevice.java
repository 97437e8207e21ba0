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
public final class SliceBlockDevice implements BlockDevice {
    private final BlockDevice whole;
    private final long fromBytes;
    private final long sizeBytes;

    /** The whole device is closed with any of its parts. */
    public SliceBlockDevice(BlockDevice whole, long fromBytes, long sizeBytes) {
        if (fromBytes < 0 || sizeBytes < 0 || sizeBytes > whole.sizeBytes() - fromBytes) {
            throw new IllegalArgumentException(sizeBytes + " bytes at " + fromBytes + " of " + whole.sizeBytes());
        }
        this.whole = whole;
        this.fromBytes = fromBytes;
        this.sizeBytes = sizeBytes;
    }

    @Override
    public long sizeBytes() {
        return sizeBytes;
    }

    @Override
    public int alignmentBytes() {
        return whole.alignmentBytes();
    }

    @Override
    public boolean readOnly() {
        return whole.readOnly();
    }

    @Override
    public String name() {
        return whole.name() + "+" + fromBytes;
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        IOException refusal = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
        if (refusal != null) {
            done.done(refusal);
        } else {
            whole.read(fromBytes + offsetBytes, into, done);
        }
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            done.done(refusal);
        } else {
            whole.write(fromBytes + offsetBytes, from, done);
        }
    }

    @Override
    public void flush(IoCompletion done) {
        if (whole instanceof RecordingBlockDevice recorded) {
            recorded.flush(fromBytes, fromBytes + sizeBytes, done);
        } else {
            whole.flush(done);
        }
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        IOException refusal = Requests.notWritable(this, "discard", offsetBytes, lengthBytes);
        if (refusal != null) {
            done.done(refusal);
        } else {
            whole.discard(fromBytes + offsetBytes, lengthBytes, done);
        }
    }

    @Override
    public void readFully(long offsetBytes, MemorySegment into) throws IOException {
        IOException refusal = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
        if (refusal != null) {
            throw refusal;
        }
        whole.readFully(fromBytes + offsetBytes, into);
    }

    @Override
    public void writeFully(long offsetBytes, MemorySegment from) throws IOException {
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            throw refusal;
        }
        whole.writeFully(fromBytes + offsetBytes, from);
    }

    @Override
    public void close() throws IOException {
        whole.close();
    }
}
