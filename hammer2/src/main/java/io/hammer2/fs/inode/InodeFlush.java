package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Chain;
import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.flush.Counters;
import io.hammer2.fs.flush.Flush;
import io.hammer2.fs.freemap.BlockPlacer;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.pipeline.DataPipeline;
import io.hammer2.fs.pipeline.DataPolicy;
import io.hammer2.fs.pipeline.EncodingCost;
import io.hammer2.fs.pipeline.OutgoingBlock;
import io.hammer2.lwkt.LwktThread;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Brings one changed inode with all below it to the medium: file data, names, indirect blocks, then the inode itself, whose new
 * reference is the result. One for each commit, on the volume cpu.
 */
public final class InodeFlush {
    /** After so many blocks of a file in a row that gained nothing, only one of as many is tried. */
    private static final int MISSES_MAX = 8;

    private final Topology topology;
    private final BlockPlacer placer;
    private final BufferPool buffers;
    private final DataPipeline pipeline;
    private final long mirrorTid;

    /**
     * @param mirrorTid of the commit
     */
    public InodeFlush(
            Topology topology, BlockPlacer placer, BufferPool buffers, DataPipeline pipeline, long mirrorTid) {
        this.topology = topology;
        this.placer = placer;
        this.buffers = buffers;
        this.pipeline = pipeline;
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

    /**
     * Writes an inode like {@code content}, with some fields changed, for the key that its reference has; what is below it is shared.
     *
     * @param edit changes the fields
     * @return the reference for the table above
     */
    public BlockRef writeCopy(InodeContent content, long modifyTid, Consumer<InodeBlock> edit) {
        Inode copy = new Inode(content);
        copy.gate().lockExclusive();
        try {
            edit.accept(copy.change(modifyTid));
            return flush(copy);
        } finally {
            copy.gate().unlockExclusive();
        }
    }

    /**
     * Writes what has changed below the root table of an inode that is not written yet.
     *
     * @param methods of the reference that the inode will have
     */
    public void writeBelow(Chain root, int methods) {
        new Flush(placer, methods >>> 4, mirrorTid).below(root);
    }

    private static BlockTable tableOf(Inode inode) {
        return inode.content() == null ? InodeContent.NO_TABLE : inode.content().table();
    }

    /**
     * Writes some whole blocks of a dirty file, which stays dirty. Without its gate: that is held to choose the blocks and to put the
     * references to them in, and while they are encoded the file can be used.
     *
     * @param from key of the first block to look at
     * @return where to go on, or -1 at the end
     */
    public long writeAhead(Inode inode, long from) {
        List<Lent> lent = lend(inode, from);
        if (lent.isEmpty()) {
            return -1;
        }
        boolean encoded = false;
        try {
            pipeline.encode(blocksOf(lent));
            encoded = true;
        } finally {
            inode.gate().lockExclusive();
            try {
                takeBack(inode, lent, encoded);
            } finally {
                inode.gate().unlockExclusive();
            }
        }
        return lent.getLast().outgoing.key() + 1;
    }

    /** A dirty block, and the same on its way. */
    private record Lent(DirtyBlock dirty, OutgoingBlock outgoing) {}

    private static List<OutgoingBlock> blocksOf(List<Lent> lent) {
        return lent.stream().map(Lent::outgoing).toList();
    }

    private List<Lent> lend(Inode inode, long from) {
        inode.gate().lockExclusive();
        try {
            Changes changes = inode.changes();
            if (changes == null || inode.isRemoved()) {
                return List.of();
            }
            // The last block of a file that grows would be written again and again.
            long end = changes.block.sizeBytes() - Limits.BLOCK_BYTES_MAX + 1;
            List<Lent> lent = end <= from ? List.of() : outgoing(inode, changes.blocks.subMap(from, true, end, false));
            lent.forEach(each -> each.dirty.lend());
            return lent;
        } finally {
            inode.gate().unlockExclusive();
        }
    }

    /** What is still part of the file goes on its way. */
    private void takeBack(Inode inode, List<Lent> lent, boolean encoded) {
        lent.forEach(each -> each.dirty.takeBack(buffers));
        Changes changes = inode.changes();
        try {
            for (Lent each : encoded ? lent : List.<Lent>of()) {
                if (changes.blocks.get(each.outgoing.key()) == each.dirty) {
                    changes.writtenAheadBytes += each.dirty.growthBytes();
                    write(inode, each.outgoing);
                }
            }
        } finally {
            // What was changed meanwhile, and after an error all that follows.
            lent.forEach(each -> pipeline.discard(each.outgoing));
        }
    }

    private void writeData(Inode inode, Changes changes) {
        while (!changes.blocks.isEmpty()) {
            List<OutgoingBlock> outgoing = blocksOf(outgoing(inode, changes.blocks));
            try {
                pipeline.encode(outgoing);
                outgoing.forEach(block -> write(inode, block));
            } finally {
                outgoing.forEach(pipeline::discard);
            }
            if (!changes.blocks.isEmpty()) {
                LwktThread.yieldNow();
            }
        }
    }

    /** As many of the first of {@code blocks} as are written together. */
    private List<Lent> outgoing(Inode inode, Map<Long, DirtyBlock> blocks) {
        Changes changes = inode.changes();
        DataPolicy policy = pipeline.policy(changes.block.compAlgo(), changes.block.checkAlgo());
        List<Lent> outgoing = new ArrayList<>();
        EncodingCost.Sum cost = new EncodingCost.Sum();
        for (Map.Entry<Long, DirtyBlock> entry : blocks.entrySet()) {
            OutgoingBlock block = outgoing(inode, policy, entry.getKey(), entry.getValue());
            outgoing.add(new Lent(entry.getValue(), block));
            if (cost.add(block).isFull()) {
                break;
            }
        }
        return outgoing;
    }

    private OutgoingBlock outgoing(Inode inode, DataPolicy policy, long key, DirtyBlock dirty) {
        int used = Math.clamp(inode.changes().block.sizeBytes() - key, 0, Limits.BLOCK_BYTES_MAX);
        dirty.cut(used);
        if (used == 0) {
            return OutgoingBlock.beyondEnd(key, policy, () -> dirty.free(buffers));
        }
        MemorySegment plain = dirty.padded(buffers, storedBytes(used));
        boolean tries = policy.compresses() && inode.isWorthCompressing(MISSES_MAX);
        return new OutgoingBlock(key, plain, policy, tries, () -> dirty.free(buffers));
    }

    private void write(Inode inode, OutgoingBlock block) {
        Changes changes = inode.changes();
        BlockRef ref = pipeline.place(block, mirrorTid, changes.modifyTid);
        // From now on its memory is the writer's.
        changes.blocks.remove(block.key());
        if (block.isTried() && !block.isHole()) {
            inode.noteCompression(block.isCompressed());
        }
        replace(inode, block.key(), ref);
    }

    /** @param ref null for a hole */
    private void replace(Inode inode, long key, BlockRef ref) {
        if (!topology.replace(inode.chain(), key, ref) && ref != null) {
            topology.insert(inode.chain(), ref);
        }
    }

    /** A block inside the file has 64 KiB, the last one as little as is legal (section 11.2). */
    private static int storedBytes(int used) {
        return Math.max(1 << Limits.RADIX_MIN, used == 1 ? 1 : Integer.highestOneBit(used - 1) << 1);
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
