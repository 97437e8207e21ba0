package io.hammer2.lwkt;

/** Nothing can run, something waits, and nothing outside the stepped world can end the wait. The message is the wait graph. */
public final class DeadlockException extends IllegalStateException {
    DeadlockException(String message) {
        super(message);
    }
}
