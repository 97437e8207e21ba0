package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.EMERG_MODE;
import static io.hammer2.fuse.bridge.ControlRequests.GROWFS;
import static io.hammer2.fuse.bridge.ControlRequests.GROWFS_MODIFIED;
import static io.hammer2.fuse.bridge.ControlRequests.GROWFS_SIZE;
import static io.hammer2.fuse.bridge.ControlRequests.PFS_NAME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.VERSION_GET;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUMES_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUMES_PFS_NAME;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUMES_VERSION;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_ID;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_LIST;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_LIST_BY_POINTER;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_OFFSET;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_PATH_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_SIZE;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.VolumeInfo;
import io.hammer2.fs.volume.Growth;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** The volume as a whole. */
final class VolumeRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private final FileSystem files;

    VolumeRequests(FileSystem files) {
        this.files = files;
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command == VERSION_GET) {
            out.copyFrom(in);
            out.set(INT, 0, files.volume().info().version());
        } else if (command == VOLUME_LIST) {
            volumes(in.get(INT, VOLUMES_COUNT), out);
        } else if (command == VOLUME_LIST_BY_POINTER) {
            throw FuseErrno.ENOTSUP.exception();
        } else if (command == GROWFS) {
            Growth.Result grown = files.grow(in.get(LONG, GROWFS_SIZE));
            out.copyFrom(in);
            out.set(LONG, GROWFS_SIZE, grown.afterBytes());
            out.set(INT, GROWFS_MODIFIED, grown.isChanged() ? 1 : 0);
        } else if (command == EMERG_MODE) {
            files.setEmergencyMode(in.get(INT, 0) != 0);
            out.copyFrom(in);
        } else {
            return false;
        }
        return true;
    }

    private void volumes(int room, MemorySegment out) {
        VolumeInfo info = files.volume().info();
        int count = Math.clamp(room, 0, info.members().size());
        for (int i = 0; i < count; i++) {
            VolumeInfo.Member member = info.members().get(i);
            MemorySegment entry = out.asSlice((long) i * VOLUME_BYTES, VOLUME_BYTES);
            byte[] path = member.device().getBytes(StandardCharsets.UTF_8);
            MemorySegment.copy(path, 0, entry, ValueLayout.JAVA_BYTE, 0, Math.min(path.length, VOLUME_PATH_BYTES - 1));
            entry.set(INT, VOLUME_ID, member.id());
            entry.set(LONG, VOLUME_OFFSET, member.logicalOffset());
            entry.set(LONG, VOLUME_SIZE, member.sizeBytes());
        }
        out.set(INT, VOLUMES_COUNT, count);
        out.set(INT, VOLUMES_VERSION, info.version());
        MemorySegment label = files.pfs().labelBytes();
        MemorySegment.copy(label, 0, out, VOLUMES_PFS_NAME, Math.min(label.byteSize(), PFS_NAME_BYTES - 1));
    }
}
