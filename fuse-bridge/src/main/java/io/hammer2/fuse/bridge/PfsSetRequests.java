package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.LABELS;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_CORE_NANOS;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_FLAGS;
import static io.hammer2.fuse.bridge.ControlRequests.LABELS_MAX;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_DELETES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FLAG_NOSYNC;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_ROLLBACK;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SNAPSHOTS;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/** Our own requests for several PFSs at once, and for a rollback. */
final class PfsSetRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private final FileSystem files;

    PfsSetRequests(FileSystem files) {
        this.files = files;
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        List<PfsChange> changes;
        if (command == PFS_SNAPSHOTS) {
            changes = snapshots(in);
        } else if (command == PFS_DELETES) {
            changes = deletes(in);
        } else if (command == PFS_ROLLBACK) {
            changes = List.of(new PfsChange.Rollback(label(in, 0), label(in, 1), false));
        } else {
            return false;
        }
        long coreNanos = files.volume().pfss().change(changes).coreNanos();
        out.copyFrom(in);
        out.set(LONG, LABELS_CORE_NANOS, coreNanos);
        return true;
    }

    private List<PfsChange> snapshots(MemorySegment in) {
        boolean ofLastCommit = (in.get(INT, LABELS_FLAGS) & PFS_FLAG_NOSYNC) != 0;
        List<PfsChange> changes = new ArrayList<>();
        for (int i = 0; i < count(in, LABELS_MAX / 2); i++) {
            Label named = label(in, 2 * i);
            Label source = named.length() > 0 ? named : PfsRequests.labelOf(files.pfs());
            changes.add(new PfsChange.Snapshot(source, label(in, 2 * i + 1), ofLastCommit, PfsRequests.randomIds()));
        }
        return changes;
    }

    private static List<PfsChange> deletes(MemorySegment in) {
        List<PfsChange> changes = new ArrayList<>();
        for (int i = 0; i < count(in, LABELS_MAX); i++) {
            changes.add(new PfsChange.Delete(label(in, i)));
        }
        return changes;
    }

    private static int count(MemorySegment in, int most) {
        int count = in.get(INT, LABELS_COUNT);
        if (count < 1 || count > most) {
            throw FuseErrno.EINVAL.exception();
        }
        return count;
    }

    private static Label label(MemorySegment in, int index) {
        return PfsRequests.label(in, LABELS + (long) index * PFS_NAME_BYTES);
    }
}
