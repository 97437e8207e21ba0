package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.KEY_NONE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CLID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FSID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_GET;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_LOOKUP;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_KEY;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_NEXT;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SUBTYPE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_TYPE;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.PfsInfo;
import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Comparator;
import java.util.List;

/** What there is of PFSs, and which one is mounted. The list never changes here, as nothing changes it yet. */
final class PfsRequests implements RequestFamily {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private final FileSystem files;
    /** By key, unsigned, as the super-root is ordered. */
    private final List<PfsInfo> pfss;

    private PfsRequests(FileSystem files, List<PfsInfo> pfss) {
        this.files = files;
        this.pfss = pfss;
    }

    static PfsRequests of(FileSystem files) throws Hammer2Exception {
        return new PfsRequests(
                files,
                files.volume().pfsList().stream()
                        .sorted(Comparator.comparing(PfsInfo::nameKey, Long::compareUnsigned))
                        .toList());
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command == PFS_GET) {
            pfsGet(in, out);
        } else if (command == PFS_LOOKUP) {
            pfsLookup(in, out);
        } else {
            return false;
        }
        return true;
    }

    private void pfsGet(MemorySegment in, MemorySegment out) {
        long key = in.get(LONG, PFS_NAME_KEY);
        if (key == KEY_NONE) {
            describe(files.pfs(), KEY_NONE, in, out);
            return;
        }
        for (int i = 0; i < pfss.size(); i++) {
            if (Long.compareUnsigned(pfss.get(i).nameKey(), key) >= 0) {
                describe(pfss.get(i), i + 1 < pfss.size() ? pfss.get(i + 1).nameKey() : KEY_NONE, in, out);
                return;
            }
        }
        throw FuseErrno.ENOENT.exception();
    }

    private void pfsLookup(MemorySegment in, MemorySegment out) {
        MemorySegment name = in.asSlice(PFS_NAME, nameBytes(in));
        for (PfsInfo pfs : pfss) {
            if (pfs.labelBytes().mismatch(name) < 0) {
                describe(pfs, KEY_NONE, in, out);
                return;
            }
        }
        throw FuseErrno.ENOENT.exception();
    }

    /** Up to the terminating zero; one that is missing ends at the end of the field. */
    private static long nameBytes(MemorySegment pfs) {
        long bytes = 0;
        while (bytes < PFS_NAME_BYTES && pfs.get(ValueLayout.JAVA_BYTE, PFS_NAME + bytes) != 0) {
            bytes++;
        }
        return bytes;
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
