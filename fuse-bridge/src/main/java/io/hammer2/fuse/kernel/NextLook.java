package io.hammer2.fuse.kernel;

/**
 * Whether a cpu that has answered a request looks at once for the next one. A look is a system call, and one client never has a next one ready:
 * then the sleep, which has to come anyway, tells when there is one. Of many clients one mostly has, and a sleep before each would be the call too
 * many. So a look that found nothing is not repeated for a while.
 *
 * <p>Belongs to its cpu.
 */
final class NextLook {
    /** Requests after which it is tried again. */
    static final int REQUESTS_PER_TRY = 16;

    private boolean answered;
    private boolean tries;
    private boolean mostlyFinds = true;
    private int left;

    /** A request was answered. */
    void answered() {
        answered = true;
    }

    /** @return whether to look now; if not, the next call is true */
    boolean isDue() {
        tries = answered;
        answered = false;
        if (!tries || mostlyFinds || --left <= 0) {
            return true;
        }
        tries = false;
        return false;
    }

    /** The outcome of a look that was due. */
    void looked(boolean found) {
        if (tries) {
            mostlyFinds = found;
            left = REQUESTS_PER_TRY;
            tries = false;
        }
    }
}
