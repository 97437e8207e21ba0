package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.LwktThread;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The content of a file or symbolic link: in the inode, or in logical blocks of 64 KiB, of which a missing one is a hole and a
 * short one ends in zeros (format section 11). What was written since the last commit is in {@link DirtyBlock}s, which win.
 */
public final class FileData {
    private static final int BLOCK_BYTES = Limits.BLOCK_BYTES_MAX;
    private static final long BLOCK_MASK = BLOCK_BYTES - 1;

    /** Of a file, below an indirect block of 128 references of which half are in use. */
    private static final long TABLE_BYTES = 64L * BLOCK_BYTES;

    /** A search for a hole lets others run after this many blocks: a large file may have millions. */
    private static final int BLOCKS_PER_TURN = 1024;

    private final Inode inode;

    FileData(Inode inode) {
        this.inode = inode;
    }

    public long sizeBytes() {
        return inode.block().sizeBytes();
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
        if (inode.block().isDirectData()) {
            MemorySegment.copy(inode.block().directData(), offset, into, 0, length);
            return length;
        }
        try (Cursor cursor = inode.cursor(topology)) {
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
        if (!inode.block().isDirectData()) {
            try (Cursor cursor = inode.cursor(topology)) {
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
        if (inode.block().isDirectData()) {
            return offset;
        }
        long found = dirtyAtOrAfter(offset);
        try (Cursor cursor = inode.cursor(topology)) {
            if (cursor.seek(offset)) {
                long committed = requireData(cursor).key();
                found = found < 0 ? committed : Math.min(found, committed);
            }
        }
        return found < 0 || found >= sizeBytes() ? -1 : Math.max(offset, found);
    }

    /** Key of the first dirty block that ends after {@code offset}, or -1. */
    private long dirtyAtOrAfter(long offset) {
        Changes changes = inode.changes();
        Long key = changes == null ? null : changes.blocks.ceilingKey(offset & ~BLOCK_MASK);
        return key == null ? -1 : key;
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
        if (inode.block().isDirectData()) {
            return size;
        }
        Changes changes = inode.changes();
        try (Cursor cursor = inode.cursor(topology)) {
            long at = offset;
            boolean more = cursor.seek(at);
            for (int blocks = 1; at >= 0 && at < size; blocks++) {
                boolean dirty = changes != null && changes.blocks.containsKey(at & ~BLOCK_MASK);
                boolean stored = more && requireData(cursor).covers(at);
                if (!dirty && !stored) {
                    return at;
                }
                at = (at & ~BLOCK_MASK) + BLOCK_BYTES;
                more = stored ? cursor.next() : more;
                if (blocks % BLOCKS_PER_TURN == 0) {
                    LwktThread.yieldNow();
                }
            }
            return size;
        }
    }

    /**
     * Writes, and the size grows with it. With the gate held exclusively, after {@link Inode#change}.
     *
     * @throws CorruptBlockException or DeviceErrorException when a block of which a part stays cannot be read, or the way to one;
     *     nothing has changed then
     */
    public void write(Topology topology, BufferPool buffers, long offset, MemorySegment from) {
        InodeBlock block = inode.changing();
        long oldSize = block.sizeBytes();
        long end = offset + from.byteSize();
        if (block.isDirectData()) {
            if (end <= Limits.DIRECT_DATA_BYTES) {
                block.directData().asSlice(offset, from.byteSize()).copyFrom(from);
                block.setSizeBytes(Math.max(oldSize, end));
                return;
            }
            leaveDirectData(buffers, block);
        }
        makeDirty(topology, buffers, offset, end, oldSize);
        for (long at = offset; at < end; ) {
            int inBlock = (int) (at & BLOCK_MASK);
            int count = (int) Math.min(end - at, BLOCK_BYTES - inBlock);
            DirtyBlock dirty = inode.changes().blocks.get(at - inBlock);
            dirty.write(buffers, inBlock, from.asSlice(at - offset, count));
            at += count;
        }
        block.setSizeBytes(Math.max(oldSize, end));
    }

    /** All blocks that a write will touch, or none: so that a write that fails has no part. */
    private void makeDirty(Topology topology, BufferPool buffers, long begin, long end, long size) {
        List<Long> added = new ArrayList<>();
        boolean complete = false;
        try {
            for (long at = begin; at < end; ) {
                int inBlock = (int) (at & BLOCK_MASK);
                int count = (int) Math.min(end - at, BLOCK_BYTES - inBlock);
                boolean known = inode.changes().blocks.containsKey(at - inBlock);
                dirtyBlock(topology, buffers, at - inBlock, size, inBlock, inBlock + count);
                if (!known) {
                    added.add(at - inBlock);
                }
                at += count;
            }
            complete = true;
        } finally {
            if (!complete) {
                added.forEach(key -> inode.changes().blocks.remove(key).free(buffers));
            }
        }
    }

    /**
     * Makes the file shorter, or longer by a hole. With the gate held exclusively, after {@link Inode#change}.
     *
     * @throws CorruptBlockException or DeviceErrorException when the block of the new end cannot be read; nothing has changed then
     */
    public void setSize(Topology topology, BufferPool buffers, long newSize) {
        InodeBlock block = inode.changing();
        long oldSize = block.sizeBytes();
        if (block.isDirectData()) {
            if (newSize <= Limits.DIRECT_DATA_BYTES) {
                if (newSize < oldSize) {
                    block.directData().asSlice(newSize, oldSize - newSize).fill((byte) 0);
                }
                block.setSizeBytes(newSize);
                return;
            }
            leaveDirectData(buffers, block);
        }
        if (newSize < oldSize) {
            zero(topology, buffers, newSize, oldSize);
        }
        block.setSizeBytes(newSize);
    }

    /**
     * Makes a range a hole, or zero where it is less than a block; the size stays. With the gate held exclusively, after {@link
     * Inode#change}.
     *
     * @param end at most the size of the file is of interest
     */
    public void zero(Topology topology, BufferPool buffers, long begin, long end) {
        InodeBlock block = inode.changing();
        long size = block.sizeBytes();
        long to = Math.min(end, size);
        if (begin >= to) {
            return;
        }
        if (block.isDirectData()) {
            block.directData().asSlice(begin, to - begin).fill((byte) 0);
            return;
        }
        // Up to the end of the file is up to the end of all blocks. Only the last key of all has nothing behind it.
        long firstKey = (begin + BLOCK_MASK) & ~BLOCK_MASK;
        long pastKey = to == size ? Long.MAX_VALUE : to & ~BLOCK_MASK;
        boolean isLast = firstKey < 0;
        if (isLast || begin < firstKey) {
            zeroInBlock(topology, buffers, begin, isLast ? to : Math.min(firstKey, to), size);
        }
        if (isLast) {
            return;
        }
        if (pastKey >= firstKey && pastKey < to) {
            zeroInBlock(topology, buffers, pastKey, to, size);
        }
        if (firstKey < pastKey) {
            dropBlocks(topology, buffers, firstKey, pastKey);
        }
    }

    /** Has a block of the medium written anew as it is. With the gate held exclusively, after {@link Inode#change}. */
    void rewrite(Topology topology, BufferPool buffers, long key) {
        dirtyBlock(topology, buffers, key, inode.changing().sizeBytes(), 1, 1);
    }

    /** A part of one block. */
    private void zeroInBlock(Topology topology, BufferPool buffers, long begin, long end, long size) {
        int from = (int) (begin & BLOCK_MASK);
        long key = begin - from;
        if (!isThere(topology, key)) {
            return;
        }
        int to = (int) (end - key);
        DirtyBlock dirty = dirtyBlock(topology, buffers, key, size, 1, 1);
        if (end >= size) {
            dirty.cut(from);
        } else {
            dirty.zero(from, to);
        }
    }

    private boolean isThere(Topology topology, long key) {
        if (inode.changes().blocks.containsKey(key)) {
            return true;
        }
        try (Cursor cursor = inode.cursor(topology)) {
            return cursor.seek(key) && cursor.covers(key);
        }
    }

    /** Takes out the blocks with keys from {@code first} on and below {@code past}. */
    private void dropBlocks(Topology topology, BufferPool buffers, long first, long past) {
        boolean toTheEnd = past == Long.MAX_VALUE;
        List<Long> keys = new ArrayList<>();
        try (Cursor cursor = inode.cursor(topology)) {
            for (boolean more = cursor.seek(first);
                    more && cursor.key() >= 0 && cursor.key() < past;
                    more = cursor.next()) {
                keys.add(requireData(cursor).key());
                if (toTheEnd) {
                    break;
                }
            }
        }
        Map<Long, DirtyBlock> dirty = inode.changes().blocks.subMap(first, past);
        dirty.values().forEach(block -> block.free(buffers));
        dirty.clear();
        if (keys.isEmpty()) {
            return;
        }
        if (toTheEnd) {
            topology.truncate(inode.chain(), first);
            return;
        }
        for (int i = 0; i < keys.size(); i++) {
            topology.replace(inode.chain(), keys.get(i), null);
            if ((i + 1) % BLOCKS_PER_TURN == 0) {
                LwktThread.yieldNow();
            }
        }
    }

    /** Blocks that a {@link #write} of this range would make dirty. */
    public int newDirtyBlocks(long offset, long length) {
        if (inode.block().isDirectData() && offset + length <= Limits.DIRECT_DATA_BYTES) {
            return 0;
        }
        Changes changes = inode.changes();
        int count = inode.block().isDirectData() ? 1 : 0;
        for (long key = offset & ~BLOCK_MASK; key < offset + length && key >= 0; key += BLOCK_BYTES) {
            count += isDirty(changes, key) ? 0 : 1;
        }
        return count;
    }

    /**
     * Indirect blocks above those of {@link #newDirtyBlocks} that a flush writes for their sake: one for each, but for what follows a
     * block that is dirty already, or is made so by the same write, as most do. Of a table that was split half is in use, at least.
     */
    public int newDirtyTables(long offset, long length) {
        if (inode.block().isDirectData() && offset + length <= Limits.DIRECT_DATA_BYTES) {
            return 0;
        }
        Changes changes = inode.changes();
        int count = 0;
        boolean follows = isDirty(changes, (offset & ~BLOCK_MASK) - BLOCK_BYTES);
        for (long key = offset & ~BLOCK_MASK; key < offset + length && key >= 0; key += BLOCK_BYTES) {
            boolean counted = isDirty(changes, key) || (follows && (key & (TABLE_BYTES - 1)) != 0);
            count += counted ? 0 : 1;
            follows = true;
        }
        return count;
    }

    private static boolean isDirty(Changes changes, long key) {
        return changes != null && changes.blocks.containsKey(key);
    }

    /** Moves the content from the inode to a first block (format section 11.1); there is no way back. */
    void leaveDirectData(BufferPool buffers, InodeBlock block) {
        int size = (int) block.sizeBytes();
        MemorySegment content = block.directData();
        if (size > 0) {
            DirtyBlock first = new DirtyBlock(buffers, Limits.DIRECT_DATA_BYTES, 0);
            first.write(buffers, 0, content.asSlice(0, size));
            inode.changes().blocks.put(0L, first);
        }
        content.fill((byte) 0);
        block.setOpFlags(block.opFlags() & ~InodeBlock.OP_DIRECTDATA);
    }

    /**
     * The block at {@code key}, to be changed, with what the medium has of it unless all that counts of it is about to be
     * overwritten.
     *
     * @param size of the file
     * @param from first byte that will be overwritten
     * @param to behind the last one
     */
    private DirtyBlock dirtyBlock(Topology topology, BufferPool buffers, long key, long size, int from, int to) {
        DirtyBlock known = inode.changes().blocks.get(key);
        if (known != null && known.isLent()) {
            known = known.replacement(buffers);
            inode.changes().blocks.put(key, known);
        }
        if (known != null) {
            return known;
        }
        int used = Math.clamp(size - key, 0, BLOCK_BYTES);
        DirtyBlock fresh;
        try (Cursor cursor = inode.cursor(topology)) {
            boolean there = cursor.seek(key) && cursor.covers(key);
            int stored = there ? requireData(cursor).ref().storedBytes() : 0;
            if (there && used > 0 && (from > 0 || to < used)) {
                CachedBlock block = cursor.load();
                try {
                    int length = (int) Math.min(used, block.bytes().byteSize());
                    fresh = new DirtyBlock(buffers, Math.max(length, to), stored);
                    fresh.write(buffers, 0, block.bytes().asSlice(0, length));
                } finally {
                    topology.io().release(block);
                }
            } else {
                fresh = new DirtyBlock(buffers, to, stored);
            }
        }
        inode.changes().blocks.put(key, fresh);
        return fresh;
    }

    private void readBlock(Topology topology, Cursor cursor, long key, int inBlock, MemorySegment into) {
        Changes changes = inode.changes();
        DirtyBlock dirty = changes == null ? null : changes.blocks.get(key);
        if (dirty != null) {
            dirty.read(inBlock, into);
            return;
        }
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

    static Cursor requireData(Cursor cursor) {
        if (cursor.type() != BlockType.DATA) {
            throw cursor.unexpected("leaf of file data", "DATA");
        }
        return cursor;
    }
}
