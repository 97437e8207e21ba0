package io.hammer2.fs;

/**
 * A volume cannot be opened or a PFS cannot be mounted. The message is for people: what is wrong, and what to do next; it may
 * have several lines.
 */
public final class Hammer2Exception extends Exception {
    public Hammer2Exception(String message) {
        super(message);
    }

    public Hammer2Exception(String message, Throwable cause) {
        super(message, cause);
    }
}
