package io.hammer2.fuse;

import java.io.IOException;
import java.nio.file.Path;

/** One mounted file system, from the moment it can be used until it is unmounted. */
public interface FuseMount extends AutoCloseable {
    /** Absolute, without symbolic links. */
    Path mountPoint();

    /** Blocks the calling thread, which is no LWKT thread, until the file system is unmounted and no request is in work. */
    void awaitUnmounted() throws InterruptedException;

    boolean isUnmounted();

    /**
     * Unmounts; from any foreign thread, and does nothing when it is unmounted already.
     *
     * @throws IOException when the file system is in use (EBUSY), or by what else umount(2) says
     */
    void unmount() throws IOException;

    /**
     * Takes it out of the tree of directories, in use or not; who uses it still is served until he has done, or {@link #close}. Blocks the
     * calling thread, which is a foreign one.
     *
     * @throws IOException by what umount(2) says
     */
    void detach() throws IOException;

    /**
     * Unmounts in any case, as for a signal: what is still in use is detached from the tree, and who uses it gets ENOTCONN.
     * Waits until no request is in work, for some seconds at most.
     */
    @Override
    void close();
}
