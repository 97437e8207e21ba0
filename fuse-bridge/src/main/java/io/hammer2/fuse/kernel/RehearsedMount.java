package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMount;
import java.nio.file.Path;

/** What {@link RehearsedTransport} mounts: it is in no tree of directories, and used by its {@link RehearsedKernel} alone. */
public final class RehearsedMount implements FuseMount {
    private final Path mountPoint;
    private final Connection connection;
    private final KernelCache kernelCache;
    private final RehearsedKernel kernel;

    RehearsedMount(Path mountPoint, Connection connection, KernelCache kernelCache, RehearsedKernel kernel) {
        this.mountPoint = mountPoint;
        this.connection = connection;
        this.kernelCache = kernelCache;
        this.kernel = kernel;
    }

    @Override
    public Path mountPoint() {
        return mountPoint;
    }

    @Override
    public void awaitUnmounted() throws InterruptedException {
        connection.awaitEnd();
    }

    @Override
    public boolean isUnmounted() {
        return connection.isOver();
    }

    @Override
    public void unmount() {
        close();
    }

    @Override
    public void detach() {
        close();
    }

    @Override
    public void close() {
        if (connection.isOver()) {
            return;
        }
        connection.end();
        try {
            connection.awaitEnd();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        kernelCache.close();
        kernel.close();
    }
}
