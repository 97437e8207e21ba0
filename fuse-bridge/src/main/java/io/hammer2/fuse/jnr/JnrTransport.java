package io.hammer2.fuse.jnr;

import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Serves through jnr-fuse. What libfuse 2.9 does not know is missing: birth times, SEEK_HOLE and SEEK_DATA, attributes together
 * with names, O_TMPFILE, RENAME_EXCHANGE, copies by sharing; reads and writes are 128 KiB at most, written data is not cached, and
 * an interrupted caller waits until its operation ends. A file that is unlinked while it is open is a hidden name until it is
 * closed ({@code .fuse_hidden...}).
 */
public final class JnrTransport implements FuseTransport {
    @Override
    public String name() {
        return "jnr";
    }

    @Override
    public FuseMount mount(Lwkt lwkt, Path mountPoint, FuseOperations operations, FuseMountOptions options)
            throws IOException {
        HostMountPoint at = HostMountPoint.prepare(mountPoint, options);
        PathFileSystem paths;
        try {
            paths = new PathFileSystem(new PathOperations(lwkt, operations, options), options);
        } catch (LinkageError | RuntimeException e) {
            throw new IOException(
                    "transport=jnr needs libfuse 2 (Debian package libfuse2; macOS: macFUSE): " + e.getMessage(), e);
        }
        return JnrMount.start(at, paths, options);
    }
}
