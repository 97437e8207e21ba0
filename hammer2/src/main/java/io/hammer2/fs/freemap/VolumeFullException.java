package io.hammer2.fs.freemap;

/** A commit found no place for a block, although space had been reserved for it: the free space is in too small pieces. */
public final class VolumeFullException extends RuntimeException {
    VolumeFullException() {
        super("no free space in one piece", null, false, false);
    }
}
