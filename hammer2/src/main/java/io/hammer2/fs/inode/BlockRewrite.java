package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Cursor;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.io.CachedBlock;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.pipeline.DataPolicy;
import io.hammer2.fs.pipeline.EncodingTrial;
import java.util.ArrayList;
import java.util.List;

/**
 * Blocks of a file that are stored otherwise than its policy says by now (format section 11.3), written anew. Of one cpu, and used with
 * the gate of the file held exclusively.
 *
 * <p>What is compressed as the policy says stays, and so does what would not get smaller. A block in an encoding that DragonFly does not
 * know is written anew in any case when the policy is another one: that is how a volume is brought back to it.
 */
public final class BlockRewrite {
    /** Blocks that one step reads and tries, some milliseconds each. */
    public static final int BLOCKS_MAX = 8;

    /** References that one step looks at. */
    private static final int SEEN_MAX = 1024;

    private static final int METHOD_MASK = 0xF;

    private final Topology topology;
    private final BufferPool buffers;
    private final int extensions;

    /**
     * What one step has chosen.
     *
     * @param next where to go on, or -1 at the end of the file
     * @param blocks to be written anew
     * @param bytesThen what they will take
     */
    public record Choice(long next, long seenCount, long seenBytes, List<BlockRef> blocks, long bytesThen) {}

    /** @param extensions of the volume */
    public BlockRewrite(Topology topology, BufferPool buffers, int extensions) {
        this.topology = topology;
        this.buffers = buffers;
        this.extensions = extensions;
    }

    /** Looks at some blocks of a file at or after {@code from}. Those that have changed since the last commit will be written anyway. */
    public Choice choose(Inode file, long from) {
        InodeBlock fields = file.block();
        List<BlockRef> blocks = new ArrayList<>();
        if (fields.isDirectData()) {
            return new Choice(-1, 0, 0, blocks, 0);
        }
        DataPolicy policy = DataPolicy.of(fields.compAlgo(), fields.checkAlgo(), extensions);
        if (policy.compression().code() != (fields.compAlgo() & METHOD_MASK)) {
            // What nobody can do now, here or on this volume, is no reason to undo what was done.
            return new Choice(-1, 0, 0, blocks, 0);
        }
        long seenCount = 0;
        long seenBytes = 0;
        long bytesThen = 0;
        int tried = 0;
        try (Cursor cursor = file.cursor(topology);
                EncodingTrial trial = new EncodingTrial(buffers)) {
            for (boolean more = cursor.seek(from); more; more = cursor.next()) {
                BlockRef ref = FileData.requireData(cursor).ref();
                if (tried == BLOCKS_MAX || seenCount == SEEN_MAX) {
                    return new Choice(ref.key(), seenCount, seenBytes, blocks, bytesThen);
                }
                seenCount++;
                seenBytes += ref.storedBytes();
                Changes changes = file.changes();
                boolean dirty = changes != null && changes.blocks.containsKey(ref.key());
                if (!dirty && mayDiffer(ref, policy)) {
                    tried++;
                    int then = bytesThen(trial, ref, policy);
                    if (then < ref.storedBytes() || isToBeConverted(ref, policy)) {
                        blocks.add(ref);
                        bytesThen += then;
                    }
                }
            }
        }
        return new Choice(-1, seenCount, seenBytes, blocks, bytesThen);
    }

    /** Has the chosen blocks written with the next commit; after {@link Inode#change}. Times and size stay. */
    public void makeDirty(Inode file, Choice choice) {
        for (BlockRef block : choice.blocks()) {
            file.fileData().rewrite(topology, buffers, block.key());
        }
        // All of them get smaller, so the next flush is to try them all.
        file.noteCompression(true);
    }

    /** Without reading it. */
    private static boolean mayDiffer(BlockRef ref, DataPolicy policy) {
        boolean same = ref.compressionMethod() == policy.compression().code();
        // Of LZ4 there is one level only.
        return policy.compresses()
                ? !same || policy.compression() != Compression.LZ4
                : policy.makesHoles() || isToBeConverted(ref, policy);
    }

    /** Whether a block is written anew even if it gets larger. */
    private static boolean isToBeConverted(BlockRef ref, DataPolicy policy) {
        int stored = ref.compressionMethod();
        boolean isPlain = stored == Compression.NONE.code();
        boolean isKnownToAll = isPlain || stored == Compression.LZ4.code() || stored == Compression.ZLIB.code();
        return policy.compresses()
                ? !isKnownToAll && stored != policy.compression().code()
                : !isPlain;
    }

    private int bytesThen(EncodingTrial trial, BlockRef ref, DataPolicy policy) {
        CachedBlock block = topology.io().load(ref);
        try {
            return trial.storedBytes(block.bytes(), policy);
        } finally {
            topology.io().release(block);
        }
    }
}
