package io.hammer2.fuse;

/** A FUSE operation's answer when it is an error. It carries no stack: it is an answer, and not a fault of ours. */
public final class FuseException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final FuseErrno errno;

    FuseException(FuseErrno errno) {
        super(errno.name(), null, false, false);
        this.errno = errno;
    }

    public FuseErrno errno() {
        return errno;
    }
}
