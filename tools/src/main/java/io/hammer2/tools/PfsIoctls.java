package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.KEY_NONE;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_CORE_NANOS;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_FLAGS;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_MAX;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CLID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CORE_NANOS;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CREATE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_DELETE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_DELETES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FLAGS;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FLAG_NOSYNC;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FSID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_GET;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_KEY;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_NEXT;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_ROLLBACK;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SNAPSHOT;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SNAPSHOTS;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SUBTREE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SUBTYPE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_TYPE;
import static io.hammer2.fuse.bridge.ControlRequests.ROLLBACK_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_CORE_NANOS;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_LABEL;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_MADE;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_NAMES;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.stream.Stream;

/** Requests for the PFSs of a mounted volume; those that change something answer with the time in core, in ns. */
final class PfsIoctls {
    static final int ENOENT = 2;
    static final int EBUSY = 16;
    static final int EEXIST = 17;
    static final int EIO = 5;
    static final int ENOTDIR = 20;
    static final int EINVAL = 22;
    static final int ENOSPC = 28;

    private static final int PFS_COUNT_MAX = 1 << 20;

    private final MountedFile file;

    PfsIoctls(MountedFile file) {
        this.file = file;
    }

    /** A change was refused: for whoever knows what was asked to say what that means. */
    static final class Refusal extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final int errno;

        private Refusal(int errno) {
            super("error " + errno, null, false, false);
            this.errno = errno;
        }

        int errno() {
            return errno;
        }
    }

    /** All PFSs of the volume, in the order of their keys. */
    List<PfsRow> list() {
        List<PfsRow> rows = new ArrayList<>();
        MemorySegment pfs = file.structure(PFS_BYTES);
        long key = 0;
        while (key != KEY_NONE && rows.size() < PFS_COUNT_MAX) {
            pfs.fill((byte) 0);
            pfs.set(JAVA_LONG, PFS_NAME_KEY, key);
            if (!file.request(PFS_GET, pfs)) {
                break;
            }
            rows.add(row(pfs));
            key = pfs.get(JAVA_LONG, PFS_NAME_NEXT);
        }
        return rows;
    }

    /** The one that the file is of. */
    PfsRow own() {
        MemorySegment pfs = file.structure(PFS_BYTES);
        pfs.set(JAVA_LONG, PFS_NAME_KEY, KEY_NONE);
        file.request(PFS_GET, pfs);
        return row(pfs);
    }

    /** @param clid null for one of its own */
    long create(Label label, PfsType type, UUID clid) {
        MemorySegment pfs = pfs(label);
        pfs.set(JAVA_BYTE, PFS_TYPE, type.code());
        if (clid != null) {
            MediaUuid.write(pfs, PFS_CLID, clid);
        }
        return change(PFS_CREATE, pfs, PFS_CORE_NANOS);
    }

    long delete(Label label) {
        return change(PFS_DELETE, pfs(label), PFS_CORE_NANOS);
    }

    /** Of the PFS that the file is of. */
    long snapshot(Label label, boolean ofLastCommit) {
        MemorySegment pfs = pfs(label);
        pfs.set(JAVA_INT, PFS_FLAGS, ofLastCommit ? PFS_FLAG_NOSYNC : 0);
        return change(PFS_SNAPSHOT, pfs, PFS_CORE_NANOS);
    }

    long deleteAll(List<Label> labels) {
        if (labels.size() > LABELS_MAX) {
            throw new ToolException("at most " + LABELS_MAX + " PFSs can be deleted at once");
        }
        return change(PFS_DELETES, labels(LABELS_BYTES, labels.size(), labels), LABELS_CORE_NANOS);
    }

    long snapshots(List<VolumePfss.Snapshot> snapshots, boolean ofLastCommit) {
        if (snapshots.size() > LABELS_MAX / 2) {
            throw new ToolException("at most " + LABELS_MAX / 2 + " snapshots can be made at once");
        }
        List<Label> labels = snapshots.stream()
                .flatMap(snapshot -> Stream.of(snapshot.source(), snapshot.label()))
                .toList();
        MemorySegment request = labels(LABELS_BYTES, snapshots.size(), labels);
        request.set(JAVA_INT, LABELS_FLAGS, ofLastCommit ? PFS_FLAG_NOSYNC : 0);
        return change(PFS_SNAPSHOTS, request, LABELS_CORE_NANOS);
    }

    /**
     * Of the directory that the file is, as a PFS of its own.
     *
     * @param names hears now and then how many were met
     */
    long subtree(Label label, LongConsumer names) {
        MemorySegment request = file.structure(SUBTREE_BYTES);
        put(label, request, SUBTREE_LABEL);
        do {
            change(PFS_SUBTREE, request, SUBTREE_CORE_NANOS);
            names.accept(request.get(JAVA_LONG, SUBTREE_NAMES));
        } while (request.get(JAVA_INT, SUBTREE_MADE) == 0);
        return request.get(JAVA_LONG, SUBTREE_CORE_NANOS);
    }

    long rollback(Label label, Label source) {
        return change(PFS_ROLLBACK, labels(ROLLBACK_BYTES, 0, List.of(label, source)), LABELS_CORE_NANOS);
    }

    private MemorySegment pfs(Label label) {
        MemorySegment pfs = file.structure(PFS_BYTES);
        put(label, pfs, PFS_NAME);
        return pfs;
    }

    private MemorySegment labels(int bytes, int count, List<Label> labels) {
        MemorySegment request = file.structure(bytes);
        request.set(JAVA_INT, LABELS_COUNT, count);
        for (int i = 0; i < labels.size(); i++) {
            put(labels.get(i), request, LABELS + (long) i * PFS_NAME_BYTES);
        }
        return request;
    }

    private static void put(Label label, MemorySegment request, long offset) {
        byte[] bytes = label.bytes();
        if (bytes.length >= PFS_NAME_BYTES) {
            throw new ToolException("a label has at most " + (PFS_NAME_BYTES - 1) + " bytes, not " + bytes.length);
        }
        MemorySegment.copy(bytes, 0, request, JAVA_BYTE, offset, bytes.length);
    }

    private long change(int command, MemorySegment request, long coreNanos) {
        int errno = file.tryRequest(command, request);
        if (errno != 0) {
            throw new Refusal(errno);
        }
        return request.get(JAVA_LONG, coreNanos);
    }

    private static PfsRow row(MemorySegment pfs) {
        return new PfsRow(
                PfsTypeText.of(pfs.get(JAVA_BYTE, PFS_TYPE), pfs.get(JAVA_BYTE, PFS_SUBTYPE)),
                Label.of(name(pfs)),
                MediaUuid.read(pfs, PFS_CLID),
                MediaUuid.read(pfs, PFS_FSID),
                pfs.get(JAVA_LONG, PFS_NAME_KEY));
    }

    private static byte[] name(MemorySegment pfs) {
        byte[] field = pfs.asSlice(PFS_NAME, PFS_NAME_BYTES).toArray(JAVA_BYTE);
        int length = 0;
        while (length < field.length && field[length] != 0) {
            length++;
        }
        return Arrays.copyOf(field, length);
    }
}
