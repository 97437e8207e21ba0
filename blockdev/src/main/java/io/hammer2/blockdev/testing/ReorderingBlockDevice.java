package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.Requests;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * Latency without time: a device over another whose requests wait, and are done one by one in an order from a seed.
 *
 * <p>Nothing happens within a request method. Each {@link #completeOne} takes one of the waiting requests, passes it on and
 * so completes it on its caller's thread; a stepped world plugs it in as a source of events. The blocking forms ({@code
 * readFully} and so on) do not wait in line: nobody would step while they block.
 *
 * <p>For crash states put {@link RecordingBlockDevice} over this one, not below: it must see when a flush was asked for.
 */
public final class ReorderingBlockDevice extends ForwardingBlockDevice {
    /** Guards what follows; never held while a request is done. */
    private final ReentrantLock lock = new ReentrantLock();

    private final Condition noneRuns = lock.newCondition();
    private final List<Request> waiting = new ArrayList<>();
    private final SplittableRandom order;
    /** Number of requests that the base is doing. It must not be closed under them, whichever thread they are on. */
    private int running;

    private boolean closed;

    /** The base is closed with this device. */
    public ReorderingBlockDevice(BlockDevice base, long seed) {
        super(base);
        this.order = new SplittableRandom(seed);
    }

    /** @param start what the base is asked for, given what it is to call at the end */
    private record Request(Consumer<IoCompletion> start, IoCompletion done) {}

    /** Does one of the waiting requests, on this thread. Returns whether there was one. */
    public boolean completeOne() {
        Request request;
        lock.lock();
        try {
            if (waiting.isEmpty()) {
                return false;
            }
            int chosen = order.nextInt(waiting.size());
            request = waiting.set(chosen, waiting.getLast());
            waiting.removeLast();
            running++;
        } finally {
            lock.unlock();
        }
        Running left = new Running();
        try {
            request.start.accept(error -> {
                // Before the completion, so that the completion may close the device.
                left.end();
                request.done.done(error);
            });
        } finally {
            // What the base has not completed yet it waits for itself when it is closed.
            left.end();
        }
        return true;
    }

    /** One request that the base is doing. */
    private final class Running {
        private boolean ended;

        void end() {
            lock.lock();
            try {
                if (!ended) {
                    ended = true;
                    running--;
                    if (running == 0) {
                        noneRuns.signalAll();
                    }
                }
            } finally {
                lock.unlock();
            }
        }
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
        lock.lock();
        try {
            return closed;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
        Requests.checkLendable(into);
        wait("read", done, ended -> base.read(offsetBytes, into, ended));
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        Requests.checkLendable(from);
        wait("write", done, ended -> base.write(offsetBytes, from, ended));
    }

    @Override
    public void flush(IoCompletion done) {
        wait("flush", done, base::flush);
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        wait("discard", done, ended -> base.discard(offsetBytes, lengthBytes, ended));
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

    /** Requests that wait are done first, and those that another thread is doing are waited for. */
    @Override
    public void close() throws IOException {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            lock.unlock();
        }
        boolean more;
        do {
            more = completeOne();
        } while (more);
        awaitNoneRuns();
        base.close();
    }

    private void awaitNoneRuns() {
        lock.lock();
        try {
            while (running > 0) {
                noneRuns.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    private void wait(String what, IoCompletion done, Consumer<IoCompletion> start) {
        lock.lock();
        try {
            if (!closed) {
                waiting.add(new Request(start, done));
                return;
            }
        } finally {
            lock.unlock();
        }
        done.done(Requests.closed(this, what));
    }
}
