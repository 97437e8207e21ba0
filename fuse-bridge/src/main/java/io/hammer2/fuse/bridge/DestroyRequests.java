package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.DESTROY;
import static io.hammer2.fuse.bridge.ControlRequests.DESTROY_INUM;
import static io.hammer2.fuse.bridge.ControlRequests.DESTROY_PATH;
import static io.hammer2.fuse.bridge.ControlRequests.DESTROY_PATH_BYTES;

import io.hammer2.fs.FileSystem;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Takes out what is damaged and cannot be removed as usual. */
final class DestroyRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final int BY_NAME = 1;
    private static final int BY_INUM = 2;

    private final FileSystem files;

    DestroyRequests(FileSystem files) {
        this.files = files;
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command != DESTROY) {
            return false;
        }
        switch (in.get(INT, 0)) {
            case BY_NAME -> files.destroyName(node, name(in));
            case BY_INUM -> files.destroyInode(in.get(LONG, DESTROY_INUM));
            default -> throw FuseErrno.EINVAL.exception();
        }
        out.copyFrom(in);
        return true;
    }

    /** A name in the directory that was asked, as with DragonFly; no path, whatever the field is called. */
    private static MemorySegment name(MemorySegment in) {
        long bytes = 0;
        while (bytes < DESTROY_PATH_BYTES && in.get(ValueLayout.JAVA_BYTE, DESTROY_PATH + bytes) != 0) {
            if (in.get(ValueLayout.JAVA_BYTE, DESTROY_PATH + bytes) == '/') {
                throw FuseErrno.EINVAL.exception();
            }
            bytes++;
        }
        if (bytes == 0 || bytes == DESTROY_PATH_BYTES) {
            throw FuseErrno.EINVAL.exception();
        }
        return in.asSlice(DESTROY_PATH, bytes);
    }
}
