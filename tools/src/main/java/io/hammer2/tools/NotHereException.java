package io.hammer2.tools;

/** What is asked of a server, the process that asks has to do by itself. */
final class NotHereException extends Exception {
    private static final long serialVersionUID = 1L;

    NotHereException(String why) {
        super(why, null, false, false);
    }
}
