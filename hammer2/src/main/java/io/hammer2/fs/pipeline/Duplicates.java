package io.hammer2.fs.pipeline;

import io.hammer2.fs.media.BlockRef;

/** Blocks that are on the medium already, or on their way to it, and that a new one of the same content can share. On the volume cpu. */
public interface Duplicates {
    /** Knows none. */
    Duplicates NONE = new Duplicates() {
        @Override
        public long dataOffOf(OutgoingBlock block) {
            return UNKNOWN;
        }

        @Override
        public void written(OutgoingBlock block, BlockRef ref) {}
    };

    /** {@link #dataOffOf}: there is none. */
    long UNKNOWN = -1;

    /**
     * The place of a block with the same stored bytes and encoding. It is allocated, and stays so until the commit is over; whether the
     * content is the same was found out by comparing it.
     *
     * @param block encoded and checked
     * @return {@code data_off}, or {@link #UNKNOWN}
     */
    long dataOffOf(OutgoingBlock block);

    /**
     * A block of file data was given a place of its own, and is about to be written.
     *
     * @param ref finished; the block's bytes are good until this returns
     */
    void written(OutgoingBlock block, BlockRef ref);
}
