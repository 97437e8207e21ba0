package io.hammer2.lwkt;

/** Thrown at the blocking call of a thread, or at the waiter for a message, that someone aborted. */
public final class AbortException extends RuntimeException {
    AbortException(String what) {
        super(what, null, false, false);
    }
}
