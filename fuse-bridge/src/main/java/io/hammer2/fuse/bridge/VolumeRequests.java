package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.VERSION_GET;

import io.hammer2.fs.FileSystem;
import io.hammer2.fuse.FuseCall;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The volume as a whole. */
final class VolumeRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private final int version;

    VolumeRequests(FileSystem files) {
        this.version = files.volume().info().version();
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command != VERSION_GET) {
            return false;
        }
        out.copyFrom(in);
        out.set(INT, 0, version);
        return true;
    }
}
