package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.INODE_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_DATA_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_FLAGS;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_FLAG_CHECK;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_FLAG_COMP;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_GET;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_INODE_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.INODE_SET;
import static java.lang.foreign.ValueLayout.JAVA_INT;
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

    /** How the data of files is compressed that is written from now on, or of what is created in a directory. */
    void setCompression(int compAlgo) {
        set(INODE_FLAG_COMP, inode().inode(), compAlgo, 0);
    }

    /** As {@link #setCompression}, how it is checked. */
    void setCheck(int checkAlgo) {
        set(INODE_FLAG_CHECK, inode().inode(), 0, checkAlgo);
    }

    private void set(int flag, InodeBlock current, int compAlgo, int checkAlgo) {
        MemorySegment state = file.structure(INODE_BYTES);
        state.set(JAVA_INT, INODE_FLAGS, flag);
        state.asSlice(INODE_DATA, Limits.INODE_BYTES).copyFrom(current.bytes());
        new InodeBlock(state.asSlice(INODE_DATA, Limits.INODE_BYTES)).setAlgorithms(compAlgo, checkAlgo);
        if (!file.request(INODE_SET, state)) {
            throw new ToolException(file.path() + ": no such inode");
        }
    }
}
