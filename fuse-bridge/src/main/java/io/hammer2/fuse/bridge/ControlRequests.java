package io.hammer2.fuse.bridge;

import java.util.Set;

/**
 * The control requests of a mounted HAMMER2, with the numbers and structures of DragonFly's 64-bit ones, so that its tools find
 * what they expect. All are {@code _IOWR('h', number, struct)}, which BSD and Linux encode alike: {@code 0 number 8 'h' 16 size
 * 30 direction (both)}.
 *
 * <pre>
 *   version, 256 bytes    0 version:4   4 reserved
 *   pfs, 320 bytes        0 name_key:8   8 name_next:8   16 pfs_type:1   17 pfs_subtype:1   20 pfs_flags:4
 *                         24 (ours) time in core:8, in ns, answered by what changes something
 *                         32 pfs_fsid:16   48 pfs_clid:16   64 name:256, terminated by zero
 *   inode, 1056 bytes     0 flags:4   16 data_count:8   24 inode_count:8   32 the inode as on the medium:1024
 *                         (SET takes of it what the flags say: 0x08 check_algo, 0x10 comp_algo)
 *   bulkfree, 64 bytes    0 sbase:8   8 sstop:8   16 size:8 (memory that it may take; 0 for the default)
 *                         24 count_allocated:8   32 count_freed:8   40 total_fragmented:8   48 total_allocated:8
 *                         56 total_scanned:8   (of these sstop and the counts are answered, in bytes)
 *   progress, 8 bytes     0 percent:4 (answered; 100 when none goes on)   4 reserved:4
 *   destroy, 272 bytes    0 cmd:4 (1 path, 2 inum)   4 path:256, terminated by zero   264 inum:8
 *   emerg_mode, 4 bytes   0 on:4
 *   growfs, 72 bytes      0 size:8 (0 for that of the device; answered)   8 modified:4 (answered)   12 reserved:60
 *   volumes, 5896 bytes   0 volumes, 88 bytes each:  0 path:64, terminated by zero   64 id:4   72 offset:8   80 size:8
 *                         5632 nvolumes:4 (how many there is room for; answered)   5636 version:4   5640 pfs_name:256
 * </pre>
 *
 * <p>Ours, with numbers that DragonFly does not use. Labels are 256 bytes, terminated by zero; all changes of a request are made in one
 * commit, or none.
 *
 * <pre>
 *   pfs_snapshots, 15376 bytes    0 count:4   4 flags:4 (as pfs_flags)   8 time in core:8, answered
 *                                 16 30 times source:256, an empty one for the PFS that is asked; label:256
 *   pfs_deletes, 15376 bytes      0 count:4   8 time in core:8, answered   16 60 times label:256
 *   pfs_rollback, 528 bytes       0 reserved:8   8 time in core:8, answered   16 label:256   272 source:256
 *   pfs_subtree, 288 bytes        0 id:8 (0 to begin with the directory that is asked; answered)   8 time in core:8, answered
 *                                 16 names:8 (answered: so many were met)   24 made:4 (answered: 1 at the end)   32 label:256
 *                                 (made in steps, of which each is asked for with the id and the label)
 * </pre>
 */
public final class ControlRequests {
    public static final int VERSION_BYTES = 256;
    public static final int PFS_BYTES = 320;
    public static final int INODE_BYTES = 1056;
    public static final int BULKFREE_BYTES = 64;

    public static final int BULKFREE_PROGRESS_BYTES = 8;
    public static final int DESTROY_BYTES = 272;
    public static final int EMERG_MODE_BYTES = 4;
    public static final int GROWFS_BYTES = 72;
    public static final int VOLUMES_BYTES = 5896;

    public static final int VERSION_GET = command(64, VERSION_BYTES);
    public static final int PFS_GET = command(80, PFS_BYTES);
    public static final int PFS_CREATE = command(81, PFS_BYTES);
    public static final int PFS_DELETE = command(82, PFS_BYTES);
    public static final int PFS_LOOKUP = command(83, PFS_BYTES);
    public static final int PFS_SNAPSHOT = command(84, PFS_BYTES);
    public static final int INODE_GET = command(86, INODE_BYTES);
    public static final int INODE_SET = command(87, INODE_BYTES);
    public static final int BULKFREE_SCAN = command(92, BULKFREE_BYTES);

    /** Ours: how far the bulkfree is that goes on. */
    public static final int BULKFREE_PROGRESS = command(210, BULKFREE_PROGRESS_BYTES);

    public static final int DESTROY = command(94, DESTROY_BYTES);
    public static final int EMERG_MODE = command(95, EMERG_MODE_BYTES);
    public static final int GROWFS = command(96, GROWFS_BYTES);

    public static final int LABELS = 16;
    public static final int LABELS_COUNT = 0;
    public static final int LABELS_FLAGS = 4;
    public static final int LABELS_CORE_NANOS = 8;
    public static final int LABELS_MAX = 60;
    public static final int LABELS_BYTES = LABELS + LABELS_MAX * 256;
    public static final int ROLLBACK_BYTES = LABELS + 2 * 256;

    public static final long SUBTREE_ID = 0;
    public static final long SUBTREE_CORE_NANOS = 8;
    public static final long SUBTREE_NAMES = 16;
    public static final long SUBTREE_MADE = 24;
    public static final long SUBTREE_LABEL = 32;
    public static final int SUBTREE_BYTES = 32 + 256;

    public static final int PFS_SUBTREE = command(203, SUBTREE_BYTES);

    public static final int PFS_SNAPSHOTS = command(200, LABELS_BYTES);
    public static final int PFS_DELETES = command(201, LABELS_BYTES);
    public static final int PFS_ROLLBACK = command(202, ROLLBACK_BYTES);

    /**
     * DragonFly's own list: {@code volumes:8} (a pointer), {@code nvolumes:4 version:4 pfs_name:256}. No FUSE server can write where a pointer
     * leads, so the answer is ENOTSUP, and who gets it asks for {@link #VOLUME_LIST}.
     */
    public static final int VOLUME_LIST_BY_POINTER = command(97, 272);

    /** VOLUME_LIST2 of the ports, whose structure holds the list itself. */
    public static final int VOLUME_LIST = command(197, VOLUMES_BYTES);

    /**
     * Requests that change the volume, and which only root and the mount's owner may make. Bulkfree changes no content, and DragonFly lets
     * everybody ask for it who can open a file.
     */
    private static final Set<Integer> CHANGES = Set.of(
            PFS_CREATE,
            PFS_DELETE,
            PFS_SNAPSHOT,
            PFS_SNAPSHOTS,
            PFS_DELETES,
            PFS_ROLLBACK,
            PFS_SUBTREE,
            INODE_SET,
            DESTROY,
            EMERG_MODE,
            GROWFS,
            SweepControl.SHARE,
            SweepControl.RECOMPRESS);

    /** Requests that change nothing, and tell what permissions of files and directories may hide. */
    private static final Set<Integer> DISCLOSURES = Set.of(SweepControl.CHILDREN, SweepControl.BLOCKS);

    public static final long PFS_NAME_KEY = 0;
    public static final long PFS_NAME_NEXT = 8;
    public static final long PFS_TYPE = 16;
    public static final long PFS_SUBTYPE = 17;
    public static final long PFS_FLAGS = 20;
    public static final long PFS_CORE_NANOS = 24;
    public static final long PFS_FSID = 32;
    public static final long PFS_CLID = 48;
    public static final long PFS_NAME = 64;
    public static final int PFS_NAME_BYTES = 256;

    /** {@link #PFS_SNAPSHOT}: of the last commit, without a sync before. */
    public static final int PFS_FLAG_NOSYNC = 1;

    /** {@link #PFS_GET}: the key that means the mounted PFS itself; {@code name_next}: there is no other. */
    public static final long KEY_NONE = -1;

    public static final long INODE_FLAGS = 0;
    public static final long INODE_DATA_COUNT = 16;
    public static final long INODE_INODE_COUNT = 24;
    public static final long INODE_DATA = 32;

    public static final int INODE_FLAG_CHECK = 0x08;
    public static final int INODE_FLAG_COMP = 0x10;

    public static final long BULKFREE_STOP = 8;
    public static final long BULKFREE_MEMORY = 16;
    public static final long BULKFREE_ALLOCATED = 24;
    public static final long BULKFREE_FREED = 32;

    public static final long DESTROY_PATH = 4;
    public static final int DESTROY_PATH_BYTES = 256;
    public static final long DESTROY_INUM = 264;

    public static final long GROWFS_SIZE = 0;
    public static final long GROWFS_MODIFIED = 8;

    public static final int VOLUME_BYTES = 88;
    public static final int VOLUME_PATH_BYTES = 64;
    public static final long VOLUME_ID = 64;
    public static final long VOLUME_OFFSET = 72;
    public static final long VOLUME_SIZE = 80;
    public static final long VOLUMES_COUNT = 5632;
    public static final long VOLUMES_VERSION = 5636;
    public static final long VOLUMES_PFS_NAME = 5640;

    /** Whether a request tells more than permissions allow to everybody. */
    static boolean isDisclosure(int command) {
        return DISCLOSURES.contains(command);
    }

    /** Whether a request changes the volume, if it is known. */
    static boolean isChange(int command) {
        return CHANGES.contains(command);
    }

    static int command(int number, int bytes) {
        return 0xc0000000 | bytes << 16 | 'h' << 8 | number;
    }

    private ControlRequests() {}
}
