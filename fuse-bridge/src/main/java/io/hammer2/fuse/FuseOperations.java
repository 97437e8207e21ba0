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
 *
 * <p>What modifies is EROFS on a read-only mount. Names are bytes without a terminator, never empty and without NUL; new ones
 * never "." or "..". Permissions to read and write are the kernel's to check; {@link #open} checks what it does not know of
 * (immutable, append-only). There is no flush: whoever closes a file has its data here before.
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

    /** {@link #open}, {@link #create}: bits of open(2), with which 0 is O_RDONLY. */
    int OPEN_ACCESS_MODE = 3;

    int OPEN_WRITE_ONLY = 1;
    int OPEN_READ_WRITE = 2;
    int OPEN_TRUNCATE = 01000;
    int OPEN_APPEND = 02000;

    /** {@link #open}, none of open(2)'s: with O_TRUNC, whoever opens may not keep set-id bits. */
    int OPEN_DROP_SETID = 1 << 30;

    /** {@link #rename}: EEXIST for a new name that is there. */
    int RENAME_NOREPLACE = 1;

    /** {@link #rename}: both names, which must be there, change places. */
    int RENAME_EXCHANGE = 2;

    /** {@link #write}: the times stay; a kernel that caches writes sends those that it knows by a setattr of their own. */
    int WRITE_KEEP_TIMES = 1;

    /** {@link #write}: whoever writes may not keep set-id bits. */
    int WRITE_DROP_SETID = 2;

    /** {@link #fallocate}: the size stays. */
    int FALLOCATE_KEEP_SIZE = 1;

    /** {@link #fallocate}: the range becomes a hole; always with {@link #FALLOCATE_KEEP_SIZE}. */
    int FALLOCATE_PUNCH_HOLE = 2;

    /** {@link #fallocate}: the range reads as zeros. */
    int FALLOCATE_ZERO_RANGE = 0x10;

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
     * Whether {@link #open} does nothing. If so, a transport may stop calling it and {@link #release}, which makes open and
     * close half as dear again, and passes 0 as the handle. The same answer as long as the mount lives.
     */
    boolean opensAreStateless();

    /** As {@link #opensAreStateless}, of {@link #opendir} and {@link #releasedir}. */
    boolean opendirsAreStateless();

    /** Whether what is read of an open node may be kept for the next opening; not where it may change without a word to the kernel. */
    default boolean isCacheable(long node) {
        return true;
    }

    /**
     * A node stays, even without a name, until each open was released.
     *
     * @param flags of open(2), without O_CREAT and O_EXCL; O_TRUNC is this operation's to do
     * @return a handle that is passed to the operations on the open file, not negative
     */
    long open(FuseCall call, long node, int flags);

    /**
     * Makes a regular file and opens it.
     *
     * @param mode permission bits 07777, after the umask
     * @param flags as of {@link #open}
     * @return a handle, not negative; EEXIST when the name is there
     */
    long create(FuseCall call, long parent, MemorySegment name, int mode, int flags, NodeAttributes into);

    /** As {@link #create} of a file without a name, which {@link #link} may give it one: O_TMPFILE. */
    long tmpfile(FuseCall call, long parent, int mode, int flags, NodeAttributes into);

    /** @param mode type and permission bits, after the umask; no directory and no symbolic link */
    void mknod(FuseCall call, long parent, MemorySegment name, int mode, int major, int minor, NodeAttributes into);

    /** @param mode permission bits 07777, after the umask */
    void mkdir(FuseCall call, long parent, MemorySegment name, int mode, NodeAttributes into);

    void symlink(FuseCall call, long parent, MemorySegment name, MemorySegment target, NodeAttributes into);

    /** Gives a node, which is no directory, another name. */
    void link(FuseCall call, long node, long parent, MemorySegment name, NodeAttributes into);

    void unlink(FuseCall call, long parent, MemorySegment name);

    void rmdir(FuseCall call, long parent, MemorySegment name);

    /** @param flags {@link #RENAME_NOREPLACE} or {@link #RENAME_EXCHANGE}, EINVAL for others */
    void rename(FuseCall call, long parent, MemorySegment name, long newParent, MemorySegment newName, int flags);

    /**
     * Changes attributes, all or none.
     *
     * @param into what they are then
     */
    void setattr(FuseCall call, long node, NodeChange change, NodeAttributes into);

    /**
     * @param flags {@link #WRITE_KEEP_TIMES}, {@link #WRITE_DROP_SETID}
     * @return bytes written; fewer than {@code from} has is an error to a kernel that caches
     */
    int write(FuseCall call, long node, long handle, long offset, MemorySegment from, int flags);

    /**
     * Returns when a file or directory is durable.
     *
     * @param dataOnly its times need not be
     */
    void fsync(FuseCall call, long node, boolean dataOnly);

    /** Returns when everything is durable that was done before. */
    void syncfs(FuseCall call);

    /** @param mode {@code FALLOCATE_} bits, 0: the file is at least as long as the range; ENOTSUP for others */
    void fallocate(FuseCall call, long node, long handle, long offset, long length, int mode);

    /** @return bytes copied, fewer at the end of the source or because a part is enough for one request */
    long copyFileRange(
            FuseCall call, long node, long handle, long offset, long toNode, long toHandle, long toOffset, long length);

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
