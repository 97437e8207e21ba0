package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_GET;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_INODE_COUNT;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.InodeInfo;
import io.hammer2.fuse.FuseCall;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** An inode as it lies on the medium. */
final class InodeRequests implements RequestFamily {
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private final FileSystem files;

    InodeRequests(FileSystem files) {
        this.files = files;
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command != INODE_GET) {
            return false;
        }
        inodeGet(node, in, out);
        return true;
    }

    private void inodeGet(long node, MemorySegment in, MemorySegment out) {
        InodeInfo inode = files.inodeInfo(node);
        out.copyFrom(in);
        out.set(LONG, INODE_DATA_COUNT, inode.ref().dataCount());
        out.set(LONG, INODE_INODE_COUNT, inode.ref().inodeCount());
        MemorySegment.copy(
                inode.inodeBlock(), 0, out, INODE_DATA, inode.inodeBlock().byteSize());
    }
}
