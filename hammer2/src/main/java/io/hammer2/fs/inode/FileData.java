package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.LwktThread;
import java.lang.foreign.MemorySegment;

/**
 * The content of a file or symbolic link: in the inode, or in logical blocks of 64 KiB, of which a missing one is a hole and a
 * short one ends in zeros (format section 11).
 *
 * @param content the file's inode
 */
public record FileData(InodeContent content) {
    private static final int BLOCK_BYTES = Limits.BLOCK_BYTES_MAX;
    private static final long BLOCK_MASK = BLOCK_BYTES - 1;

    /** A search for a hole lets others run after this many blocks: a large file may have millions. */
    private static final int BLOCKS_PER_TURN = 1024;

    public long sizeBytes() {
        return content.block().sizeBytes();
    }

    /**
     * Reads from {@code offset} on. All blocks of the request are asked for before the first is waited for.
     *
     * @return bytes read; fewer than {@code into} holds only at the end of the file, 0 at or beyond it
     */
    public int read(Topology topology, long offset, MemorySegment into) {
        long size = sizeBytes();
        if (offset < 0 || offset >= size) {
            return 0;
        }
        int length = (int) Math.min(into.byteSize(), size - offset);
        if (content.block().isDirectData()) {
            MemorySegment.copy(content.block().directData(), offset, into, 0, length);
            return length;
        }
        try (Cursor cursor = topology.cursor(content.table())) {
            if ((offset & BLOCK_MASK) + length > BLOCK_BYTES) {
                prefetch(topology, cursor, offset, offset + length);
            }
            for (int done = 0; done < length; ) {
                long at = offset + done;
                int inBlock = (int) (at & BLOCK_MASK);
                int count = Math.min(length - done, BLOCK_BYTES - inBlock);
                readBlock(topology, cursor, at - inBlock, inBlock, into.asSlice(done, count));
                done += count;
            }
        }
        return length;
    }

    /** Starts to read the blocks that hold {@code begin} to {@code end}, as far as buffers reach, and waits for none. */
    public void prefetch(Topology topology, long begin, long end) {
        if (!content.block().isDirectData()) {
            try (Cursor cursor = topology.cursor(content.table())) {
                prefetch(topology, cursor, begin, Math.min(end, sizeBytes()));
            }
        }
    }

    private static void prefetch(Topology topology, Cursor cursor, long begin, long end) {
        for (boolean more = cursor.seek(begin & ~BLOCK_MASK);
                more && cursor.key() >= 0 && cursor.key() < end && topology.io().canPrefetch();
                more = cursor.next()) {
            if (cursor.type() == BlockType.DATA && !topology.io().prefetch(cursor.table(), cursor.slot())) {
                return;
            }
        }
    }

    /**
     * First offset at or after {@code offset} that has data; holes are told by the block.
     *
     * @return the offset, or -1 when there is none before the end of the file
     */
    public long seekData(Topology topology, long offset) {
        if (offset < 0 || offset >= sizeBytes()) {
            return -1;
        }
        if (content.block().isDirectData()) {
            return offset;
        }
        try (Cursor cursor = topology.cursor(content.table())) {
            if (!cursor.seek(offset)) {
                return -1;
            }
            long found = Math.max(offset, requireData(cursor).key());
            return found < sizeBytes() ? found : -1;
        }
    }

    /**
     * First offset at or after {@code offset} that is in a hole; the end of the file is one.
     *
     * @return the offset, or -1 when {@code offset} is at or beyond the end of the file
     */
    public long seekHole(Topology topology, long offset) {
        long size = sizeBytes();
        if (offset < 0 || offset >= size) {
            return -1;
        }
        if (content.block().isDirectData()) {
            return size;
        }
        try (Cursor cursor = topology.cursor(content.table())) {
            long at = offset;
            int blocks = 0;
            for (boolean more = cursor.seek(at);
                    more && at < size && requireData(cursor).covers(at);
                    more = cursor.next()) {
                at = cursor.key() + BLOCK_BYTES;
                if (++blocks % BLOCKS_PER_TURN == 0) {
                    LwktThread.yieldNow();
                }
            }
            // Keys end below 2^63, so only a block that is the last possible one gets here with a negative offset.
            return at < 0 ? size : Math.min(at, size);
        }
    }

    private void readBlock(Topology topology, Cursor cursor, long key, int inBlock, MemorySegment into) {
        if (!cursor.seek(key) || !cursor.covers(key)) {
            into.fill((byte) 0);
            return;
        }
        requireData(cursor);
        CachedBlock block = cursor.load();
        try {
            // A file that was extended keeps its short last block, and a read may begin behind that (section 11.2).
            long from = Math.min(inBlock, block.bytes().byteSize());
            long available = Math.min(block.bytes().byteSize() - from, into.byteSize());
            MemorySegment.copy(block.bytes(), from, into, 0, available);
            into.asSlice(available).fill((byte) 0);
        } finally {
            topology.io().release(block);
        }
    }

    private static Cursor requireData(Cursor cursor) {
        if (cursor.type() != BlockType.DATA) {
            throw cursor.unexpected("leaf of file data", "DATA");
        }
        return cursor;
    }
}
