package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.EMERG_MODE;
import static io.hammer2.fuse.bridge.ControlRequests.EMERG_MODE_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.GROWFS;
import static io.hammer2.fuse.bridge.ControlRequests.GROWFS_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.GROWFS_MODIFIED;
import static io.hammer2.fuse.bridge.ControlRequests.GROWFS_SIZE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** A mounted volume as a whole. */
final class VolumeIoctls {
    private final MountedFile file;

    VolumeIoctls(MountedFile file) {
        this.file = file;
    }

    /**
     * What a volume is after it was to grow.
     *
     * @param sizeBytes of the file system
     * @param isChanged whether it has grown
     */
    record Grown(long sizeBytes, boolean isChanged) {}

    /** Turns the emergency mode on or off. */
    void setEmergencyMode(boolean on) {
        MemorySegment mode = file.structure(EMERG_MODE_BYTES);
        mode.set(JAVA_INT, 0, on ? 1 : 0);
        if (!file.request(EMERG_MODE, mode)) {
            throw new ToolException(file.path() + ": no such volume");
        }
    }

    /** Grows it to so many bytes, or to all of its device if that is 0. */
    Grown grow(long sizeBytes) {
        MemorySegment growfs = file.structure(GROWFS_BYTES);
        growfs.set(JAVA_LONG, GROWFS_SIZE, sizeBytes);
        if (!file.request(GROWFS, growfs)) {
            throw new ToolException(file.path() + ": no such volume");
        }
        return new Grown(growfs.get(JAVA_LONG, GROWFS_SIZE), growfs.get(JAVA_INT, GROWFS_MODIFIED) != 0);
    }
}
