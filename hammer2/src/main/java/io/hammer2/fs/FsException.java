package io.hammer2.fs;

import java.util.Objects;

/** An operation's answer when it is an error. Expected in the course of work, so it carries no stack trace. */
public final class FsException extends RuntimeException {
    private final Errno errno;

    /** @param what what was asked for and why it cannot be had, for a log line */
    public FsException(Errno errno, String what) {
        super(what, null, false, false);
        this.errno = Objects.requireNonNull(errno);
    }

    public Errno errno() {
        return errno;
    }

    /** What was asked for and why it cannot be had. */
    public String what() {
        return super.getMessage();
    }

    @Override
    public String getMessage() {
        return errno + ": " + super.getMessage();
    }
}
