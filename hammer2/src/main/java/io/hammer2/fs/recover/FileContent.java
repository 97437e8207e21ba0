package io.hammer2.fs.recover;

import io.hammer2.fs.codec.CodecException;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.Decompressor;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The content of files (format section 11), as much as there is of it. */
final class FileContent implements AutoCloseable {
    private final RawMedium medium;
    private final TreeReader trees;
    private final Decompressor decompressor = new Decompressor();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment logical = arena.allocate(Limits.BLOCK_BYTES_MAX);

    FileContent(RawMedium medium, TreeReader trees) {
        this.medium = medium;
        this.trees = trees;
    }

    /**
     * Hands over what a file holds, in the order of offsets; what is left out is zero.
     *
     * @return how many blocks are damaged; of these what could be decoded was handed over, too
     * @throws IOException of {@code into}
     */
    long read(InodeBlock inode, SalvageSink.Content into) throws IOException {
        long size = inode.sizeBytes();
        if (inode.isDirectData()) {
            into.bytes(0, inode.directData().asSlice(0, size));
            return 0;
        }
        long[] damagedBlocks = {0};
        try {
            long damagedTables = size == 0
                    ? 0
                    : trees.walk(
                            inode.blockSet(),
                            0,
                            size - 1,
                            BlockType.DATA,
                            ref -> damagedBlocks[0] += block(ref, size, into));
            return damagedTables + damagedBlocks[0];
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }

    private int block(BlockRef ref, long size, SalvageSink.Content into) {
        MemorySegment stored = medium.stored(ref);
        if (stored == null) {
            return 1;
        }
        boolean isGood = RawMedium.matches(ref, stored);
        try {
            int length = decompressor.decompress(Compression.of(ref.compressionMethod()), stored, logical);
            into.bytes(ref.key(), logical.asSlice(0, Math.min(length, size - ref.key())));
            return isGood ? 0 : 1;
        } catch (CodecException e) {
            return 1;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        decompressor.close();
        arena.close();
    }
}
