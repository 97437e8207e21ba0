package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** The channels of one connection, one on each cpu, from the first request to the last. Its methods are for foreign threads. */
final class Connection {
    private final Lwkt lwkt;
    private final Channel[] channels;
    private final CountDownLatch running;

    private Connection(Lwkt lwkt) {
        this.lwkt = lwkt;
        this.channels = new Channel[lwkt.cpuCount()];
        this.running = new CountDownLatch(channels.length);
    }

    /** Where the further cpus get their requests from. */
    @FunctionalInterface
    interface Queues {
        /** @param fd of the first cpu, which stays open */
        int another(int fd) throws IOException;
    }

    /** @param fd after its handshake, non-blocking; owned from now on, also if this throws */
    static Connection open(Lwkt lwkt, int fd, Queues queues, RequestHandler handler, FuseMountOptions options)
            throws IOException {
        Connection connection = new Connection(lwkt);
        connection.openChannels(fd, queues, handler, options);
        return connection;
    }

    private void openChannels(int fd, Queues queues, RequestHandler handler, FuseMountOptions options)
            throws IOException {
        int made = 0;
        try {
            for (; made < channels.length; made++) {
                int queue = made == 0 ? fd : queues.another(fd);
                // The first cpu is where file systems do what is common to all: the last one is the most likely to have
                // time.
                Standby standby = new Standby(made == channels.length - 1);
                channels[made] = new Channel(lwkt.cpu(made), queue, handler, standby, options, running::countDown);
            }
        } finally {
            if (made < channels.length) {
                Libc.close(fd);
                for (int i = 1; i < made; i++) {
                    Libc.close(channels[i].fd());
                }
            }
        }
    }

    /** Takes requests from now on. */
    void start() {
        for (Channel channel : channels) {
            onCpu(channel.cpu().id(), () -> {
                channel.start(channels);
                return channel;
            });
        }
    }

    private <T> T onCpu(int cpu, Callable<T> body) {
        try {
            return lwkt.run(cpu, body);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("a cpu cannot serve the mount", e);
        }
    }

    /** With the last descriptor the kernel ends the connection: whoever still uses it gets ENOTCONN. */
    void end() {
        for (Channel channel : channels) {
            try {
                channel.cpu().post(channel::end);
            } catch (IllegalStateException e) {
                return; // the cpus are gone already, and with the process go the descriptors
            }
        }
    }

    /** Whether it has ended and no request is in work. */
    boolean isOver() {
        return running.getCount() == 0;
    }

    void awaitEnd() throws InterruptedException {
        running.await();
    }

    /** @return whether it {@link #isOver()} in time */
    boolean awaitEnd(long timeout, TimeUnit unit) throws InterruptedException {
        return running.await(timeout, unit);
    }
}
