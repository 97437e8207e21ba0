package io.hammer2.fs.io;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.lwkt.Token;
import java.util.function.Predicate;

/**
 * Blocks of file data that any cpu has read or written lately, by check code, encoding and size: where content that comes again may be
 * found. Bounded; what is old gives way.
 *
 * <p>Whatever it knows is allocated. {@link #forget} takes out what becomes free at the very moment that it does, and a block that was
 * asked for before that is not put in after it.
 */
public final class RecentBlocks {
    private static final int SHARDS = 8;
    private static final int WAYS = 4;

    /** In all shards: a GiB of full blocks, in 4 MiB of memory. */
    private static final int BLOCKS_MAX = 16384;

    private static final int BUCKETS = BLOCKS_MAX / WAYS / SHARDS;

    private final Shard[] shards = new Shard[SHARDS];

    /** A part of the blocks; all of it under its token. */
    private static final class Shard {
        private final Token token = new Token("recent blocks");

        /** Buckets of so many ways, the latest first. */
        private final BlockRef[] blocks = new BlockRef[BUCKETS * WAYS];

        /** Counts the times that something was freed. */
        private long freed;
    }

    public RecentBlocks() {
        for (int i = 0; i < SHARDS; i++) {
            shards[i] = new Shard();
        }
    }

    /** Whether a block can be looked for at all: its check code vouches for it. */
    public static boolean isOfInterest(int checkMethod) {
        return CheckCode.isKnown(checkMethod) && CheckCode.of(checkMethod).verifies();
    }

    /** For {@link #read}, taken while the block is certainly in use. */
    long beginRead(BlockRef ref) {
        Shard shard = shardOf(hash(ref));
        shard.token.acquireShared();
        try {
            return shard.freed;
        } finally {
            shard.token.release();
        }
    }

    /** A block was read and verified; {@code begun} is from {@link #beginRead}. */
    void read(BlockRef ref, long begun) {
        long hash = hash(ref);
        Shard shard = shardOf(hash);
        shard.token.acquire();
        try {
            if (shard.freed == begun) {
                put(shard, hash, ref);
            }
        } finally {
            shard.token.release();
        }
    }

    /** A block has just been allocated; on the volume cpu. */
    public void written(BlockRef ref) {
        long hash = hash(ref);
        Shard shard = shardOf(hash);
        shard.token.acquire();
        try {
            put(shard, hash, ref);
        } finally {
            shard.token.release();
        }
    }

    /**
     * A block that is stored like {@code like}, as far as check codes tell.
     *
     * @param like methods and check code of a reference, and a radix
     * @return null when none is known
     */
    public BlockRef find(BlockRef like) {
        long hash = hash(like);
        Shard shard = shardOf(hash);
        shard.token.acquireShared();
        try {
            int bucket = bucketOf(hash);
            for (int way = 0; way < WAYS; way++) {
                BlockRef known = shard.blocks[bucket + way];
                if (known != null && isAlike(known, like)) {
                    return known;
                }
            }
            return null;
        } finally {
            shard.token.release();
        }
    }

    /** A block has proven not to be what its check code promised. */
    public void remove(BlockRef ref) {
        Shard shard = shardOf(hash(ref));
        shard.token.acquire();
        try {
            int bucket = bucketOf(hash(ref));
            for (int way = 0; way < WAYS; way++) {
                BlockRef known = shard.blocks[bucket + way];
                if (known != null && known.dataOff() == ref.dataOff()) {
                    shard.blocks[bucket + way] = null;
                }
            }
        } finally {
            shard.token.release();
        }
    }

    /** Forgets all blocks whose places become free; on the volume cpu, before any is given out. */
    public void forget(Predicate<BlockRef> isFreed) {
        for (Shard shard : shards) {
            shard.token.acquire();
            try {
                shard.freed++;
                for (int i = 0; i < shard.blocks.length; i++) {
                    if (shard.blocks[i] != null && isFreed.test(shard.blocks[i])) {
                        shard.blocks[i] = null;
                    }
                }
            } finally {
                shard.token.release();
            }
        }
    }

    private static void put(Shard shard, long hash, BlockRef ref) {
        int bucket = bucketOf(hash);
        int from = WAYS - 1;
        for (int way = 0; way < WAYS; way++) {
            BlockRef known = shard.blocks[bucket + way];
            if (known == null || isAlike(known, ref)) {
                from = way;
                break;
            }
        }
        // Of two that are alike the first stays, so that all share one place.
        BlockRef alike = shard.blocks[bucket + from];
        BlockRef latest = alike != null && isAlike(alike, ref) ? alike : ref;
        System.arraycopy(shard.blocks, bucket, shard.blocks, bucket + 1, from);
        shard.blocks[bucket] = latest;
    }

    private static boolean isAlike(BlockRef one, BlockRef other) {
        return one.methods() == other.methods()
                && one.radix() == other.radix()
                && CheckCode.of(one.checkMethod()).isSame(one.check(), other.check());
    }

    private static long hash(BlockRef ref) {
        long word = ref.checkWord();
        long check = CheckCode.of(ref.checkMethod()).lengthBytes() < Long.BYTES ? word & 0xFFFF_FFFFL : word;
        return (check ^ ((long) ref.radix() << 8 | ref.methods())) * 0x9E3779B97F4A7C15L;
    }

    private Shard shardOf(long hash) {
        return shards[(int) (hash >>> 61)];
    }

    private static int bucketOf(long hash) {
        return ((int) (hash >>> 32) & (BUCKETS - 1)) * WAYS;
    }
}
