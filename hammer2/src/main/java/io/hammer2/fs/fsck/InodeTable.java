package io.hammer2.fs.fsck;

import java.util.Arrays;

/**
 * The inodes of one PFS, by inode number, in plain arrays: 17 bytes for each. They come in the order of their numbers, because
 * the index is walked in that order; but the root directory, number 1, comes first and has index 0.
 */
final class InodeTable {
    private static final int NONE = -1;

    private int count;
    private long[] inums = new long[1024];
    private int[] nlinks = new int[1024];
    private int[] refs = new int[1024];
    private byte[] types = new byte[1024];

    /** Adds an inode, whose number is above all others' but the root's, and returns its index. */
    int add(long inum, int type, long nlinkCount) {
        if (count == inums.length) {
            int size = Math.addExact(count, count >> 1);
            inums = Arrays.copyOf(inums, size);
            nlinks = Arrays.copyOf(nlinks, size);
            refs = Arrays.copyOf(refs, size);
            types = Arrays.copyOf(types, size);
        }
        inums[count] = inum;
        types[count] = (byte) type;
        // More links than that are more than there can be entries here.
        nlinks[count] = nlinkCount < 0 || nlinkCount > Integer.MAX_VALUE ? Integer.MAX_VALUE : (int) nlinkCount;
        return count++;
    }

    int count() {
        return count;
    }

    /** Index of the inode, or -1. */
    int find(long inum) {
        if (count > 0 && inums[0] == inum) {
            return 0;
        }
        int low = 1;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = Long.compareUnsigned(inums[middle], inum);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return NONE;
    }

    long inum(int index) {
        return inums[index];
    }

    int type(int index) {
        return types[index] & 0xFF;
    }

    int nlinks(int index) {
        return nlinks[index];
    }

    /** Entries that refer to the inode. */
    int refs(int index) {
        return refs[index];
    }

    void addRef(int index) {
        refs[index] += refs[index] == Integer.MAX_VALUE ? 0 : 1;
    }
}
