package io.hammer2.blockdev;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device or file of the operating system. Each request is checked first, and then done on an I/O thread, or, in its blocking form,
 * on the caller's.
 */
abstract class HostBlockDevice implements BlockDevice {
    final Path path;
    final DeviceRequests requests = new DeviceRequests(this);
    private final boolean readOnly;
    private final AtomicLong sizeBytes;

    HostBlockDevice(Path path, boolean readOnly, long sizeBytes) {
        this.path = path;
        this.readOnly = readOnly;
        this.sizeBytes = new AtomicLong(sizeBytes);
    }

    /** As the operating system has it now. */
    abstract long sizeNow() throws IOException;

    // What a request does, after its checks and while the device cannot be closed.

    abstract void readNow(long offsetBytes, MemorySegment into) throws IOException;

    abstract void writeNow(long offsetBytes, MemorySegment from) throws IOException;

    abstract void flushNow() throws IOException;

    abstract void discardNow(long offsetBytes, long lengthBytes) throws IOException;

    /** Gives up descriptor and lock, after the last request. */
    abstract void release() throws IOException;

    /** Has {@link #readNow} done, unless there is a faster way. */
    void startRead(long offsetBytes, MemorySegment into, IoCompletion done) {
        requests.submit("read", () -> readNow(offsetBytes, into), done);
    }

    /** Has {@link #writeNow} done, unless there is a faster way. */
    void startWrite(long offsetBytes, MemorySegment from, IoCompletion done) {
        requests.submit("write", () -> writeNow(offsetBytes, from), done);
    }

    @Override
    public final long sizeBytes() {
        return sizeBytes.get();
    }

    @Override
    public final long refreshSize() throws IOException {
        return sizeBytes.accumulateAndGet(sizeNow(), Math::max);
    }

    @Override
    public final boolean readOnly() {
        return readOnly;
    }

    @Override
    public final String name() {
        return path.toString();
    }

    @Override
    public final void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        Requests.checkLendable(into);
        IOException refusal = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
        if (refusal != null) {
            done.done(refusal);
        } else {
            startRead(offsetBytes, into, done);
        }
    }

    @Override
    public final void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        Requests.checkLendable(from);
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            done.done(refusal);
        } else {
            startWrite(offsetBytes, from, done);
        }
    }

    @Override
    public final void flush(IoCompletion done) {
        requests.submit("flush", this::flushIfWritten, done);
    }

    @Override
    public final void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        IOException refusal = Requests.notWritable(this, "discard", offsetBytes, lengthBytes);
        if (refusal != null) {
            done.done(refusal);
        } else {
            requests.submit("discard", () -> discardNow(offsetBytes, lengthBytes), done);
        }
    }

    /** Without a change of thread. */
    @Override
    public void readFully(long offsetBytes, MemorySegment into) throws IOException {
        IOException refusal = Requests.outOfRange(this, "read", offsetBytes, into.byteSize());
        if (refusal != null) {
            throw refusal;
        }
        requests.call("read", () -> readNow(offsetBytes, into));
    }

    /** Without a change of thread. */
    @Override
    public void writeFully(long offsetBytes, MemorySegment from) throws IOException {
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            throw refusal;
        }
        requests.call("write", () -> writeNow(offsetBytes, from));
    }

    @Override
    public final void close() throws IOException {
        if (requests.close()) {
            release();
        }
    }

    private void flushIfWritten() throws IOException {
        if (!readOnly) {
            flushNow();
        }
    }
}
