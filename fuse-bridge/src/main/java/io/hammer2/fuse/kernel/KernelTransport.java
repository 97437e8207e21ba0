package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.Path;

/** Speaks the kernel's FUSE protocol on /dev/fuse; Linux 5.4 and later. */
public final class KernelTransport implements FuseTransport {
    @Override
    public String name() {
        return "kernel";
    }

    @Override
    public FuseMount mount(Lwkt lwkt, Path mountPoint, FuseOperations operations, FuseMountOptions options)
            throws IOException {
        MountPoint at = MountPoint.prepare(mountPoint, options);
        int fd = at.mount();
        try {
            shakeHands(fd, options);
            return KernelMount.start(lwkt, at, fd, operations, options);
        } catch (IOException | RuntimeException e) {
            try {
                at.detach();
            } catch (IOException unmount) {
                e.addSuppressed(unmount);
            }
            throw e;
        }
    }

    private static void shakeHands(int fd, FuseMountOptions options) throws IOException {
        try {
            Handshake.run(fd, options);
        } catch (IOException | RuntimeException e) {
            Libc.close(fd);
            throw e;
        }
    }
}
