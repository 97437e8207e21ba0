package io.hammer2.fuse.bridge;

/**
 * Control requests of ours, which DragonFly does not have, in numbers that it leaves free: the small steps of which going over many
 * files is made. Whoever asks keeps all that must be known from one to the next, so that nothing is left behind when it ends at any
 * point. Files are named by inode number; only root and who mounted it may ask.
 *
 * <pre>
 *   children, 16032 bytes    0 inum:8   8 cookie:8 (0 to begin; answered: where to go on, or -1)   16 count:4 (answered)
 *                            32 and so many times: 0 inum:8   8 type:4 (of a directory entry)   12 unused:4
 *   blocks, 16032 bytes      0 inum:8   8 offset:8 (answered: where to go on, or -1)   16 count:4 (answered)
 *                            32 and so many times: 0 offset:8   8 data_off:8   16 check:8 (the first bytes)
 *                                                  24 methods:4   28 unused:4
 *   share, 3616 bytes        0 count:4
 *                            32 and so many times: 0 inum:8   8 offset:8   16 data_off:8 (of what stays)
 *                                                  24 inum:8   32 offset:8   40 data_off:8 (of what refers to it then)
 *                                                  48 outcome:4 (answered: a code of ShareOutcome)   52 unused:4
 *   recompress, 192 bytes    0 inum:8   8 offset:8 (answered: where to go on, or -1)   16 count:4 (answered, of what is rewritten)
 *                            24 blocks:8   32 bytes:8 (answered, of all that was looked at)   40 rewritten:8 (answered, what it takes then)
 *                            64 and so many times: data_off:8
 * </pre>
 */
public final class SweepControl {
    /** Where the repeated part begins. */
    public static final int HEAD_BYTES = 32;

    public static final int CHILD_BYTES = 16;
    public static final int CHILDREN_MAX = 1000;
    public static final int CHILDREN_BYTES = HEAD_BYTES + CHILDREN_MAX * CHILD_BYTES;

    public static final int BLOCK_BYTES = 32;
    public static final int BLOCKS_MAX = 500;
    public static final int BLOCKS_BYTES = HEAD_BYTES + BLOCKS_MAX * BLOCK_BYTES;

    public static final int PAIR_BYTES = 56;
    public static final int PAIRS_MAX = 64;
    public static final int SHARE_BYTES = HEAD_BYTES + PAIRS_MAX * PAIR_BYTES;

    public static final int CHILDREN = ControlRequests.command(210, CHILDREN_BYTES);
    public static final int BLOCKS = ControlRequests.command(211, BLOCKS_BYTES);
    public static final int SHARE = ControlRequests.command(212, SHARE_BYTES);

    public static final int REWRITTEN = 64;
    public static final int REWRITTEN_MAX = 16;
    public static final int RECOMPRESS_BYTES = REWRITTEN + REWRITTEN_MAX * Long.BYTES;
    public static final int RECOMPRESS = ControlRequests.command(213, RECOMPRESS_BYTES);

    public static final long INUM = 0;
    /** Cookie of a listing, or offset in a file; {@link #END} when there is no more. */
    public static final long POSITION = 8;

    public static final long COUNT = 16;
    public static final long END = -1;

    public static final long CHILD_INUM = 0;
    public static final long CHILD_TYPE = 8;

    public static final long BLOCK_OFFSET = 0;
    public static final long BLOCK_DATA_OFF = 8;
    public static final long BLOCK_CHECK = 16;
    public static final long BLOCK_METHODS = 24;

    public static final long PAIR_COUNT = 0;
    public static final long PAIR_FIRST = 0;
    public static final long PAIR_SECOND = 24;
    public static final long PAIR_OUTCOME = 48;

    /** Of one of a pair: inum, offset and data_off. */
    public static final long SIDE_INUM = 0;

    public static final long SIDE_OFFSET = 8;
    public static final long SIDE_DATA_OFF = 16;

    public static final long SEEN_COUNT = 24;
    public static final long SEEN_BYTES = 32;
    public static final long BYTES_THEN = 40;

    private SweepControl() {}
}
