package io.hammer2.fs.media;

/** Every bound on what a volume can make the code do or hold. */
public final class Limits {
    // Fixed by the format (section 1, 16.4).

    public static final int KIB = 1 << 10;
    public static final int MIB = 1 << 20;
    public static final long GIB = 1L << 30;

    /** Bytes of a block reference. */
    public static final int BLOCK_REF_BYTES = 128;

    /** References in the block set of an inode or of the volume header. */
    public static final int BLOCK_SET_COUNT = 4;

    /** Smallest allocation, as a radix. */
    public static final int RADIX_MIN = 10;

    /** Largest allocation, as a radix. */
    public static final int RADIX_MAX = 16;

    /** Smallest indirect block, as a radix. */
    public static final int INDIRECT_RADIX_MIN = 12;

    /** Bytes of the largest block, of a logical file block and of a physical buffer that no block crosses. */
    public static final int BLOCK_BYTES_MAX = 1 << RADIX_MAX;

    /** Radix of a logical file block. */
    public static final int DATA_KEYBITS = 16;

    /** Bytes of an inode. */
    public static final int INODE_BYTES = 1024;

    /** Bytes of file content that fit into an inode. */
    public static final int DIRECT_DATA_BYTES = 512;

    /** Bytes of a directory entry's name. */
    public static final int NAME_BYTES_MAX = 255;

    /** Bytes of a name that fit into the directory entry's own reference. */
    public static final int NAME_EMBEDDED_BYTES_MAX = 64;

    /** Bytes of a volume header. */
    public static final int VOLUME_HEADER_BYTES = 65536;

    /** Copies of the volume header. */
    public static final int VOLUME_HEADER_COPIES = 4;

    /** Distance of the header copies. */
    public static final long ZONE_BYTES = 2 * GIB;

    /** The first segment of every GiB is reserved for headers and freemap. */
    public static final long RESERVED_SEGMENT_BYTES = 4L * MIB;

    /** A volume's size is a multiple of this. */
    public static final long VOLUME_ALIGNMENT_BYTES = 8L * MIB;

    /** Volumes of one file system. */
    public static final int VOLUMES_MAX = 64;

    /** Smallest unit of the freemap. */
    public static final int FREEMAP_GRANULE_BYTES = 16384;

    /** What one bitmap entry of the freemap covers. */
    public static final int FREEMAP_SEGMENT_BYTES = 4 * MIB;

    /** Bytes of a freemap block. */
    public static final int FREEMAP_BLOCK_BYTES = 32768;

    /** Radix of what a freemap leaf covers. */
    public static final int FREEMAP_LEAF_KEYBITS = 30;

    /** Collision counter in a directory key: a bucket holds one more than this. */
    public static final long DIRECTORY_COLLISION_MASK = 0x7FFF;

    /** Largest file: keys are byte offsets, and the interfaces of the hosts are signed. */
    public static final long FILE_BYTES_MAX = Long.MAX_VALUE;

    // Chosen by us.

    /**
     * Levels of indirect blocks below one inode. The format fixes none (section 7, rule 7) and asks for a bound; DragonFly's
     * own directories of 20,000 entries have nine.
     */
    public static final int TREE_DEPTH_MAX = 64;

    /** Bytes of a symbolic link's target: Linux' PATH_MAX less its NUL. */
    public static final int SYMLINK_BYTES_MAX = 4095;

    private Limits() {}
}
