package io.hammer2.fs;

/** What to do with a range of a file: fallocate(2). */
public enum AllocateMode {
    /** The file is at least as long as the range reaches. */
    EXTEND,
    /** Nothing changes: the media keep no space for what is not written. */
    KEEP_SIZE,
    /** The range becomes a hole; the size stays. */
    PUNCH_HOLE,
    /** The range reads as zeros, and the file is at least as long as it reaches. */
    ZERO_RANGE,
    /** The range reads as zeros; the size stays. */
    ZERO_RANGE_KEEP_SIZE
}
