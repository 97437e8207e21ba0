package io.hammer2.fuse;

import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.Path;

/** A way of serving {@link FuseOperations} at a directory of the host. */
public interface FuseTransport {
    /** As in the option {@code transport=}. */
    String name();

    /**
     * Mounts, and returns when the file system can be used. A mount left behind there by a dead server is detached first. The
     * JVM's end unmounts it.
     *
     * @param lwkt whose cpus run the operations; DEDICATED
     * @throws IOException with what the user can do about it: no such directory, no permission, no FUSE on this host
     */
    FuseMount mount(Lwkt lwkt, Path mountPoint, FuseOperations operations, FuseMountOptions options) throws IOException;
}
