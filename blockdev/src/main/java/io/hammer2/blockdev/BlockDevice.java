package io.hammer2.blockdev;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * A range of bytes on a medium, read and written by asynchronous requests.
 *
 * <p><b>Requests.</b> A request transfers its whole segment or ends in an {@link IOException}. Segments are off-heap and of
 * an arena that every thread may use (shared, automatic, global), and stay the device's until the completion. Any number
 * may run at once. Requests whose ranges overlap and that run at the same time take effect in no promised order; who wants
 * an order waits for the first. A request outside the device, on a closed device, or a write to a read-only one is refused
 * before any I/O, through the completion. Whether a queue is bounded is the caller's choice: each queued request holds a
 * segment of the caller's, so the caller's memory bounds it.
 *
 * <p><b>What a crash may do</b> (power cut, kernel or host lost; the contract that the file system's crash safety is built
 * and tested on):
 *
 * <ul>
 *   <li>When {@link #flush} ends without error, every write that had completed before that flush was <em>asked for</em> is
 *       durable. A write still running when the flush was asked for is not covered by it.
 *   <li>Of all other writes, completed or not, any subset may have reached the medium, in any order.
 *   <li>Each of these may be torn: any subset of its sectors may have reached the medium. A single sector of {@link
 *       #alignmentBytes} (of 512 bytes where that is smaller) is all old or all new.
 *   <li>A discarded range holds, until it is written again, for each sector any of: what it held, zeros.
 *   <li>After a flush ended in an error nothing is known of the writes it was to cover, and every later flush of the same
 *       open device fails too: the operating system may have forgotten which pages it failed to write.
 * </ul>
 */
public interface BlockDevice extends AutoCloseable {

    /** Size when it was opened, or when {@link #refreshSize} last looked. */
    long sizeBytes();

    /**
     * Looks whether the device has become larger; from then on there may be requests to what is new. What has become smaller keeps
     * its size, and the requests that it cannot do any more fail.
     *
     * @return {@link #sizeBytes} from now on
     */
    default long refreshSize() throws IOException {
        return sizeBytes();
    }

    /**
     * A power of two: requests whose offset, length and segment address are multiples of it go to the medium directly; others
     * are as correct but are copied. 1 for an image file, the logical sector size for a raw device.
     */
    int alignmentBytes();

    /** Whether writes and discards are refused. */
    boolean readOnly();

    /** What a message calls it: the path as given. */
    String name();

    /** Reads {@code into.byteSize()} bytes; on error the segment's contents are undefined. */
    void read(long offsetBytes, MemorySegment into, IoCompletion done);

    /** Writes {@code from.byteSize()} bytes, which must not change until the completion. */
    void write(long offsetBytes, MemorySegment from, IoCompletion done);

    /** Makes durable all writes that completed before this call. Nothing to do, and no error, on a read-only device. */
    void flush(IoCompletion done);

    /** Tells the medium that the range is not needed; a device that cannot do it, or only part of it, reports no error. */
    void discard(long offsetBytes, long lengthBytes, IoCompletion done);

    /** {@link #read} that blocks the calling platform thread, for tools. Any segment will do, also a confined or heap one. */
    default void readFully(long offsetBytes, MemorySegment into) throws IOException {
        BlockingRequests.read(this, offsetBytes, into);
    }

    /** {@link #write} that blocks the calling platform thread, for tools. Any segment will do, also a confined or heap one. */
    default void writeFully(long offsetBytes, MemorySegment from) throws IOException {
        BlockingRequests.write(this, offsetBytes, from);
    }

    /** {@link #flush} that blocks the calling platform thread, for tools. */
    default void flushFully() throws IOException {
        BlockingRequests.await(this::flush);
    }

    /** {@link #discard} that blocks the calling platform thread, for tools. */
    default void discardFully(long offsetBytes, long lengthBytes) throws IOException {
        BlockingRequests.await(done -> discard(offsetBytes, lengthBytes, done));
    }

    /**
     * Refuses new requests, waits for those that run, gives up the lock. Does not flush. Blocks the calling platform thread;
     * may be called from a completion, and so the completions of the last requests may still come after it has returned.
     * Further calls do nothing.
     */
    @Override
    void close() throws IOException;
}
