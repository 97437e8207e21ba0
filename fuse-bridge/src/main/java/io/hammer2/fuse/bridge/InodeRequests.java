package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_FLAGS;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_FLAG_CHECK;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_FLAG_COMP;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_GET;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_INODE_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_SET;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.InodeInfo;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** An inode as it lies on the medium, and what its data is to become there. */
final class InodeRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private final FileSystem files;

    InodeRequests(FileSystem files) {
        this.files = files;
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command == INODE_GET) {
            inodeGet(node, in, out);
        } else if (command == INODE_SET) {
            inodeSet(node, in, out);
        }
        return command == INODE_GET || command == INODE_SET;
    }

    private void inodeSet(long node, MemorySegment in, MemorySegment out) {
        int flags = in.get(INT, INODE_FLAGS);
        if ((flags & ~(INODE_FLAG_CHECK | INODE_FLAG_COMP)) != 0) {
            // Quotas and copies, which nothing here keeps to.
            throw FuseErrno.ENOTSUP.exception();
        }
        InodeBlock wanted = new InodeBlock(in.asSlice(INODE_DATA, Limits.INODE_BYTES));
        files.setDataPolicy(
                node,
                (flags & INODE_FLAG_COMP) != 0 ? wanted.compAlgo() : FileSystem.POLICY_KEEP,
                (flags & INODE_FLAG_CHECK) != 0 ? wanted.checkAlgo() : FileSystem.POLICY_KEEP);
        out.copyFrom(in);
    }

    private void inodeGet(long node, MemorySegment in, MemorySegment out) {
        InodeInfo inode = files.inodeInfo(node);
        out.copyFrom(in);
        out.set(LONG, INODE_DATA_COUNT, inode.dataBytes());
        out.set(LONG, INODE_INODE_COUNT, inode.inodes());
        MemorySegment.copy(
                inode.inodeBlock(), 0, out, INODE_DATA, inode.inodeBlock().byteSize());
    }
}
