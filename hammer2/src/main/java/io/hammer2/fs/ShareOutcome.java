package io.hammer2.fs;

/** What became of two blocks that were to become one. */
public enum ShareOutcome {
    /** The second place refers to the first block now. */
    SHARED(1),
    /** They were one already. */
    ONE_ALREADY(2),
    /** The first file is gone, or has another block there by now. */
    FIRST_CHANGED(3),
    /** The second file is gone, or has another block there by now. */
    SECOND_CHANGED(4),
    /** Their check codes are equal and their contents are not. */
    DIFFERENT(5),
    /** One of them cannot be read; the log says which. */
    DAMAGED(6);

    private final int code;

    ShareOutcome(int code) {
        this.code = code;
    }

    /** The number by which control requests know it. */
    public int code() {
        return code;
    }

    /** @throws IllegalArgumentException for a number of none */
    public static ShareOutcome of(int code) {
        for (ShareOutcome outcome : values()) {
            if (outcome.code == code) {
                return outcome;
            }
        }
        throw new IllegalArgumentException("outcome " + code);
    }
}
