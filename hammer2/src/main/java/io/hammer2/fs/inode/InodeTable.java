package io.hammer2.fs.inode;

import io.hammer2.lwkt.Token;
import java.util.ArrayList;
import java.util.List;

/**
 * The inodes in use or used lately, by number, shared by all cpus: one {@link Inode}, and so one gate, for each number. In
 * shards, each serialised by a token and bounded; what nobody uses is forgotten, least recently used first.
 */
public final class InodeTable {
    private static final int SHARDS = 16;

    private final Shard[] shards = new Shard[SHARDS];

    /**
     * @param inodesMax bound on those that nobody uses but that are kept
     * @param root the root directory, which is above the index of all others and stays for ever
     */
    public InodeTable(int inodesMax, Inode root) {
        for (int i = 0; i < SHARDS; i++) {
            shards[i] = new Shard(Math.max(1, inodesMax / SHARDS));
        }
        root.users = 1;
        shard(root.inum()).insert(root);
    }

    /** The inode with this number, which stays the only one until {@link #release}; not necessarily one that exists. */
    public Inode acquire(long inum) {
        return shard(inum).acquire(inum);
    }

    /** All that are here, each to be {@linkplain #release released}. */
    public List<Inode> acquireAll() {
        List<Inode> all = new ArrayList<>();
        for (Shard shard : shards) {
            shard.acquireAll(all);
        }
        return all;
    }

    /** Makes an acquired inode be acquired once more. */
    public void retain(Inode inode) {
        Shard shard = shard(inode.inum());
        shard.token.acquire();
        try {
            inode.users++;
        } finally {
            shard.token.release();
        }
    }

    /**
     * Counts who has an acquired inode open.
     *
     * @param change 1 or -1
     * @return how many have now
     */
    public int countOpens(Inode inode, int change) {
        Shard shard = shard(inode.inum());
        shard.token.acquire();
        try {
            inode.opens += change;
            return inode.opens;
        } finally {
            shard.token.release();
        }
    }

    /** Gives an acquired inode back. */
    public void release(Inode inode) {
        shard(inode.inum()).release(inode);
    }

    /** Inodes held, for statistics and tests. */
    public int size() {
        int size = 0;
        for (Shard shard : shards) {
            size += shard.count;
        }
        return size;
    }

    private Shard shard(long inum) {
        return shards[(int) (inum ^ (inum >>> 8)) & (SHARDS - 1)];
    }

    private static final class Shard {
        private final Token token = new Token("inode table");
        private final int unusedMax;
        private Inode[] buckets = new Inode[64];
        private int count;
        private int unused;

        /** Ends of the list of inodes that nobody uses, by age. */
        private Inode oldest;

        private Inode newest;

        Shard(int unusedMax) {
            this.unusedMax = unusedMax;
        }

        Inode acquire(long inum) {
            token.acquire();
            try {
                Inode inode = find(inum);
                if (inode == null) {
                    inode = new Inode(inum);
                    insert(inode);
                } else if (inode.users == 0) {
                    unlink(inode);
                }
                inode.users++;
                return inode;
            } finally {
                token.release();
            }
        }

        void acquireAll(List<Inode> into) {
            token.acquire();
            try {
                for (Inode head : buckets) {
                    for (Inode inode = head; inode != null; inode = inode.nextInBucket) {
                        if (inode.users++ == 0) {
                            unlink(inode);
                        }
                        into.add(inode);
                    }
                }
            } finally {
                token.release();
            }
        }

        void release(Inode inode) {
            token.acquire();
            try {
                if (--inode.users == 0) {
                    link(inode);
                    if (unused > unusedMax) {
                        Inode victim = oldest;
                        unlink(victim);
                        remove(victim);
                    }
                }
            } finally {
                token.release();
            }
        }

        private Inode find(long inum) {
            Inode inode = buckets[bucket(inum)];
            while (inode != null && inode.inum() != inum) {
                inode = inode.nextInBucket;
            }
            return inode;
        }

        private void insert(Inode inode) {
            if (count == buckets.length) {
                grow();
            }
            int bucket = bucket(inode.inum());
            inode.nextInBucket = buckets[bucket];
            buckets[bucket] = inode;
            count++;
        }

        private void remove(Inode inode) {
            int bucket = bucket(inode.inum());
            if (buckets[bucket] == inode) {
                buckets[bucket] = inode.nextInBucket;
            } else {
                Inode before = buckets[bucket];
                while (before.nextInBucket != inode) {
                    before = before.nextInBucket;
                }
                before.nextInBucket = inode.nextInBucket;
            }
            count--;
        }

        private void link(Inode inode) {
            inode.older = newest;
            inode.newer = null;
            if (newest == null) {
                oldest = inode;
            } else {
                newest.newer = inode;
            }
            newest = inode;
            unused++;
        }

        private void unlink(Inode inode) {
            if (inode.older == null) {
                oldest = inode.newer;
            } else {
                inode.older.newer = inode.newer;
            }
            if (inode.newer == null) {
                newest = inode.older;
            } else {
                inode.newer.older = inode.older;
            }
            inode.older = null;
            inode.newer = null;
            unused--;
        }

        private void grow() {
            Inode[] old = buckets;
            buckets = new Inode[old.length * 2];
            for (Inode head : old) {
                for (Inode inode = head; inode != null; ) {
                    Inode next = inode.nextInBucket;
                    int bucket = bucket(inode.inum());
                    inode.nextInBucket = buckets[bucket];
                    buckets[bucket] = inode;
                    inode = next;
                }
            }
        }

        private int bucket(long inum) {
            long mixed = inum * 0x9E3779B97F4A7C15L;
            return (int) (mixed >>> 32) & (buckets.length - 1);
        }
    }
}
