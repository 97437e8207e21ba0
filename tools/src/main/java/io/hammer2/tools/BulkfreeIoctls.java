package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_FREED;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_MEMORY;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_PROGRESS;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_PROGRESS_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_SCAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/** Space that comes back on a mounted volume. */
final class BulkfreeIoctls {
    private final MountedFile file;

    BulkfreeIoctls(MountedFile file) {
        this.file = file;
    }

    /** How far the bulkfree is that goes on, in percent; 100 when none does. */
    int percent() {
        MemorySegment progress = file.structure(BULKFREE_PROGRESS_BYTES);
        return file.request(BULKFREE_PROGRESS, progress) ? progress.get(JAVA_INT, 0) : 100;
    }

    /**
     * Runs bulkfree on the volume, and waits for it.
     *
     * @return bytes that were freed
     */
    long run(long memoryBytes) {
        MemorySegment scan = file.structure(BULKFREE_BYTES);
        scan.set(JAVA_LONG, BULKFREE_MEMORY, memoryBytes);
        if (!file.request(BULKFREE_SCAN, scan)) {
            throw new ToolException(file.path() + ": no such volume");
        }
        return scan.get(JAVA_LONG, BULKFREE_FREED);
    }
}
