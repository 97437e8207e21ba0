package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;

/**
 * Blocks of file data that several places refer to (format section 11.5): in files, or in one. Of one cpu, and used with the gates of
 * the inodes held: exclusively for what changes one.
 *
 * <p>Bulkfree never frees what is shared here: a block that a file refers to at this moment is in the next commit, or was noted by
 * the freemap when it was allocated.
 */
public final class BlockSharing {
    private static final int BLOCK_BYTES = Limits.BLOCK_BYTES_MAX;

    /** References that {@link #list} looks at in one call. */
    private static final int LISTED_MAX = 4096;

    private final Topology topology;
    private final BufferPool buffers;

    /** Takes blocks of a file, in the order of their offsets. */
    @FunctionalInterface
    public interface Sink {
        /** @return false when it is full; then this block was not taken */
        boolean block(long offset, BlockRef ref);
    }

    public BlockSharing(Topology topology, BufferPool buffers) {
        this.topology = topology;
        this.buffers = buffers;
    }

    /**
     * How many whole blocks from {@code offset} on another file can share: on the medium, of the full size, not changed since, and
     * vouched for by a check code.
     */
    public int shareableBlocks(Inode source, long offset, long length) {
        if (source.block().isDirectData()) {
            return 0;
        }
        long end = Math.min(offset + length, source.fileData().sizeBytes());
        int count = 0;
        try (Cursor cursor = source.cursor(topology)) {
            boolean more = cursor.seek(offset);
            for (long key = offset; more && key + BLOCK_BYTES <= end; key += BLOCK_BYTES) {
                if (isDirty(source, key)
                        || cursor.key() != key
                        || !isVouchedFor(FileData.requireData(cursor).ref())) {
                    break;
                }
                count++;
                more = cursor.next();
            }
        }
        return count;
    }

    /**
     * Has {@code target}, after {@link Inode#change}, refer to blocks of another file, in the place of what was there.
     *
     * @param blocks as {@link #shareableBlocks} of the source has said
     */
    public void share(Inode source, long sourceOffset, Inode target, long offset, int blocks) {
        InodeBlock block = target.changing();
        if (block.isDirectData()) {
            target.fileData().leaveDirectData(buffers, block);
        }
        try (Cursor cursor = source.cursor(topology)) {
            boolean more = cursor.seek(sourceOffset);
            for (int i = 0; i < blocks && more; i++, more = cursor.next()) {
                long key = offset + (long) i * BLOCK_BYTES;
                DirtyBlock dirty = target.changes().blocks.remove(key);
                if (dirty != null) {
                    dirty.free(buffers);
                }
                refer(target, key, cursor.ref());
                block.setSizeBytes(Math.max(block.sizeBytes(), key + BLOCK_BYTES));
            }
        }
    }

    /**
     * Lists the blocks at or after {@code from} that {@link #at} finds.
     *
     * @return where to go on, or -1 at the end of the file
     */
    public long list(Inode file, long from, Sink sink) {
        if (file.block().isDirectData()) {
            return -1;
        }
        try (Cursor cursor = file.cursor(topology)) {
            boolean more = cursor.seek(from);
            for (int seen = 0; more; seen++, more = cursor.next()) {
                long key = FileData.requireData(cursor).key();
                BlockRef ref = cursor.ref();
                boolean listed = !isDirty(file, key) && isVouchedFor(ref);
                if (seen == LISTED_MAX || (listed && !sink.block(key, ref))) {
                    return key;
                }
            }
        }
        return -1;
    }

    /** The block of a file at {@code offset} that can be shared: on the medium, not changed since, with a check code; or null. */
    public BlockRef at(Inode file, long offset) {
        if (file.block().isDirectData() || isDirty(file, offset)) {
            return null;
        }
        try (Cursor cursor = file.cursor(topology)) {
            boolean there = offset >= 0 && cursor.seek(offset) && cursor.key() == offset;
            return there && isVouchedFor(FileData.requireData(cursor).ref()) ? cursor.ref() : null;
        }
    }

    /** Whether two blocks hold the same bytes, where one is shorter with zeros behind; reads both, and verifies them. */
    public boolean haveSameContent(BlockRef one, BlockRef other) {
        CachedBlock first = topology.io().load(one);
        try {
            CachedBlock second = topology.io().load(other);
            try {
                return first.holds(second.bytes());
            } finally {
                topology.io().release(second);
            }
        } finally {
            topology.io().release(first);
        }
    }

    /** Has {@code target}, after {@link Inode#change}, refer at {@code key} to where {@code found} refers. */
    public void refer(Inode target, long key, BlockRef found) {
        BlockRef ref = found.toBuilder()
                .key(key, Limits.DATA_KEYBITS)
                .tids(found.mirrorTid(), target.changes().modifyTid)
                .build();
        if (!topology.replace(target.chain(), key, ref)) {
            topology.insert(target.chain(), ref);
        }
    }

    /** The check code of a block that can be shared, or its first eight bytes. */
    public static long checkWord(BlockRef ref) {
        int length = CheckCode.of(ref.checkMethod()).lengthBytes();
        return length < Long.BYTES ? ref.checkWord() & ((1L << (length * Byte.SIZE)) - 1) : ref.checkWord();
    }

    private static boolean isDirty(Inode file, long key) {
        Changes changes = file.changes();
        return changes != null && changes.blocks.containsKey(key);
    }

    private static boolean isVouchedFor(BlockRef ref) {
        return CheckCode.isKnown(ref.checkMethod())
                && CheckCode.of(ref.checkMethod()).verifies();
    }
}
