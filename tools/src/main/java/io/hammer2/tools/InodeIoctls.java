package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.INODE_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_GET;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_INODE_COUNT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import java.lang.foreign.MemorySegment;

/** The inode of a file or directory. */
final class InodeIoctls {
    private final MountedFile file;

    InodeIoctls(MountedFile file) {
        this.file = file;
    }

    /**
     * An inode and the counters of the reference to it.
     *
     * @param dataCount stored bytes below it
     * @param inodeCount inodes below it
     */
    record InodeState(InodeBlock inode, long dataCount, long inodeCount) {}

    /** The inode as it lies on the medium. */
    InodeState inode() {
        MemorySegment state = file.structure(INODE_BYTES);
        if (!file.request(INODE_GET, state)) {
            throw new ToolException(file.path() + ": no such inode");
        }
        return new InodeState(
                new InodeBlock(state.asSlice(INODE_DATA, Limits.INODE_BYTES)),
                state.get(JAVA_LONG, INODE_DATA_COUNT),
                state.get(JAVA_LONG, INODE_INODE_COUNT));
    }
}
