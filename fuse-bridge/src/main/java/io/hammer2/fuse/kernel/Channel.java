package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseErrno;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.EventSource;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/**
 * One cpu's queue of a FUSE connection: reads a request without waiting, has it handled to the end by the LWKT thread that read
 * it, and writes the answer to the descriptor that the request came from, as the kernel demands.
 *
 * <p>Everything in it belongs to its cpu. It ends when the kernel says ENODEV (unmounted) or when it is told to, and then closes
 * the descriptor, which no handler that is still blocked can write to any more.
 */
final class Channel implements EventSource {
    /** Requests in work on one cpu; the kernel keeps the others. Bounds the buffers to 64 x 1 MiB of touched memory. */
    static final int SLOTS_MAX = 64;

    private final Cpu cpu;
    private final int fd;
    private final RequestHandler handler;
    private final SlotPool slots;
    private final Consumer<String> log;
    private final Runnable onEnd;
    private final MemorySegment errno = Arena.ofAuto().allocate(Libc.ERRNO_BYTES, 8);
    private final MemorySegment interruptReply = Arena.ofAuto().allocate(Wire.Out.BYTES, 8);
    /** Of the whole connection, this one included; set before the first request. */
    private Channel[] siblings;

    private EpollSleeper sleeper;
    private final Standby standby;
    private final NextLook nextLook = new NextLook();
    private final int cpuLatencyMicros;
    /** From the start on. */
    private PromptWaking promptWaking;

    private boolean ended;
    private boolean endReported;
    private int writeErrors;

    /**
     * @param fd a non-blocking /dev/fuse, owned from now on
     * @param standby whether its cpu sleeps on although there are requests
     * @param onEnd called once on the cpu, when the channel has ended and no request is in work
     */
    Channel(Cpu cpu, int fd, RequestHandler handler, Standby standby, FuseMountOptions options, Runnable onEnd) {
        this.cpu = cpu;
        this.fd = fd;
        this.handler = handler;
        this.standby = standby;
        this.cpuLatencyMicros = options.cpuLatencyMicros();
        this.slots = new SlotPool(SLOTS_MAX, options.readBytesMax(), Handshake.writeBytesMax(options));
        this.log = options.log();
        this.onEnd = onEnd;
    }

    int fd() {
        return fd;
    }

    Cpu cpu() {
        return cpu;
    }

    /** Whether a request could be taken now; if not, its arrival is no reason to stay awake. */
    boolean ready() {
        return !ended && !slots.exhausted();
    }

    Standby standby() {
        return standby;
    }

    PromptWaking promptWaking() {
        return promptWaking;
    }

    /** Starts taking requests. On the cpu. */
    void start(Channel[] connection) {
        cpu.assertCurrent();
        siblings = connection;
        promptWaking = new PromptWaking(cpu.lwkt().clock(), CpuLatencyQos.open(cpuLatencyMicros));
        sleeper = EpollSleeper.of(cpu);
        sleeper.add(this);
        cpu.attach(this);
    }

    @Override
    public boolean pollOne() {
        if (ended || !nextLook.isDue()) {
            return false;
        }
        Slot slot = slots.take();
        if (slot == null) {
            return false;
        }
        long bytes = Libc.read(errno, fd, slot.request(), slot.request().byteSize());
        nextLook.looked(bytes >= 0);
        if (bytes < 0) {
            slots.give(slot);
            return readFailed((int) -bytes);
        }
        standby.took();
        promptWaking.took();
        if (bytes >= Wire.In.BYTES && Wire.getInt(slot.request(), Wire.In.OPCODE) == Opcode.INTERRUPT) {
            interrupt(slot, bytes);
            slots.give(slot);
            return true;
        }
        int answerBytes = handler.handle(slot, bytes);
        // From here on the thread does not block; before, it may have, and the mount may have ended meanwhile.
        nextLook.answered();
        if (slot.end() && answerBytes != RequestHandler.NO_ANSWER && !ended) {
            answer(slot, answerBytes);
        }
        slots.give(slot);
        if (ended) {
            reportEnd();
        }
        return true;
    }

    /** @return whether there was something, so that the caller asks again */
    private boolean readFailed(int error) {
        return switch (error) {
            case Libc.EAGAIN -> false;
            // The request was taken back while it was read, or a signal came.
            case Libc.ENOENT, Libc.EINTR -> true;
            case Libc.ENODEV, Libc.ECONNABORTED -> {
                end();
                yield false;
            }
            default -> {
                log.accept("fuse: the connection ends, because reading a request failed: " + Libc.describe(error));
                end();
                yield false;
            }
        };
    }

    private void answer(Slot slot, int bytes) {
        long written = Libc.write(errno, fd, slot.reply(), bytes);
        if (written >= 0) {
            return;
        }
        switch ((int) -written) {
            // ENOENT: its caller was killed and waits no more. ENODEV: unmounted; the next read says so too.
            case Libc.ENOENT, Libc.ENODEV, Libc.EPERM -> {}
            default -> answerRefused(slot, (int) -written);
        }
    }

    /** The kernel did not like an answer, which is a mistake of ours; its caller must not wait for ever. */
    private void answerRefused(Slot slot, int error) {
        if (writeErrors++ < 10) {
            log.accept("fuse: the kernel refused the answer to request " + slot.opcode() + " on node " + slot.node()
                    + ": " + Libc.describe(error));
        }
        writeError(slot.unique(), FuseErrno.EIO);
    }

    private void writeError(long unique, FuseErrno error) {
        Wire.putInt(interruptReply, Wire.Out.LEN, Wire.Out.BYTES);
        Wire.putInt(interruptReply, Wire.Out.ERROR, -error.linux());
        Wire.putLong(interruptReply, Wire.Out.UNIQUE, unique);
        long ignored = Libc.write(errno, fd, interruptReply, Wire.Out.BYTES);
    }

    /** An INTERRUPT may arrive at any channel of the connection; the request that it means is at one of them. */
    private void interrupt(Slot slot, long bytes) {
        if (bytes < Wire.In.BYTES + Wire.InterruptIn.BYTES) {
            return;
        }
        long unique = Wire.getLong(slot.request(), Wire.In.BYTES + Wire.InterruptIn.UNIQUE);
        for (Channel sibling : siblings) {
            if (sibling == this) {
                abandon(unique);
            } else {
                sibling.cpu.post(() -> sibling.abandon(unique));
            }
        }
    }

    /**
     * Whoever asked is interrupted: it gets EINTR at once, and the handler goes on to its end for nobody. Who changes
     * something waits, as for any file system.
     */
    private void abandon(long unique) {
        Slot slot = ended ? null : slots.abandonable(unique);
        if (slot != null) {
            slot.abandon();
            writeError(unique, FuseErrno.EINTR);
        }
    }

    /** Stops, whether or not the kernel is done with the connection. On the cpu; a second time does nothing. */
    void end() {
        cpu.assertCurrent();
        if (ended) {
            return;
        }
        ended = true;
        cpu.detach(this);
        sleeper.remove(this);
        Libc.close(fd);
        promptWaking.close();
        reportEnd();
    }

    private void reportEnd() {
        if (slots.inUse() == 0 && !endReported) {
            endReported = true;
            onEnd.run();
        }
    }
}
