package io.hammer2.fs;

/**
 * Space of a volume (format section 16.2).
 *
 * @param blockBytes unit of the next three
 * @param blocks that can hold data
 * @param blocksFree that are free
 * @param blocksAvailable that are free to who is not root: 5% less
 * @param files inodes of the PFS
 * @param fsid identifies the file system
 */
public record StatFs(
        int blockBytes, long blocks, long blocksFree, long blocksAvailable, long files, int nameBytesMax, long fsid) {}
