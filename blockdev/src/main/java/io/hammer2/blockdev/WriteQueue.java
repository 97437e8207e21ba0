package io.hammer2.blockdev;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The writes of an image file, one at a time: the host's file system lets in no more than one, and threads that wait for each other
 * there cost more than they write. Those that adjoin are one system call.
 */
final class WriteQueue {
    /** As much as this at once is part of a stream, which is not written again soon: no use to keep it from the medium. */
    private static final int STREAM_BYTES = 512 << 10;

    private final PosixFile file;
    private final DeviceRequests requests;

    private final ReentrantLock lock = new ReentrantLock();
    // Under the lock, which nobody blocks under.
    private final ArrayDeque<Write> waiting = new ArrayDeque<>();
    private boolean draining;

    private record Write(long offsetBytes, MemorySegment from, IoCompletion done) {
        long end() {
            return offsetBytes + from.byteSize();
        }
    }

    WriteQueue(PosixFile file, DeviceRequests requests) {
        this.file = file;
        this.requests = requests;
    }

    /** Asks for a write; the request itself was found good. */
    void add(long offsetBytes, MemorySegment from, IoCompletion done) {
        if (!requests.begin("write", done)) {
            return;
        }
        boolean start;
        lock.lock();
        try {
            waiting.add(new Write(offsetBytes, from, done));
            start = !draining;
            draining = true;
        } finally {
            lock.unlock();
        }
        if (start) {
            start();
        }
    }

    private void start() {
        try {
            IoThreads.execute(this::drain);
        } catch (OutOfMemoryError e) {
            // No thread to be had: slow is better than never.
            drain();
        }
    }

    private void drain() {
        List<Write> next = new ArrayList<>(Posix.PWRITEV_MAX);
        for (take(next); !next.isEmpty(); take(next)) {
            IOException error = requests.outcome("write", () -> write(next));
            for (Write write : next) {
                // Before the completion, so that the completion may close the device.
                requests.end();
                complete(write, error);
            }
        }
    }

    /** What is thrown at the end of one write, such as by a runtime that was closed meanwhile, is not the next one's. */
    private static void complete(Write write, IOException error) {
        try {
            write.done.done(error);
        } catch (RuntimeException e) {
            Thread thread = Thread.currentThread();
            thread.getUncaughtExceptionHandler().uncaughtException(thread, e);
        }
    }

    /** The oldest, and what follows it both in the queue and in the file. */
    private void take(List<Write> next) {
        next.clear();
        lock.lock();
        try {
            for (Write write = waiting.peek();
                    write != null
                            && next.size() < Posix.PWRITEV_MAX
                            && (next.isEmpty() || next.getLast().end() == write.offsetBytes);
                    write = waiting.peek()) {
                next.add(waiting.poll());
            }
            draining = !next.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** An error of any part is one of all: nothing is known of what reached the medium. */
    private void write(List<Write> adjoining) throws IOException {
        if (adjoining.size() == 1) {
            file.writeFully(adjoining.getFirst().offsetBytes, adjoining.getFirst().from);
            return;
        }
        MemorySegment[] parts = new MemorySegment[adjoining.size()];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = adjoining.get(i).from;
        }
        long begin = adjoining.getFirst().offsetBytes;
        file.writeFully(begin, parts);
        long length = adjoining.getLast().end() - begin;
        if (length >= STREAM_BYTES) {
            file.beginWriteback(begin, length);
        }
    }
}
