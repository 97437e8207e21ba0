package io.hammer2.fs.io;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Message;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * The volume cpu's writes: started at once and in any number, waited for together. Small blocks that follow each other on the
 * medium go in one request.
 */
public final class BlockWrites {
    /** Blocks smaller than this wait for their neighbours. */
    private static final int GATHERED_BYTES = 16 * Limits.KIB;

    /** Runs that wait for more; a segment is filled for each kind of block, so few are ever useful. */
    private static final int RUNS_MAX = 8;

    private final Cpu cpu;
    private final BlockDevice device;
    private final BufferPool buffers;
    private final PendingWrites pending;
    private final List<Run> runs = new ArrayList<>();
    private int inFlight;
    private IOException failure;
    private Message<Void> idle;

    /** Small blocks that lie side by side, in one 64 KiB buffer. */
    private static final class Run {
        private final long offsetBytes;
        private final MemorySegment memory;
        private int length;
        private final List<Long> blocks = new ArrayList<>();

        private Run(long offsetBytes, MemorySegment memory) {
            this.offsetBytes = offsetBytes;
            this.memory = memory;
        }
    }

    /** @param cpu on which all this is called */
    public BlockWrites(Cpu cpu, BlockDevice device, BufferPool buffers, PendingWrites pending) {
        this.cpu = cpu;
        this.device = device;
        this.buffers = buffers;
        this.pending = pending;
    }

    /** Whether {@link #writeCopy} puts a block of this size together with others, for which it is copied in any case. */
    public static boolean isGathered(long bytes) {
        return bytes < GATHERED_BYTES;
    }

    /** Writes a copy of {@code stored}, which may be on the heap. */
    public void writeCopy(long offsetBytes, MemorySegment stored) {
        int length = (int) stored.byteSize();
        if (isGathered(length)) {
            gather(offsetBytes, stored);
            return;
        }
        MemorySegment copy = buffers.take(length);
        write(offsetBytes, copy.asSlice(0, length).copyFrom(stored), () -> buffers.give(copy));
    }

    /**
     * Writes {@code stored} from where it is, off-heap.
     *
     * @param done on this cpu, once the memory is no longer needed; not when the write failed: then readers need it still
     */
    public void write(long offsetBytes, MemorySegment stored, Runnable done) {
        cpu.assertCurrent();
        pending.add(offsetBytes, stored);
        start(offsetBytes, stored, () -> {
            pending.remove(offsetBytes);
            done.run();
        });
    }

    /**
     * Waits until everything that was started has been written.
     *
     * @throws IOException the first error of all since this object was made; there is no way back from it
     */
    public void await() throws IOException {
        cpu.assertCurrent();
        while (!runs.isEmpty()) {
            submit(runs.removeLast());
        }
        if (inFlight > 0) {
            idle = new Message<>();
            idle.await();
            idle = null;
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** Makes durable what {@link #await} waited for. */
    public void flushDevice() throws IOException {
        Message<IOException> flushed = new Message<>();
        device.flush(flushed::reply);
        IOException error = flushed.await();
        if (error != null) {
            throw error;
        }
    }

    private void gather(long offsetBytes, MemorySegment stored) {
        Run run = runAt(offsetBytes);
        MemorySegment place = run.memory.asSlice(run.length, stored.byteSize()).copyFrom(stored);
        pending.add(offsetBytes, place);
        run.blocks.add(offsetBytes);
        run.length += (int) stored.byteSize();
        if (run.length == run.memory.byteSize()) {
            runs.remove(run);
            submit(run);
        }
    }

    private Run runAt(long offsetBytes) {
        for (Run run : runs) {
            if (run.offsetBytes + run.length == offsetBytes
                    && run.length + GATHERED_BYTES / 2 <= run.memory.byteSize()) {
                return run;
            }
        }
        Run run = new Run(offsetBytes, buffers.take(Limits.BLOCK_BYTES_MAX));
        if (runs.size() >= RUNS_MAX) {
            submit(runs.removeFirst());
        }
        runs.add(run);
        return run;
    }

    private void submit(Run run) {
        start(run.offsetBytes, run.memory.asSlice(0, run.length), () -> {
            run.blocks.forEach(pending::remove);
            buffers.give(run.memory);
        });
    }

    private void start(long offsetBytes, MemorySegment bytes, Runnable done) {
        inFlight++;
        device.write(offsetBytes, bytes, error -> {
            if (Cpu.currentOrNull() == cpu) {
                ended(done, error);
            } else {
                cpu.post(() -> ended(done, error));
            }
        });
    }

    private void ended(Runnable done, IOException error) {
        if (error == null) {
            done.run();
        } else if (failure == null) {
            failure = error;
        }
        if (--inFlight == 0 && idle != null) {
            idle.reply(null);
        }
    }
}
