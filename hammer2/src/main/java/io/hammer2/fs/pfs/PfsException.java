package io.hammer2.fs.pfs;

import java.util.Objects;

/** A change to the PFSs of a volume is refused. Expected in the course of work, so it carries no stack trace. */
public final class PfsException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Reason reason;

    /** Why. */
    public enum Reason {
        /** A PFS has that name. */
        EXISTS,
        /** No PFS has that name. */
        UNKNOWN,
        /** It is mounted. */
        MOUNTED,
        /** 32768 names have the same hash (format section 16.4). */
        HASH_BUCKET_FULL,
        NO_SPACE,
        /** What says which PFSs there are cannot be read. */
        DAMAGED
    }

    PfsException(Reason reason, String what) {
        super(what, null, false, false);
        this.reason = Objects.requireNonNull(reason);
    }

    public Reason reason() {
        return reason;
    }
}
