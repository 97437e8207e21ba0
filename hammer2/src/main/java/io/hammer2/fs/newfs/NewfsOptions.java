package io.hammer2.fs.newfs;

import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * What a new file system shall be.
 *
 * @param version of the volumes: 1, or 2, which several volumes need
 * @param bootBytes boot area, rounded up to 8 MiB; 0 for what suits the size
 * @param auxBytes aux area, likewise
 * @param labels PFSs to make besides LOCAL, three at most; empty for none
 * @param nowMicros time of creation, microseconds since 1970
 * @param uuids random ids: of the file system, then cluster and own id of the super-root, of LOCAL, and of each label
 * @param rootUid owner of the root directory of each PFS
 * @param rootGid its group
 */
public record NewfsOptions(
        int version,
        long bootBytes,
        long auxBytes,
        List<String> labels,
        long nowMicros,
        Supplier<UUID> uuids,
        int rootUid,
        int rootGid) {
    /** The PFS that every file system has. */
    public static final String LOCAL = "LOCAL";

    /** The PFS that is made when no label is asked for. */
    public static final String DEFAULT_LABEL = "DATA";

    public NewfsOptions {
        labels = List.copyOf(labels);
    }

    /** All of it root's, as the reference makes it. */
    public NewfsOptions(
            int version, long bootBytes, long auxBytes, List<String> labels, long nowMicros, Supplier<UUID> uuids) {
        this(version, bootBytes, auxBytes, labels, nowMicros, uuids, 0, 0);
    }

    /** The same, with root directories of somebody's own. */
    public NewfsOptions ownedBy(int uid, int gid) {
        return new NewfsOptions(version, bootBytes, auxBytes, labels, nowMicros, uuids, uid, gid);
    }

    /** Version 2, LOCAL and DATA, areas that suit the size. */
    public static NewfsOptions defaults(long nowMicros, Supplier<UUID> uuids) {
        return new NewfsOptions(2, 0, 0, List.of(DEFAULT_LABEL), nowMicros, uuids);
    }
}
