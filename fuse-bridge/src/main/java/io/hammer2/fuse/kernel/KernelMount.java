package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A mount served by one {@link Channel} per cpu. Its methods are for foreign threads; the channels belong to their cpus. */
final class KernelMount implements FuseMount {
    private static final long END_WAIT_SECONDS = 5;

    private final MountPoint at;
    private final MountTable.Entry identity;
    private final FuseMountOptions options;
    private final Channel[] channels;
    private final KernelCache kernelCache;
    private final CountDownLatch running;
    private final Thread atExit = new Thread(this::close, "fuse-unmount");

    private KernelMount(
            MountPoint at, MountTable.Entry identity, FuseMountOptions options, KernelCache kernelCache, int cpus) {
        this.at = at;
        this.identity = identity;
        this.options = options;
        this.channels = new Channel[cpus];
        this.kernelCache = kernelCache;
        this.running = new CountDownLatch(cpus);
    }

    /** @param fd of the connection after its handshake; owned from now on */
    static KernelMount start(Lwkt lwkt, MountPoint at, int fd, FuseOperations operations, FuseMountOptions options)
            throws IOException {
        MountTable.Entry identity = MountTable.topmostAt(at.path()).orElse(null);
        if (identity == null) {
            Libc.close(fd);
            throw new IOException(at.path() + " was unmounted at once");
        }
        at.widenCaching();
        if (options.cpuLatencyMicros() >= 0
                && options.cpuLatencyMicros() != FuseMountOptions.CPU_LATENCY_ANY
                && !CpuLatencyQos.isPermitted()) {
            options.log().accept("fuse: cpu_latency has no effect: only root may bound it here");
        }
        KernelMount mount = new KernelMount(at, identity, options, kernelCache(fd), lwkt.cpuCount());
        mount.openChannels(lwkt, fd, new RequestHandler(operations, options, mount.kernelCache));
        for (Channel channel : mount.channels) {
            onCpu(lwkt, channel.cpu().id(), () -> {
                channel.start(mount.channels);
                return channel;
            });
        }
        Runtime.getRuntime().addShutdownHook(mount.atExit);
        return mount;
    }

    private static KernelCache kernelCache(int fd) throws IOException {
        try {
            return new KernelCache(fd);
        } catch (IOException e) {
            Libc.close(fd);
            throw e;
        }
    }

    private void openChannels(Lwkt lwkt, int fd, RequestHandler handler) throws IOException {
        int made = 0;
        try {
            for (; made < channels.length; made++) {
                int queue = made == 0 ? fd : at.anotherQueue(fd);
                // The first cpu is where file systems do what is common to all: the last one is the most likely to have
                // time.
                Standby standby = new Standby(made == channels.length - 1);
                channels[made] = new Channel(lwkt.cpu(made), queue, handler, standby, options, running::countDown);
            }
        } finally {
            if (made < channels.length) {
                kernelCache.close();
                Libc.close(fd);
                for (int i = 1; i < made; i++) {
                    Libc.close(channels[i].fd());
                }
            }
        }
    }

    private static <T> T onCpu(Lwkt lwkt, int cpu, Callable<T> body) {
        try {
            return lwkt.run(cpu, body);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("a cpu cannot serve the mount", e);
        }
    }

    @Override
    public Path mountPoint() {
        return at.path();
    }

    @Override
    public void awaitUnmounted() throws InterruptedException {
        running.await();
        kernelCache.close();
        forgetAtExit();
    }

    @Override
    public boolean isUnmounted() {
        return running.getCount() == 0;
    }

    @Override
    public void unmount() throws IOException {
        if (isUnmounted() || !isInTree()) {
            return;
        }
        at.unmount();
        awaitEnd();
        forgetAtExit();
    }

    /**
     * @return false when somebody unmounted it already (lazily, while it is still in use)
     * @throws IOException when something else was mounted over it
     */
    private boolean isInTree() throws IOException {
        Optional<MountTable.Entry> topmost = MountTable.topmostAt(at.path());
        if (topmost.isPresent() && topmost.get().id() == identity.id()) {
            return true;
        }
        if (MountTable.contains(identity.id())) {
            throw new IOException("cannot unmount " + at.path() + ": something else is mounted over it");
        }
        return false;
    }

    @Override
    public void close() {
        try {
            unmount();
        } catch (IOException e) {
            detachAtEnd();
        }
        kernelCache.close();
        if (!isUnmounted()) {
            endChannels();
            awaitEnd();
        }
        forgetAtExit();
    }

    @Override
    public void detach() throws IOException {
        if (!isUnmounted() && isInTree()) {
            at.detach();
        }
    }

    private void detachAtEnd() {
        at.flushCache();
        try {
            detach();
        } catch (IOException e) {
            options.log().accept("fuse: " + e.getMessage());
        }
    }

    /** With the last descriptor the kernel ends the connection: whoever still uses it gets ENOTCONN. */
    private void endChannels() {
        for (Channel channel : channels) {
            try {
                channel.cpu().post(channel::end);
            } catch (IllegalStateException e) {
                return; // the cpus are gone already, and with the process go the descriptors
            }
        }
    }

    private void awaitEnd() {
        try {
            if (!running.await(END_WAIT_SECONDS, TimeUnit.SECONDS)) {
                options.log().accept("fuse: requests are still in work at the end of " + at.path());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void forgetAtExit() {
        if (Thread.currentThread() == atExit) {
            return;
        }
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // The JVM is ending: the hook runs or has run.
        }
    }
}
