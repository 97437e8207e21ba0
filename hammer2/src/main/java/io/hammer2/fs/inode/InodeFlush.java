package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Chain;
import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.flush.Counters;
import io.hammer2.fs.flush.Flush;
import io.hammer2.fs.freemap.BlockPlacer;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.lwkt.LwktThread;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Iterator;
import java.util.Map;

/**
 * Brings one changed inode with all below it to the medium: file data, names, indirect blocks, then the inode itself, whose new
 * reference is the result. One for each commit, on the volume cpu.
 */
public final class InodeFlush {
    private static final int COMPRESSION_NONE = 0;
    private static final int BLOCKS_PER_TURN = 64;

    /** Smaller blocks are copied, to be written together with their neighbours. */
    private static final int GATHERED_BYTES = 16 * Limits.KIB;

    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[Limits.BLOCK_BYTES_MAX]);

    private final Topology topology;
    private final BlockPlacer placer;
    private final BufferPool buffers;
    private final BlockEncoder encoder;
    private final long mirrorTid;

    /**
     * @param encoder of the volume cpu
     * @param mirrorTid of the commit
     */
    public InodeFlush(Topology topology, BlockPlacer placer, BufferPool buffers, BlockEncoder encoder, long mirrorTid) {
        this.topology = topology;
        this.placer = placer;
        this.buffers = buffers;
        this.encoder = encoder;
        this.mirrorTid = mirrorTid;
    }

    public Topology topology() {
        return topology;
    }

    public long mirrorTid() {
        return mirrorTid;
    }

    /**
     * Writes a changed inode. With its gate held exclusively.
     *
     * @return the reference for the table above
     */
    public BlockRef flush(Inode inode) {
        Changes changes = inode.changes();
        InodeBlock block = changes.block;
        if (!block.isDirectData()) {
            writeData(inode, changes);
            writeNames(inode, changes);
        }
        BlockRef before = inode.committedRef();
        int methods = inode.methods();
        Chain chain = changes.chainOrNull();
        BlockTable table = chain != null ? chain.table() : tableOf(inode);
        if (chain != null) {
            new Flush(placer, methods >>> 4, mirrorTid).below(chain);
            block.setBlockSet(table);
        }
        Counters counters = Counters.of(table);
        BlockRef.Builder ref = before != null ? before.toBuilder() : BlockRef.builder(BlockType.INODE);
        ref.key(before != null ? before.key() : inode.inum(), 0)
                .methods(methods >>> 4, methods & 0xF)
                .leafCount(counters.leafCount())
                .counts(counters.dataCount(), counters.inodeCount())
                .tids(mirrorTid, Math.max(changes.modifyTid, counters.modifyTid()));
        BlockRef written = placer.write(ref.build(), ref, block.bytes());
        inode.flushed(InodeContent.of(written, block, table));
        return written;
    }

    private static BlockTable tableOf(Inode inode) {
        return inode.content() == null ? InodeContent.NO_TABLE : inode.content().table();
    }

    /**
     * Writes some whole blocks of a dirty file, which stays dirty. With its gate held exclusively.
     *
     * @param from key of the first block to look at
     * @return where to go on, or -1 at the end
     */
    public long writeAhead(Inode inode, long from) {
        Changes changes = inode.changes();
        if (changes == null) {
            return -1;
        }
        long size = changes.block.sizeBytes();
        int written = 0;
        for (Iterator<Map.Entry<Long, DirtyBlock>> i =
                        changes.blocks.tailMap(from, true).entrySet().iterator();
                i.hasNext(); ) {
            Map.Entry<Long, DirtyBlock> entry = i.next();
            long key = entry.getKey();
            // The last block of a file that grows would be written again and again.
            if (key > size - Limits.BLOCK_BYTES_MAX) {
                return -1;
            }
            if (written == BLOCKS_PER_TURN) {
                return key;
            }
            i.remove();
            changes.writtenAheadBytes += entry.getValue().growthBytes();
            replace(inode, key, writeBlock(inode, key, size, entry.getValue()));
            written++;
        }
        return -1;
    }

    private void writeData(Inode inode, Changes changes) {
        long size = changes.block.sizeBytes();
        for (int written = 1; !changes.blocks.isEmpty(); written++) {
            // Taken out before it is written: from then on its memory is the writer's.
            Map.Entry<Long, DirtyBlock> entry = changes.blocks.pollFirstEntry();
            replace(inode, entry.getKey(), writeBlock(inode, entry.getKey(), size, entry.getValue()));
            if (written % BLOCKS_PER_TURN == 0) {
                LwktThread.yieldNow();
            }
        }
    }

    /** @param ref null for a hole */
    private void replace(Inode inode, long key, BlockRef ref) {
        if (!topology.replace(inode.chain(), key, ref) && ref != null) {
            topology.insert(inode.chain(), ref);
        }
    }

    /** @return the reference, or null for a hole (section 11.3) */
    private BlockRef writeBlock(Inode inode, long key, long size, DirtyBlock dirty) {
        Changes changes = inode.changes();
        int checkMethod = changes.block.checkAlgo() & 0xF;
        int used = Math.clamp(size - key, 0, Limits.BLOCK_BYTES_MAX);
        dirty.cut(used);
        boolean mayBeHole =
                (changes.block.compAlgo() & 0xF) != COMPRESSION_NONE && checkMethod != CheckCode.NONE.code();
        if (used == 0 || (mayBeHole && isZero(dirty.bytes(dirty.length())))) {
            dirty.free(buffers);
            return null;
        }
        MemorySegment plain = dirty.padded(buffers, storedBytes(used));
        BlockRef.Builder ref =
                BlockRef.builder(BlockType.DATA).key(key, Limits.DATA_KEYBITS).tids(mirrorTid, changes.modifyTid);
        MemorySegment compressed = encoder.compress(inode, plain);
        if (compressed != null || plain.byteSize() < GATHERED_BYTES) {
            MemorySegment stored = compressed == null ? plain : compressed;
            ref.methods(checkMethod, compressed == null ? COMPRESSION_NONE : encoder.methodCode());
            BlockRef written = placer.write(ref.build(), ref, stored);
            dirty.free(buffers);
            return written;
        }
        ref.methods(checkMethod, COMPRESSION_NONE);
        return placer.writeData(ref, key, plain, () -> dirty.free(buffers));
    }

    /** A block inside the file has 64 KiB, the last one as little as is legal (section 11.2). */
    private static int storedBytes(int used) {
        return Math.max(1 << Limits.RADIX_MIN, used == 1 ? 1 : Integer.highestOneBit(used - 1) << 1);
    }

    private static boolean isZero(MemorySegment bytes) {
        return MemorySegment.mismatch(bytes, 0, bytes.byteSize(), ZEROS, 0, bytes.byteSize()) < 0;
    }

    private void writeNames(Inode inode, Changes changes) {
        for (Map.Entry<Long, byte[]> entry : changes.longNames.entrySet()) {
            BlockRef.Builder ref;
            try (Cursor cursor = inode.cursor(topology)) {
                if (!cursor.seek(entry.getKey()) || cursor.key() != entry.getKey()) {
                    throw new IllegalStateException("no entry for a name of " + entry.getValue().length + " bytes");
                }
                ref = cursor.ref().toBuilder().tids(mirrorTid, cursor.ref().modifyTid());
            }
            MemorySegment stored = MemorySegment.ofArray(Arrays.copyOf(entry.getValue(), 1 << Limits.RADIX_MIN));
            topology.replace(inode.chain(), entry.getKey(), placer.write(ref.build(), ref, stored));
        }
        changes.longNames.clear();
    }
}
