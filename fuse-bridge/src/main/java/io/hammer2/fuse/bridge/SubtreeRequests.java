package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.ControlRequests.PFS_SUBTREE;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_CORE_NANOS;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_ID;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_LABEL;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_MADE;
import static io.hammer2.fuse.bridge.ControlRequests.SUBTREE_NAMES;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.PfsControl;
import io.hammer2.fs.SubtreeSnapshot;
import io.hammer2.fs.pfs.SubtreeCopy;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.lwkt.Token;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Our own request for a snapshot of a directory, which is made in steps: who asks may end at any of them. */
final class SubtreeRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private final FileSystem files;
    private final Token token = new Token("subtrees");
    // Under the token.
    private final Map<Long, SubtreeSnapshot> making = new HashMap<>();
    private long lastId;

    SubtreeRequests(FileSystem files) {
        this.files = files;
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command != PFS_SUBTREE) {
            return false;
        }
        long id = in.get(LONG, SUBTREE_ID);
        out.copyFrom(in);
        if (id == 0) {
            out.set(LONG, SUBTREE_ID, begin(node, in));
            return true;
        }
        SubtreeSnapshot subtree = find(id);
        boolean made = false;
        try {
            made = subtree.step();
        } finally {
            if (made || subtree.isEnded()) {
                forget(List.of(id));
            }
        }
        out.set(LONG, SUBTREE_NAMES, subtree.nameCount());
        out.set(INT, SUBTREE_MADE, made ? 1 : 0);
        out.set(LONG, SUBTREE_CORE_NANOS, made ? subtree.timing().coreNanos() : 0);
        return true;
    }

    private long begin(long directory, MemorySegment in) {
        forget(ended());
        SubtreeSnapshot begun = files.volume()
                .pfss()
                .beginSubtree(new PfsControl.SubtreeRequest(
                        PfsRequests.labelOf(files.pfs()),
                        directory,
                        PfsRequests.label(in, SUBTREE_LABEL),
                        PfsRequests.randomIds(),
                        SubtreeCopy.Pace.DEFAULT));
        token.acquire();
        try {
            making.put(++lastId, begun);
            return lastId;
        } finally {
            token.release();
        }
    }

    private SubtreeSnapshot find(long id) {
        token.acquireShared();
        try {
            SubtreeSnapshot found = making.get(id);
            if (found == null) {
                throw FuseErrno.ESTALE.exception();
            }
            return found;
        } finally {
            token.release();
        }
    }

    /** Those that nobody went on with. */
    private List<Long> ended() {
        Map<Long, SubtreeSnapshot> all;
        token.acquireShared();
        try {
            all = Map.copyOf(making);
        } finally {
            token.release();
        }
        return all.entrySet().stream()
                .filter(each -> each.getValue().isEnded())
                .map(Map.Entry::getKey)
                .toList();
    }

    private void forget(List<Long> ids) {
        token.acquire();
        try {
            ids.forEach(making::remove);
        } finally {
            token.release();
        }
    }
}
