package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.KEY_NONE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CLID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CORE_NANOS;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CREATE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_DELETE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FLAGS;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FLAG_NOSYNC;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FSID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_GET;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_LOOKUP;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_KEY;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_NEXT;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SNAPSHOT;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SUBTYPE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_TYPE;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.PfsControl;
import io.hammer2.fs.PfsInfo;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;

/** DragonFly's requests for PFSs: which there are, which one is mounted, and changes of that, each durable when it is answered. */
final class PfsRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final UUID NIL = new UUID(0, 0);

    private final FileSystem files;
    private final PfsControl pfss;

    PfsRequests(FileSystem files) {
        this.files = files;
        this.pfss = files.volume().pfss();
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command == PFS_GET) {
            get(in, out);
        } else if (command == PFS_LOOKUP) {
            describe(find(label(in, PFS_NAME)), KEY_NONE, in, out);
        } else if (command == PFS_CREATE) {
            create(in, out);
        } else if (command == PFS_DELETE) {
            done(pfss.change(List.of(new PfsChange.Delete(label(in, PFS_NAME)))), in, out);
        } else if (command == PFS_SNAPSHOT) {
            snapshot(in, out);
        } else {
            return false;
        }
        return true;
    }

    /** The one with a key, or the next one. By key, unsigned, as the super-root is ordered. */
    private void get(MemorySegment in, MemorySegment out) {
        long key = in.get(LONG, PFS_NAME_KEY);
        if (key == KEY_NONE) {
            describe(files.pfs(), KEY_NONE, in, out);
            return;
        }
        List<PfsInfo> from = pfss.list().stream()
                .filter(pfs -> Long.compareUnsigned(pfs.nameKey(), key) >= 0)
                .sorted(Comparator.comparing(PfsInfo::nameKey, Long::compareUnsigned))
                .limit(2)
                .toList();
        if (from.isEmpty()) {
            throw FuseErrno.ENOENT.exception();
        }
        describe(from.getFirst(), from.size() > 1 ? from.get(1).nameKey() : KEY_NONE, in, out);
    }

    private PfsInfo find(Label label) {
        PfsInfo found = pfss.find(label);
        if (found == null) {
            throw FuseErrno.ENOENT.exception();
        }
        return found;
    }

    private void create(MemorySegment in, MemorySegment out) {
        Label label = label(in, PFS_NAME);
        PfsType type;
        try {
            type = PfsType.of(in.get(ValueLayout.JAVA_BYTE, PFS_TYPE));
        } catch (CorruptBlockException e) {
            throw FuseErrno.EINVAL.exception();
        }
        PfsChange.Ids ids =
                new PfsChange.Ids(orRandom(MediaUuid.read(in, PFS_CLID)), orRandom(MediaUuid.read(in, PFS_FSID)));
        PfsControl.Timing timing = pfss.change(List.of(new PfsChange.Create(label, type, ids)));
        describe(find(label), KEY_NONE, in, out);
        out.set(LONG, PFS_CORE_NANOS, timing.coreNanos());
    }

    private void snapshot(MemorySegment in, MemorySegment out) {
        boolean ofLastCommit = (in.get(INT, PFS_FLAGS) & PFS_FLAG_NOSYNC) != 0;
        done(
                pfss.change(List.of(
                        new PfsChange.Snapshot(labelOf(files.pfs()), label(in, PFS_NAME), ofLastCommit, randomIds()))),
                in,
                out);
    }

    private static void done(PfsControl.Timing timing, MemorySegment in, MemorySegment out) {
        out.copyFrom(in);
        out.set(LONG, PFS_CORE_NANOS, timing.coreNanos());
    }

    static PfsChange.Ids randomIds() {
        return new PfsChange.Ids(UUID.randomUUID(), UUID.randomUUID());
    }

    private static UUID orRandom(UUID given) {
        return given.equals(NIL) ? UUID.randomUUID() : given;
    }

    static Label labelOf(PfsInfo pfs) {
        return Label.of(pfs.labelBytes().toArray(ValueLayout.JAVA_BYTE));
    }

    /**
     * The label in a field, up to the terminating zero.
     *
     * @throws io.hammer2.fuse.FuseException EINVAL where there is none: what would be cut off is not meant
     */
    static Label label(MemorySegment in, long offset) {
        MemorySegment field = in.asSlice(offset, PFS_NAME_BYTES);
        int bytes = 0;
        while (bytes < PFS_NAME_BYTES && field.get(ValueLayout.JAVA_BYTE, bytes) != 0) {
            bytes++;
        }
        if (bytes == PFS_NAME_BYTES) {
            throw FuseErrno.EINVAL.exception();
        }
        return Label.of(field.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE));
    }

    private static void describe(PfsInfo pfs, long nextKey, MemorySegment in, MemorySegment out) {
        out.copyFrom(in);
        out.set(LONG, PFS_NAME_KEY, pfs.nameKey());
        out.set(LONG, PFS_NAME_NEXT, nextKey);
        out.set(ValueLayout.JAVA_BYTE, PFS_TYPE, pfs.type().code());
        out.set(ValueLayout.JAVA_BYTE, PFS_SUBTYPE, (byte) pfs.subtype());
        MediaUuid.write(out, PFS_FSID, pfs.fsid());
        MediaUuid.write(out, PFS_CLID, pfs.clid());
        MemorySegment label = pfs.labelBytes();
        long kept = Math.min(label.byteSize(), PFS_NAME_BYTES - 1);
        out.asSlice(PFS_NAME, PFS_NAME_BYTES).fill((byte) 0);
        MemorySegment.copy(label, 0, out, PFS_NAME, kept);
    }
}
