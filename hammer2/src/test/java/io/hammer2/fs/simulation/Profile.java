package io.hammer2.fs.simulation;

import java.util.ArrayList;
import java.util.List;

/**
 * What kind of life a volume has.
 *
 * @param actions how often what is done, by repetition
 * @param inodesMax about as many there are
 * @param names of a directory there are about so many
 * @param fileBytesMax of most files
 * @param writeBytesMax of a write
 * @param farOffsets whether now and then something lies beyond all limits of real disks
 */
record Profile(
        String name,
        List<Action> actions,
        int inodesMax,
        int names,
        int fileBytesMax,
        int writeBytesMax,
        boolean farOffsets) {
    /** What a client can do. */
    enum Action {
        LOOKUP,
        ATTRIBUTES,
        READ,
        READLINK,
        SEEK,
        LIST,
        STATFS,
        OPEN,
        RELEASE,
        CREATE,
        MKDIR,
        MKNOD,
        UNNAMED,
        SYMLINK,
        LINK,
        UNLINK,
        RMDIR,
        RENAME,
        CHANGE,
        POLICY,
        TRUNCATE,
        WRITE,
        APPEND,
        ALLOCATE,
        COPY,
        FSYNC,
        SYNC
    }

    /** Everything. */
    static final Profile MIXED = new Profile(
            "mixed",
            weights(6, 6, 8, 2, 3, 4, 1, 3, 3, 10, 4, 1, 1, 2, 4, 8, 3, 9, 5, 3, 5, 12, 4, 3, 4, 0, 0),
            80,
            40,
            300_000,
            20_000,
            true);

    /** Names, over and over. */
    static final Profile METADATA = new Profile(
            "metadata storm",
            weights(2, 2, 1, 1, 0, 2, 0, 2, 2, 20, 6, 1, 1, 3, 8, 14, 5, 16, 4, 1, 0, 1, 0, 0, 0, 1, 1),
            120,
            60,
            600,
            600,
            false);

    /** A few files in the middle of them. */
    static final Profile OVERWRITE = new Profile(
            "overwrite",
            weights(0, 0, 2, 0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 3, 3, 20, 1, 3, 3, 1, 1),
            8,
            8,
            200_000,
            70_000,
            false);

    /** Logs. */
    static final Profile APPEND = new Profile(
            "append with fsync",
            weights(0, 0, 2, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 1, 20, 0, 0, 5, 0),
            12,
            12,
            150_000,
            6_000,
            false);

    /** New content under a temporary name, then the name that counts. */
    static final Profile RENAME_OVER = new Profile(
            "rename over",
            weights(1, 0, 1, 0, 0, 1, 0, 0, 0, 10, 1, 0, 2, 1, 3, 1, 1, 16, 1, 1, 0, 8, 2, 0, 0, 3, 1),
            16,
            10,
            4_000,
            3_000,
            false);

    /** More than there is room for. */
    static final Profile FULL = new Profile(
            "full volume",
            weights(1, 1, 2, 0, 0, 1, 2, 1, 1, 6, 1, 0, 0, 0, 1, 4, 1, 4, 2, 2, 3, 20, 6, 2, 2, 1, 1),
            40,
            30,
            3_000_000,
            600_000,
            false);

    /** Whether there may be too little space. */
    boolean fillsVolume() {
        return name.equals(FULL.name);
    }

    static final List<Profile> ALL = List.of(MIXED, METADATA, OVERWRITE, APPEND, RENAME_OVER, FULL);

    /** As many of each as is said, in the order of their declaration. */
    private static List<Action> weights(int... weights) {
        List<Action> actions = new ArrayList<>();
        for (int action = 0; action < weights.length; action++) {
            for (int i = 0; i < weights[action]; i++) {
                actions.add(Action.values()[action]);
            }
        }
        return List.copyOf(actions);
    }
}
