package io.hammer2.fs.sweep;

/** How far a sweep over files is, or what it came to, as far as all of them have it in common. */
public interface SweepReport {
    /** Files met, of a sweep that goes over them more than once in this pass. */
    long fileCount();

    /** Stored size of the blocks that were looked at. */
    long scannedBytes();

    /** Blocks in the place of which there is another one now, so that bulkfree may find space to give back. */
    long changedBlocks();

    /** What could not be read, or not to its end. */
    long unreadableCount();
}
