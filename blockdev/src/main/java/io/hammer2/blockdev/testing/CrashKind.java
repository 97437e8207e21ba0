package io.hammer2.blockdev.testing;

/** Which of the writes that no flush had made durable a crash state contains. */
public enum CrashKind {
    /** All: with the points, every prefix of what was written between two flushes. */
    ALL,
    /** None: the medium kept nothing that it had not promised. */
    NONE,
    /** Only the last: the header that overtook what it points to. */
    LAST,
    /** A subset from the seed. */
    SUBSET,
    /** A subset from the seed with one or more of its writes torn. */
    TORN
}
