package io.hammer2.fuse.kernel;

import io.hammer2.lwkt.Clock;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Sleeper;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a cpu sleeps: in one epoll_wait for requests of its channels and for its bell, an eventfd.
 *
 * <p>The channels of one connection share their arrivals, so they are watched with EPOLLEXCLUSIVE: a request wakes one sleeping
 * cpu and not all. A channel that could not take a request is not watched, or the sleep would end at once again and again;
 * nor is one whose {@link Standby} pauses.
 */
final class EpollSleeper implements Sleeper {
    private static final int EVENTS_MAX = 4;

    /** A cpu that is gone, and nobody who could still ring: only then may the descriptors' numbers be used again. */
    private static final Cleaner CLEANER = Cleaner.create();

    private final Clock clock;
    private final int epoll;
    private final int bell;
    private final List<Channel> channels = new ArrayList<>();
    private final List<Channel> watched = new ArrayList<>();
    private final MemorySegment errno;
    private final MemorySegment events;
    private final MemorySegment timespec;
    private final MemorySegment counter;
    /** Of whoever rings, on any thread: one long 1 that is never changed. */
    private final MemorySegment one;

    private EpollSleeper(Clock clock) {
        this.clock = clock;
        Arena arena = Arena.ofAuto();
        this.errno = arena.allocate(Libc.ERRNO_BYTES, 8);
        this.events = arena.allocate((long) Libc.EPOLL_EVENT_BYTES * EVENTS_MAX, 8);
        this.timespec = arena.allocate(16, 8);
        this.counter = arena.allocate(8, 8);
        this.one = arena.allocate(8, 8);
        Wire.putLong(one, 0, 1);
        this.epoll = checked(Libc.epollCreate());
        this.bell = checked(Libc.eventfd());
        checked(Libc.epollSet(epoll, bell, Libc.EPOLLIN));
        int epollToClose = epoll;
        int bellToClose = bell;
        CLEANER.register(this, () -> {
            Libc.close(epollToClose);
            Libc.close(bellToClose);
        });
    }

    /** The sleeper of the cpu that runs this, from the first FUSE mount on it for the rest of its life. */
    static EpollSleeper of(Cpu cpu) {
        cpu.assertCurrent();
        if (cpu.sleeper() instanceof EpollSleeper present) {
            return present;
        }
        EpollSleeper fresh = new EpollSleeper(cpu.lwkt().clock());
        cpu.sleeper(fresh);
        return fresh;
    }

    private static int checked(int result) {
        if (result < 0) {
            throw new IllegalStateException("the cpu has nowhere to sleep: " + Libc.describe(result));
        }
        return result;
    }

    /** On the cpu. */
    void add(Channel channel) {
        channels.add(channel);
    }

    /** On the cpu, before the channel's descriptor is closed. */
    void remove(Channel channel) {
        channels.remove(channel);
        if (watched.remove(channel)) {
            checked(Libc.epollSet(epoll, channel.fd(), 0));
        }
    }

    @Override
    public void sleep(long nanosMax) {
        long nanos = Math.min(nanosMax, watchReady());
        int ready = Libc.epollWait(errno, epoll, events, EVENTS_MAX, timespec, nanos);
        if (ready < 0 && ready != -Libc.EINTR) {
            checked(ready);
        }
        for (int i = 0; i < ready; i++) {
            int fd = Libc.eventDescriptor(events, i);
            if (fd == bell) {
                long ignored = Libc.read(errno, bell, counter, 8); // silent again
            } else {
                woken(fd);
            }
        }
    }

    /**
     * @return nanoseconds after which the sleep has to end, to watch a channel that pauses, or to let processors sleep deeply;
     *     {@code Long.MAX_VALUE} for neither
     */
    private long watchReady() {
        long nanosMax = Long.MAX_VALUE;
        long now = clock.nanoTime();
        for (int i = 0; i < channels.size(); i++) {
            Channel channel = channels.get(i);
            nanosMax = Math.min(nanosMax, channel.promptWaking().untilReleaseNanos(now));
            long pauseNanos = channel.standby().pauseNanos(now);
            if (pauseNanos > 0) {
                nanosMax = Math.min(nanosMax, pauseNanos);
            }
            boolean isWatched = watched.contains(channel);
            if ((channel.ready() && pauseNanos == 0) != isWatched) {
                checked(Libc.epollSet(epoll, channel.fd(), isWatched ? 0 : Libc.EPOLLIN | Libc.EPOLLEXCLUSIVE));
                if (isWatched) {
                    watched.remove(channel);
                } else {
                    watched.add(channel);
                }
            }
        }
        return nanosMax;
    }

    private void woken(int fd) {
        for (int i = 0; i < channels.size(); i++) {
            if (channels.get(i).fd() == fd) {
                channels.get(i).standby().woken();
            }
        }
    }

    @Override
    public long spinNanos() {
        return 0;
    }

    @Override
    public void wake() {
        Libc.ring(bell, one);
    }
}
