package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_ALLOCATED;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_FREED;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_MEMORY;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_PROGRESS;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_SCAN;
import static io.hammer2.fuse.bridge.ControlRequests.BULKFREE_STOP;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Space that comes back. */
final class BulkfreeRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    /** Of the daemon's heap, bulkfree may be given one part in so many. */
    private static final int BULKFREE_HEAP_PART = 4;

    private static final long BULKFREE_MEMORY_MIN = 1 << 20;

    private final FileSystem files;

    BulkfreeRequests(FileSystem files) {
        this.files = files;
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command == BULKFREE_SCAN) {
            bulkfree(in, out);
        } else if (command == BULKFREE_PROGRESS) {
            out.set(INT, 0, files.bulkfreePercent());
        } else {
            return false;
        }
        return true;
    }

    /** As DragonFly does for whoever can open a file; both passes in one, and EIO when damage kept it from freeing anything. */
    private void bulkfree(MemorySegment in, MemorySegment out) {
        long asked = in.get(LONG, BULKFREE_MEMORY);
        long most = Math.max(BULKFREE_MEMORY_MIN, Runtime.getRuntime().maxMemory() / BULKFREE_HEAP_PART);
        long memory = Math.min(asked == 0 ? BulkFreeResult.MEMORY_BYTES_DEFAULT : asked, most);
        BulkFreeResult done = files.bulkfree(Math.max(memory, BULKFREE_MEMORY_MIN));
        if (done.damageCount() > 0) {
            throw FuseErrno.EIO.exception();
        }
        out.copyFrom(in);
        out.set(LONG, BULKFREE_STOP, files.volume().info().sizeBytes());
        out.set(LONG, BULKFREE_ALLOCATED, done.restoredBytes() + done.corruptBytes());
        out.set(LONG, BULKFREE_FREED, done.freedBytes());
    }
}
