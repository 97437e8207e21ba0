package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A mount in the kernel and the {@link Connection} that serves it. Its methods are for foreign threads. */
final class KernelMount implements FuseMount {
    private static final long END_WAIT_SECONDS = 5;

    private final MountPoint at;
    private final MountTable.Entry identity;
    private final FuseMountOptions options;
    private final Connection connection;
    private final KernelCache kernelCache;
    private final Thread atExit = new Thread(this::close, "fuse-unmount");

    private KernelMount(
            MountPoint at,
            MountTable.Entry identity,
            FuseMountOptions options,
            KernelCache kernelCache,
            Connection connection) {
        this.at = at;
        this.identity = identity;
        this.options = options;
        this.kernelCache = kernelCache;
        this.connection = connection;
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
        KernelCache kernelCache = kernelCache(fd);
        RequestHandler handler = new RequestHandler(operations, options, kernelCache);
        Connection connection;
        try {
            connection = Connection.open(lwkt, fd, at::anotherQueue, handler, options);
        } catch (IOException | RuntimeException | Error e) {
            kernelCache.close();
            throw e;
        }
        KernelMount mount = new KernelMount(at, identity, options, kernelCache, connection);
        connection.start();
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

    @Override
    public Path mountPoint() {
        return at.path();
    }

    @Override
    public void awaitUnmounted() throws InterruptedException {
        connection.awaitEnd();
        kernelCache.close();
        forgetAtExit();
    }

    @Override
    public boolean isUnmounted() {
        return connection.isOver();
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
            connection.end();
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

    private void awaitEnd() {
        try {
            if (!connection.awaitEnd(END_WAIT_SECONDS, TimeUnit.SECONDS)) {
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
