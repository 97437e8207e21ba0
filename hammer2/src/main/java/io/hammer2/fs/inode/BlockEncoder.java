package io.hammer2.fs.inode;

import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.Compressor;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the policy of a file does to the bytes of its blocks before they are checked and stored (format section 11.3). Of the
 * volume cpu.
 */
public final class BlockEncoder implements AutoCloseable {
    /** After so many blocks of a file in a row that gained nothing, only one of as many is tried. */
    private static final int MISSES_MAX = 8;

    private final Arena arena = Arena.ofShared();
    private final Compressor compressor = new Compressor();
    private final MemorySegment scratch = arena.allocate(Compressor.roomFor(Limits.BLOCK_BYTES_MAX), 4096);
    private Compression method = Compression.NONE;

    /**
     * Compresses a block as its file wants it.
     *
     * @param plain a power of two of bytes, at least 1024, native
     * @return the stored bytes, a smaller power of two, good until the next call; null when nothing is gained
     */
    MemorySegment compress(Inode inode, MemorySegment plain) {
        int policy = inode.changes().block.compAlgo();
        int code = policy & 0xF;
        boolean compresses = code == Compression.LZ4.code() || code == Compression.ZLIB.code();
        if (!compresses || plain.byteSize() <= 1 << Limits.RADIX_MIN || !inode.isWorthCompressing(MISSES_MAX)) {
            return null;
        }
        method = Compression.of(code);
        int length = compressor.compress(method, policy >>> 4, plain, scratch);
        inode.noteCompression(length != Compressor.INCOMPRESSIBLE);
        if (length == Compressor.INCOMPRESSIBLE) {
            return null;
        }
        int stored = Math.max(1 << Limits.RADIX_MIN, Integer.highestOneBit(length - 1) << 1);
        scratch.asSlice(length, stored - length).fill((byte) 0);
        return scratch.asSlice(0, stored);
    }

    /** How the block that {@link #compress} returned last is encoded. */
    int methodCode() {
        return method.code();
    }

    @Override
    public void close() {
        compressor.close();
        arena.close();
    }
}
