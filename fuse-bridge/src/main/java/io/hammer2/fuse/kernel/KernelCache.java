package io.hammer2.fuse.kernel;

import io.hammer2.lwkt.Message;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What the kernel caches of a file, as far as an answer depends on it, by FUSE_NOTIFY_INVAL_INODE ({@code fuse_reverse_inval_inode}). It
 * hands over what it has not written yet: Linux writes a dirty page before it drops it ({@code fuse_launder_folio}). Or it forgets
 * attributes.
 *
 * <p>A notification about pages ends when the WRITE requests that it leads to have been answered, so it is sent by a thread of its own while
 * the cpus serve, and only so many are under way that requests are left to be served.
 */
final class KernelCache implements AutoCloseable {
    /** Each has a thread, and a request that waits for it in one of the {@link Channel#SLOTS_MAX}. */
    private static final int UNDER_WAY_MAX = 8;

    /** An offset below 0: no pages, {@code fuse_lowlevel_notify_inval_inode}. */
    private static final long ATTRIBUTES_ONLY = -1;

    private static final Duration END_WAIT = Duration.ofSeconds(5);

    private final int fd;
    private final Semaphore permits = new Semaphore(UNDER_WAY_MAX);
    private final AtomicBoolean closed = new AtomicBoolean();

    /** @param connected of the connection, which stays its owner's */
    KernelCache(int connected) throws IOException {
        this.fd = Libc.duplicate(connected);
        if (fd < 0) {
            throw new IOException("no descriptor for notifications: " + Libc.describe(fd));
        }
    }

    /**
     * Waits until what is cached of the node, from the offset on, has been written. In an LWKT thread.
     *
     * @return false when it cannot be asked for now
     */
    boolean writeBack(long node, long offset) {
        if (!permits.tryAcquire()) {
            return false;
        }
        Message<Boolean> written = new Message<>();
        boolean started = false;
        try {
            Thread.ofPlatform().daemon().name("fuse-write-back").start(() -> {
                boolean done = notifyKernel(node, offset);
                permits.release();
                written.reply(done);
            });
            started = true;
        } catch (OutOfMemoryError e) {
            return false; // no thread to be had
        } finally {
            if (!started) {
                permits.release();
            }
        }
        return written.await();
    }

    /** Has it ask for the attributes of the node when they are needed next. Waits for nothing, since no pages are meant. */
    void forgetAttributes(long node) {
        boolean ignored = notifyKernel(node, ATTRIBUTES_ONLY);
    }

    private boolean notifyKernel(long node, long offset) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = arena.allocate(Libc.ERRNO_BYTES, 8);
            MemorySegment notice = arena.allocate(Wire.Out.BYTES + Wire.NotifyInvalInode.BYTES, 8);
            Wire.putInt(notice, Wire.Out.LEN, (int) notice.byteSize());
            Wire.putInt(notice, Wire.Out.ERROR, Wire.NotifyInvalInode.CODE);
            Wire.putLong(notice, Wire.Out.BYTES + Wire.NotifyInvalInode.NODE, node);
            Wire.putLong(notice, Wire.Out.BYTES + Wire.NotifyInvalInode.OFFSET, offset);
            long sent = Libc.write(errno, fd, notice, notice.byteSize());
            // ENOENT: it is not in the kernel's memory, and so neither are pages of it.
            return sent >= 0 || sent == -Libc.ENOENT;
        }
    }

    /**
     * Waits for those that are under way, which the cpus must still serve, and sends no more. While its descriptor is open, the
     * connection does not end with those of the channels.
     */
    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        try {
            if (permits.tryAcquire(UNDER_WAY_MAX, END_WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
                Libc.close(fd);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
