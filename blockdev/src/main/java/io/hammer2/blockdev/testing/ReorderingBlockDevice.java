package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.Requests;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Latency without time: a device over another whose requests wait, and are done one by one in an order from a seed.
 *
 * <p>Nothing happens within a request method. Each {@link #completeOne} takes one of the waiting requests, passes it on and
 * so completes it on its caller's thread; a stepped world plugs it in as a source of events. The blocking forms ({@code
 * readFully} and so on) do not wait in line: nobody would step while they block.
 *
 * <p>For crash states put {@link RecordingBlockDevice} over this one, not below: it must see when a flush was asked for.
 */
public final class ReorderingBlockDevice implements BlockDevice {
    private final BlockDevice base;
    private final AtomicBoolean closed = new AtomicBoolean();

    /** Guards what waits; never held while a request is done. */
    private final ReentrantLock lock = new ReentrantLock();

    private final List<Runnable> waiting = new ArrayList<>();
    private final SplittableRandom order;

    /** The base is closed with this device. */
    public ReorderingBlockDevice(BlockDevice base, long seed) {
        this.base = base;
        this.order = new SplittableRandom(seed);
    }

    /** Does one of the waiting requests, on this thread. Returns whether there was one. */
    public boolean completeOne() {
        Runnable request;
        lock.lock();
        try {
            if (waiting.isEmpty()) {
                return false;
            }
            int chosen = order.nextInt(waiting.size());
            request = waiting.set(chosen, waiting.getLast());
            waiting.removeLast();
        } finally {
            lock.unlock();
        }
        request.run();
        return true;
    }

    /** Number of requests that wait for {@link #completeOne}. */
    public int waiting() {
        lock.lock();
        try {
            return waiting.size();
        } finally {
            lock.unlock();
        }
    }

    /** Whether it accepts no more requests; who steps it in a loop may end then. */
    public boolean isClosed() {
        return closed.get();
    }

    @Override
    public long sizeBytes() {
        return base.sizeBytes();
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
        Requests.checkLendable(into);
        wait("read", done, () -> base.read(offsetBytes, into, done));
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        Requests.checkLendable(from);
        wait("write", done, () -> base.write(offsetBytes, from, done));
    }

    @Override
    public void flush(IoCompletion done) {
        wait("flush", done, () -> base.flush(done));
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        wait("discard", done, () -> base.discard(offsetBytes, lengthBytes, done));
    }

    @Override
    public void readFully(long offsetBytes, MemorySegment into) throws IOException {
        base.readFully(offsetBytes, into);
    }

    @Override
    public void writeFully(long offsetBytes, MemorySegment from) throws IOException {
        base.writeFully(offsetBytes, from);
    }

    @Override
    public void flushFully() throws IOException {
        base.flushFully();
    }

    @Override
    public void discardFully(long offsetBytes, long lengthBytes) throws IOException {
        base.discardFully(offsetBytes, lengthBytes);
    }

    /** Requests that wait are done first. */
    @Override
    public void close() throws IOException {
        if (closed.compareAndSet(false, true)) {
            boolean more;
            do {
                more = completeOne();
            } while (more);
            base.close();
        }
    }

    private void wait(String what, IoCompletion done, Runnable request) {
        if (closed.get()) {
            done.done(Requests.closed(this, what));
            return;
        }
        lock.lock();
        try {
            waiting.add(request);
        } finally {
            lock.unlock();
        }
    }
}
