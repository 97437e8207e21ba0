package io.hammer2.fuse.jnr;

import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A mount whose requests libfuse's own loop takes, on a thread that lives as long as the mount. */
final class JnrMount implements FuseMount {
    private static final long START_WAIT_SECONDS = 20;
    private static final long END_WAIT_SECONDS = 5;
    /** After a detach: time for requests in work. The loop itself ends with the last user. */
    private static final long DETACHED_WAIT_SECONDS = 1;

    private final HostMountPoint at;
    private final FuseMountOptions options;
    private final CountDownLatch ended = new CountDownLatch(1);

    private JnrMount(HostMountPoint at, FuseMountOptions options) {
        this.at = at;
        this.options = options;
    }

    static JnrMount start(HostMountPoint at, PathFileSystem paths, FuseMountOptions options) throws IOException {
        JnrMount mount = new JnrMount(at, options);
        paths.onExit(mount::close);
        Thread loop = new Thread(() -> mount.serve(paths), "fuse-jnr");
        loop.setDaemon(true);
        loop.start();
        mount.awaitStart(paths.initialized());
        at.mounted();
        return mount;
    }

    private void serve(PathFileSystem paths) {
        try {
            paths.mount(at.path(), true, false, paths.mountWords());
        } catch (RuntimeException e) {
            if (paths.initialized().getCount() == 0) {
                options.log().accept("fuse: the mount at " + at.path() + " ended: " + e.getMessage());
            }
        } finally {
            ended.countDown();
        }
    }

    private void awaitStart(CountDownLatch initialized) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_WAIT_SECONDS);
        try {
            while (!initialized.await(50, TimeUnit.MILLISECONDS)) {
                if (isUnmounted()) {
                    throw new IOException("cannot mount at " + at.path() + ": libfuse refused, its message is above");
                }
                if (System.nanoTime() > deadline) {
                    close();
                    throw new IOException("the kernel did not start the FUSE connection of " + at.path());
                }
            }
        } catch (InterruptedException e) {
            close();
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while mounting at " + at.path(), e);
        }
    }

    @Override
    public Path mountPoint() {
        return at.path();
    }

    @Override
    public void awaitUnmounted() throws InterruptedException {
        ended.await();
    }

    @Override
    public boolean isUnmounted() {
        return ended.getCount() == 0;
    }

    @Override
    public void unmount() throws IOException {
        if (!isUnmounted()) {
            at.unmount();
            awaitEnd(END_WAIT_SECONDS);
        }
    }

    @Override
    public void close() {
        if (isUnmounted()) {
            return;
        }
        try {
            unmount();
        } catch (IOException e) {
            detachAtEnd();
            awaitEnd(DETACHED_WAIT_SECONDS);
        }
    }

    @Override
    public void detach() throws IOException {
        if (!isUnmounted()) {
            at.detach();
        }
    }

    private void detachAtEnd() {
        try {
            detach();
        } catch (IOException e) {
            options.log().accept("fuse: " + e.getMessage());
        }
    }

    private void awaitEnd(long seconds) {
        try {
            if (!ended.await(seconds, TimeUnit.SECONDS)) {
                options.log().accept("fuse: " + at.path() + " is still in use; it ends with its last user");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
