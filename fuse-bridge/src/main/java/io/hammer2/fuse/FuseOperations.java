package io.hammer2.fuse;

import java.lang.foreign.MemorySegment;

/**
 * A file system as a transport sees it: operations on node ids, of which 1 is the root. The shape is the FUSE kernel
 * protocol's; a transport with paths walks them by {@link #lookup}.
 *
 * <p>Each operation is called on an LWKT thread of any cpu, several at once, and may block. It answers by returning, and with
 * an error by throwing {@link FuseErrno#exception()}; any other exception is reported by the transport and answered with EIO.
 * Segments and result objects belong to the transport and are valid until the operation returns.
 *
 * <p>Node ids are stable: 1 is the root, and an id means the same node as long as the mount lives or until it is forgotten.
 */
public interface FuseOperations {
    long ROOT = 1;

    /** {@link #lseek}: the next byte at or after the offset that is not in a hole. */
    int SEEK_DATA = 3;

    /** {@link #lseek}: the next hole at or after the offset; the end of the file is one. */
    int SEEK_HOLE = 4;

    /** {@link #access}: bits of the mask. */
    int ACCESS_EXECUTE = 1;

    int ACCESS_WRITE = 2;
    int ACCESS_READ = 4;

    /**
     * Finds a name in a directory. {@code "."} and {@code ".."} are asked for too (a file handle of an NFS server, opened
     * after its node was forgotten).
     *
     * @param name without a terminator, never empty, at most 4,095 bytes: a name too long for the file system is its to refuse
     * @return whether there is such a name
     */
    boolean lookup(FuseCall call, long parent, MemorySegment name, NodeAttributes into);

    /** The kernel no longer knows the node from {@code lookups} of its lookups. Has no answer and must not block. */
    void forget(long node, long lookups);

    void getattr(FuseCall call, long node, NodeAttributes into);

    /** @return bytes of the target put into {@code into}, which holds 4,095 at least */
    int readlink(FuseCall call, long node, MemorySegment into);

    /**
     * Whether {@link #open} and {@link #opendir} do anything. If not, a transport may stop calling them and their
     * counterparts, which makes open and close half as dear again, and passes 0 as the handle.
     */
    boolean opensAreStateless();

    /**
     * @param flags of open(2), without O_CREAT and O_EXCL
     * @return a handle that is passed to the operations on the open file
     */
    long open(FuseCall call, long node, int flags);

    /** @return bytes read; fewer than {@code into} holds only at the end of the file */
    int read(FuseCall call, long node, long handle, long offset, MemorySegment into);

    void release(long node, long handle);

    /** @return a handle that is passed to {@link #readdir} and {@link #releasedir} */
    long opendir(FuseCall call, long node);

    /**
     * Lists a directory from {@code cookie} (0: from the start, {@code "."} and {@code ".."} included) until the sink is full
     * or the directory ends. A cookie once given stays valid, in this opening of the directory and in any other.
     */
    void readdir(FuseCall call, long node, long handle, long cookie, DirectorySink sink);

    void releasedir(long node, long handle);

    void statfs(FuseCall call, VolumeStatistics into);

    /**
     * Checks the access that {@code mask} asks for, EACCES when it is refused. Not called for a mount with {@code
     * default_permissions}, where the kernel checks by itself.
     */
    void access(FuseCall call, long node, int mask);

    /**
     * @param whence {@link #SEEK_DATA} or {@link #SEEK_HOLE}
     * @return the offset; ENXIO when there is none or the offset is not inside the file
     */
    long lseek(FuseCall call, long node, long handle, long offset, int whence);

    /**
     * A control request whose number tells what goes in and out, ENOTTY when it is unknown.
     *
     * @param in what the caller passed, 0 bytes when nothing goes in
     * @param out zeroed, what the caller gets, 0 bytes when nothing comes out
     * @return the result of ioctl(2), not negative
     */
    int ioctl(FuseCall call, long node, int command, MemorySegment in, MemorySegment out);
}
