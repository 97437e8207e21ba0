package io.hammer2.fuse;

import java.util.EnumMap;
import java.util.Map;

/** A FUSE operation's answer when it is an error. It carries no stack: it is an answer, and not a fault of ours. */
public final class FuseException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private static final Map<FuseErrno, FuseException> BY_ERRNO = new EnumMap<>(FuseErrno.class);

    static {
        for (FuseErrno errno : FuseErrno.values()) {
            BY_ERRNO.put(errno, new FuseException(errno));
        }
    }

    private final FuseErrno errno;

    private FuseException(FuseErrno errno) {
        super(errno.name(), null, false, false);
        this.errno = errno;
    }

    static FuseException of(FuseErrno errno) {
        return BY_ERRNO.get(errno);
    }

    public FuseErrno errno() {
        return errno;
    }
}
