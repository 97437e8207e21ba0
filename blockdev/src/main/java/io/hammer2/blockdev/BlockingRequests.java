package io.hammer2.blockdev;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/** Turns asynchronous requests into calls that block a platform thread. */
final class BlockingRequests {
    private BlockingRequests() {}

    static void read(BlockDevice device, long offsetBytes, MemorySegment into) throws IOException {
        if (Requests.everyThreadMayUse(into)) {
            await(done -> device.read(offsetBytes, into, done));
            return;
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment lent = arena.allocate(into.byteSize(), device.alignmentBytes());
            await(done -> device.read(offsetBytes, lent, done));
            into.copyFrom(lent);
        }
    }

    static void write(BlockDevice device, long offsetBytes, MemorySegment from) throws IOException {
        if (Requests.everyThreadMayUse(from)) {
            await(done -> device.write(offsetBytes, from, done));
            return;
        }
        try (Arena arena = Arena.ofShared()) {
            MemorySegment lent = arena.allocate(from.byteSize(), device.alignmentBytes());
            lent.copyFrom(from);
            await(done -> device.write(offsetBytes, lent, done));
        }
    }

    /** Starts a request and waits for its end, which cannot be cut short: the segment is the device's until then. */
    static void await(Consumer<IoCompletion> request) throws IOException {
        CompletableFuture<IOException> end = new CompletableFuture<>();
        request.accept(end::complete);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    IOException error = end.get();
                    if (error != null) {
                        throw error;
                    }
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    throw new InterruptedIOException("request abandoned: " + e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
