package io.hammer2.fs.freemap;

/**
 * What a merge changed, in granules.
 *
 * @param staged from allocated to "possibly free"
 * @param freed from "possibly free" to free
 * @param restored from "possibly free" to allocated, since something refers to them
 * @param stagedNow "possibly free" after it
 * @param wereFree to allocated although they were free, or in a state that does not exist: the freemap was wrong
 */
record MergeCounts(long staged, long freed, long restored, long stagedNow, long wereFree) {
    static final MergeCounts NONE = new MergeCounts(0, 0, 0, 0, 0);

    MergeCounts plus(MergeCounts other) {
        return new MergeCounts(
                staged + other.staged,
                freed + other.freed,
                restored + other.restored,
                stagedNow + other.stagedNow,
                wereFree + other.wereFree);
    }
}
