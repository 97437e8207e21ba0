package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.KEY_NONE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_CLID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_FSID;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_GET;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_KEY;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_NEXT;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_SUBTYPE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_TYPE;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.hammer2.fs.media.MediaUuid;
import io.hammer2.fs.media.NameText;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The PFSs of a mounted volume. */
final class PfsIoctls {
    private static final int PFS_COUNT_MAX = 1 << 20;

    private final MountedFile file;

    PfsIoctls(MountedFile file) {
        this.file = file;
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
            rows.add(new PfsRow(
                    PfsTypeText.of(pfs.get(JAVA_BYTE, PFS_TYPE), pfs.get(JAVA_BYTE, PFS_SUBTYPE)),
                    NameText.of(name(pfs)),
                    MediaUuid.read(pfs, PFS_CLID),
                    MediaUuid.read(pfs, PFS_FSID),
                    pfs.get(JAVA_LONG, PFS_NAME_KEY)));
            key = pfs.get(JAVA_LONG, PFS_NAME_NEXT);
        }
        return rows;
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
