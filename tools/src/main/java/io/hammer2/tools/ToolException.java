package io.hammer2.tools;

/** A command cannot do what it was asked. The message is for people: what is wrong, and what to do next. */
final class ToolException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int exitCode;

    /** An error of the kind that the command has one exit code for. */
    ToolException(String message) {
        this(message, 0, null);
    }

    ToolException(String message, Throwable cause) {
        this(message, 0, cause);
    }

    /** @param exitCode other than the command's usual one for errors, or 0 */
    ToolException(String message, int exitCode, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    int exitCodeOr(int usual) {
        return exitCode == 0 ? usual : exitCode;
    }
}
