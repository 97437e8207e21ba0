package io.hammer2.fs.pipeline;

import io.hammer2.fs.freemap.Freemap;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.io.RecentBlocks;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import java.lang.foreign.MemorySegment;

/**
 * Finds the content of new blocks among those that were read or written lately (format section 11.5). What is found is read, verified
 * and compared byte for byte, and its granules are marked as in use before anything refers to it once more.
 *
 * <p>Nothing becomes free between the two: bulkfree frees within a commit, as this is used within one, and there is one commit at a time.
 */
public final class RecentDuplicates implements Duplicates {
    private final RecentBlocks recent;
    private final BlockIo io;
    private final Freemap freemap;

    /** @param io of the volume cpu */
    public RecentDuplicates(RecentBlocks recent, BlockIo io, Freemap freemap) {
        this.recent = recent;
        this.io = io;
        this.freemap = freemap;
        freemap.onFreed(freed -> recent.forget(ref -> freed.has(ref.offsetBytes(), ref.radix())));
    }

    @Override
    public long dataOffOf(OutgoingBlock block) {
        if (!block.policy().check().verifies()) {
            return UNKNOWN;
        }
        BlockRef.Builder like = BlockRef.builder(BlockType.DATA)
                .methods(block.policy().check().code(), block.encoding().code())
                .dataOff(Long.numberOfTrailingZeros(block.stored().byteSize()));
        like.check().copyFrom(block.check());
        BlockRef known = recent.find(like.build());
        if (known == null) {
            return UNKNOWN;
        }
        if (!holds(known, block.plain()) || !freemap.claim(known.offsetBytes(), known.radix())) {
            recent.remove(known);
            return UNKNOWN;
        }
        return known.dataOff();
    }

    @Override
    public void written(OutgoingBlock block, BlockRef ref) {
        if (block.policy().check().verifies()) {
            recent.written(ref);
        }
    }

    /** Blocks the thread if the block must be read; one that is damaged holds nothing. */
    private boolean holds(BlockRef known, MemorySegment plain) {
        try {
            CachedBlock block = io.load(known);
            try {
                return block.holds(plain);
            } finally {
                io.release(block);
            }
        } catch (CorruptBlockException | DeviceErrorException e) {
            return false;
        }
    }
}
