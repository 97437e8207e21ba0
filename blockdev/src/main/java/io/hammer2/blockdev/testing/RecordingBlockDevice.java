package io.hammer2.blockdev.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.IoCompletion;
import io.hammer2.blockdev.Requests;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Passes every request on and records writes and flushes, so that afterwards each crash that might have happened can be looked
 * at: see {@link CrashRecording}, which outlives this device.
 *
 * <p>Goes on top of faults and reordering: it records when a request was asked for and when it ended, and both matter.
 */
public final class RecordingBlockDevice extends ForwardingBlockDevice {
    private static final int SECTOR_BYTES = 512;
    private static final long PAYLOAD_BYTES_MAX = 128L << 20;

    private final CrashRecording recording;

    /**
     * Records what happens to a device.
     *
     * @param live gets all requests, and is closed with this device
     * @param recording begun with the contents that {@code live} has now
     */
    public RecordingBlockDevice(BlockDevice live, CrashRecording recording) {
        super(live);
        this.recording = recording;
    }

    /** Over contents that it leaves as they are: writes go to memory. Sectors of 512 bytes, up to 128 MiB of writes. */
    public static RecordingBlockDevice over(BlockDevice initial) {
        return new RecordingBlockDevice(
                MemoryBlockDevice.over(initial), new CrashRecording(initial, SECTOR_BYTES, PAYLOAD_BYTES_MAX));
    }

    /** To be closed by whoever is done with the crash states; not closed with the device. */
    public CrashRecording recording() {
        return recording;
    }

    @Override
    public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
        Requests.checkLendable(from);
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            done.done(refusal);
            return;
        }
        base.write(offsetBytes, from, recorded(recording.asked(offsetBytes, from.byteSize(), from), done));
    }

    @Override
    public void flush(IoCompletion done) {
        flush(0, Long.MAX_VALUE, done);
    }

    /** Makes durable only what was written from {@code from} to before {@code to}: the cache of one of several devices. */
    void flush(long from, long to, IoCompletion done) {
        CrashRecording.Flush flush = recording.flushAsked(from, to);
        base.flush(error -> {
            recording.flushCompleted(flush, error);
            done.done(error);
        });
    }

    @Override
    public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
        IOException refusal = Requests.notWritable(this, "discard", offsetBytes, lengthBytes);
        if (refusal != null) {
            done.done(refusal);
            return;
        }
        base.discard(offsetBytes, lengthBytes, recorded(recording.asked(offsetBytes, lengthBytes, null), done));
    }

    @Override
    public void readFully(long offsetBytes, MemorySegment into) throws IOException {
        base.readFully(offsetBytes, into);
    }

    // The blocking forms are passed on as such, for the sake of a device below that would wait for a step.

    @Override
    public void writeFully(long offsetBytes, MemorySegment from) throws IOException {
        IOException refusal = Requests.notWritable(this, "write", offsetBytes, from.byteSize());
        if (refusal != null) {
            throw refusal;
        }
        int number = recording.asked(offsetBytes, from.byteSize(), from);
        record(() -> base.writeFully(offsetBytes, from), error -> recording.completed(number, error));
    }

    @Override
    public void flushFully() throws IOException {
        CrashRecording.Flush flush = recording.flushAsked(0, Long.MAX_VALUE);
        record(base::flushFully, error -> recording.flushCompleted(flush, error));
    }

    @Override
    public void discardFully(long offsetBytes, long lengthBytes) throws IOException {
        IOException refusal = Requests.notWritable(this, "discard", offsetBytes, lengthBytes);
        if (refusal != null) {
            throw refusal;
        }
        int number = recording.asked(offsetBytes, lengthBytes, null);
        record(() -> base.discardFully(offsetBytes, lengthBytes), error -> recording.completed(number, error));
    }

    @FunctionalInterface
    private interface Blocking {
        void run() throws IOException;
    }

    private static void record(Blocking request, IoCompletion ended) throws IOException {
        try {
            request.run();
        } catch (IOException e) {
            ended.done(e);
            throw e;
        }
        ended.done(null);
    }

    private IoCompletion recorded(int number, IoCompletion done) {
        return error -> {
            recording.completed(number, error);
            done.done(error);
        };
    }
}
