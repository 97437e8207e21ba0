package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.ReorderingBlockDevice;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Closing a device that another thread steps; what else it does is in {@link FaultyBlockDeviceTest}. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class ReorderingBlockDeviceTest {
    @Test
    void close_waits_for_the_request_that_another_thread_is_doing() throws Exception {
        FlushUnderClose base = new FlushUnderClose();
        ReorderingBlockDevice device = new ReorderingBlockDevice(base, 1);
        base.closer = Thread.ofPlatform().unstarted(() -> {
            try {
                device.close();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        List<IOException> ends = new ArrayList<>();
        device.flush(ends::add);
        assertTrue(device.completeOne());
        assertNull(ends.getFirst());
        assertFalse(base.wasClosedUnderFlush.get(), "closed under the request");
        base.closer.join();
        assertTrue(base.closed.get());
    }

    /** Its flush has another thread close the device above it, and ends when that thread has closed this one or waits. */
    private static final class FlushUnderClose implements BlockDevice {
        final AtomicBoolean closed = new AtomicBoolean();
        /** Looked at before the flush ends: once it has ended, the close that waits for it may come at any moment. */
        final AtomicBoolean wasClosedUnderFlush = new AtomicBoolean();

        private Thread closer;

        @Override
        public void flush(IoCompletion done) {
            closer.start();
            while (!closed.get() && closer.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            wasClosedUnderFlush.set(closed.get());
            done.done(null);
        }

        @Override
        public void close() {
            closed.set(true);
        }

        @Override
        public long sizeBytes() {
            return 0;
        }

        @Override
        public int alignmentBytes() {
            return 1;
        }

        @Override
        public boolean readOnly() {
            return false;
        }

        @Override
        public String name() {
            return "flush under close";
        }

        @Override
        public void read(long offsetBytes, MemorySegment into, IoCompletion done) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void write(long offsetBytes, MemorySegment from, IoCompletion done) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void discard(long offsetBytes, long lengthBytes, IoCompletion done) {
            throw new UnsupportedOperationException();
        }
    }
}
