package io.hammer2.fs.fsck;

import java.util.Arrays;

/** The directories of one PFS, in the order of their inode numbers but the root first, in plain arrays: 60 bytes for each. */
final class DirectoryTable {
    private static final int NO_PARENT = -1;
    private static final int LONGS = 6;
    private static final int INUM = 0;
    private static final int DATA_OFF = 1;
    private static final int MIRROR_TID = 2;
    private static final int DATA_COUNT = 3;
    private static final int INODE_COUNT = 4;
    private static final int IPARENT = 5;

    private int count;
    private long[] longs = new long[64 * LONGS];
    private int[] inodes = new int[64];
    private int[] subdirectories = new int[64];
    private int[] parents = new int[64];

    /** Adds a directory: index of its inode, and what its inode and the reference to that say. */
    void add(int inode, long inum, long dataOff, long mirrorTid, long dataCount, long inodeCount, long iparent) {
        if (count == inodes.length) {
            int size = Math.addExact(count, count >> 1);
            longs = Arrays.copyOf(longs, Math.multiplyExact(size, LONGS));
            inodes = Arrays.copyOf(inodes, size);
            subdirectories = Arrays.copyOf(subdirectories, size);
            parents = Arrays.copyOf(parents, size);
        }
        inodes[count] = inode;
        parents[count] = NO_PARENT;
        int at = count * LONGS;
        longs[at + INUM] = inum;
        longs[at + DATA_OFF] = dataOff;
        longs[at + MIRROR_TID] = mirrorTid;
        longs[at + DATA_COUNT] = dataCount;
        longs[at + INODE_COUNT] = inodeCount;
        longs[at + IPARENT] = iparent;
        count++;
    }

    int count() {
        return count;
    }

    /** Number of the directory whose inode has this index, or a negative one. */
    int ofInode(int inode) {
        return Arrays.binarySearch(inodes, 0, count, inode);
    }

    int inode(int directory) {
        return inodes[directory];
    }

    long inum(int directory) {
        return longs[directory * LONGS + INUM];
    }

    long dataOff(int directory) {
        return longs[directory * LONGS + DATA_OFF];
    }

    long mirrorTid(int directory) {
        return longs[directory * LONGS + MIRROR_TID];
    }

    long dataCount(int directory) {
        return longs[directory * LONGS + DATA_COUNT];
    }

    long inodeCount(int directory) {
        return longs[directory * LONGS + INODE_COUNT];
    }

    long iparent(int directory) {
        return longs[directory * LONGS + IPARENT];
    }

    int subdirectories(int directory) {
        return subdirectories[directory];
    }

    void addSubdirectory(int directory) {
        subdirectories[directory]++;
    }

    /** The directory that has an entry for this one, or a negative number. */
    int parent(int directory) {
        return parents[directory];
    }

    void setParent(int directory, int parent) {
        parents[directory] = parent;
    }
}
