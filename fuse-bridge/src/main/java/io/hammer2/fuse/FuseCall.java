package io.hammer2.fuse;

/** Who asks: the calling process of a request. Valid until the operation returns. */
public interface FuseCall {
    /** File-system user id of the caller; -1 when the kernel does not tell it. */
    int uid();

    int gid();

    /** Process id in the mount's pid namespace, 0 for requests of the kernel itself (read-ahead). */
    int pid();

    /** Whether the caller was interrupted meanwhile and nobody waits for the answer any more. */
    boolean interrupted();

    /**
     * Whether the caller's kernel keeps the times of files itself and will set them (WRITEBACK_CACHE): it trusts its own, so what is
     * modified for it must not get others.
     */
    boolean keepsTimes();
}
