package io.hammer2.fs.volume;

import io.hammer2.blockdev.VolumeSet;
import io.hammer2.fs.freemap.Freemap;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.lwkt.Cpu;
import java.io.IOException;
import java.util.function.LongConsumer;

/**
 * Lets a file system of one volume use all of a device that has become larger, while it is in use (format section 15.4). One commit
 * makes it so; a crash before that leaves the file system as it was.
 *
 * <p>Not as the reference does it (section 20, 2): a volume of version 1 keeps a total size of 0, the reserve of each new GiB is not
 * counted as space, and what is behind the old end in its GiB is free at once, and counted once.
 */
public final class Growth {
    private final Cpu cpu;
    private final Sync sync;
    private final Headers headers;
    private final Freemap freemap;
    private final SpaceBudget budget;
    private final VolumeSet devices;
    private final LongConsumer enlarge;
    private boolean running;

    /**
     * @param cpu of the volume
     * @param enlarge tells all who check offsets that the file system has so many bytes
     */
    public Growth(
            Cpu cpu,
            Sync sync,
            Headers headers,
            Freemap freemap,
            SpaceBudget budget,
            VolumeSet devices,
            LongConsumer enlarge) {
        this.cpu = cpu;
        this.sync = sync;
        this.headers = headers;
        this.freemap = freemap;
        this.budget = budget;
        this.devices = devices;
        this.enlarge = enlarge;
    }

    /**
     * What became of it.
     *
     * @param beforeBytes size of the file system before, and {@code afterBytes} now; equal when there was nothing to grow into
     */
    public record Result(long beforeBytes, long afterBytes) {
        public boolean isChanged() {
            return afterBytes > beforeBytes;
        }
    }

    /**
     * Grows; on an LWKT thread of any cpu, with no gate held.
     *
     * @param askedBytes the size to have then, rounded down to 8 MiB; 0 for all of the device
     * @throws RefusedException when that cannot be: nothing has changed
     * @throws IOException when a device or the commit fails
     */
    public Result run(long askedBytes) throws IOException {
        try {
            return cpu.call(() -> {
                try {
                    return runOnCpu(askedBytes);
                } catch (IOException e) {
                    throw new Failure(e);
                }
            });
        } catch (Failure e) {
            throw e.error;
        }
    }

    /** The size that was asked for is impossible, or the file system is not one that grows. */
    public static final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;

        private RefusedException(String message) {
            super(message);
        }
    }

    /** Carries the error out of {@link Cpu#call}. */
    private static final class Failure extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final transient IOException error;

        private Failure(IOException error) {
            super(error.getMessage(), error, false, false);
            this.error = error;
        }
    }

    private Result runOnCpu(long askedBytes) throws IOException {
        if (running) {
            throw new RefusedException(devices.name() + ": is growing already");
        }
        running = true;
        try {
            VolumeHeader header = headers.committed();
            long before = header.fileSystemBytes();
            long after = sizeFor(askedBytes, before);
            if (after > before) {
                devices.growLast(after);
                enlarge.accept(after);
                headers.clearPlaces(after);
                commit(after);
            }
            return new Result(before, after);
        } finally {
            running = false;
        }
    }

    private long sizeFor(long askedBytes, long before) throws IOException {
        if (devices.members().size() != 1) {
            throw new RefusedException(devices.name() + ": a file system of "
                    + devices.members().size() + " volumes cannot grow; only one of a single volume can");
        }
        long device = devices.members().getFirst().device().refreshSize();
        if (askedBytes < 0 || askedBytes > device) {
            throw new RefusedException(devices.name() + ": has " + device + " bytes, "
                    + Long.toUnsignedString(askedBytes) + " were asked for; enlarge the device first");
        }
        long after = (askedBytes == 0 ? device : askedBytes) & -Limits.VOLUME_ALIGNMENT_BYTES;
        if (askedBytes != 0 && after < before) {
            throw new RefusedException(
                    devices.name() + ": the file system has " + before + " bytes and cannot shrink to " + after);
        }
        // A device that lost its end is for the checker to tell of.
        return Math.max(after, before);
    }

    private void commit(long after) throws IOException {
        RuntimeException[] failure = new RuntimeException[1];
        sync.commit(() -> {
            try {
                long allocatorSize = headers.committed().allocatorSize() + freemap.grow(after);
                headers.grow(after, allocatorSize);
                budget.grow(allocatorSize);
            } catch (RuntimeException e) {
                // A freemap block that cannot be read is no reason to fail the commit; nothing has changed then.
                failure[0] = e;
            }
        });
        if (failure[0] != null) {
            throw new IOException(failure[0].getMessage(), failure[0]);
        }
    }
}
