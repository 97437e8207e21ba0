package io.hammer2.fs.freemap;

/** A walk of the volume's metadata would need more memory than it may take; the message says of what. */
public final class OutOfMemoryBudgetException extends RuntimeException {
    OutOfMemoryBudgetException(String message) {
        super(message, null, false, false);
    }
}
