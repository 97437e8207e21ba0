package io.hammer2.fuse.bridge;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.PfsInfo;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fuse.FuseErrno;
import io.hammer2.lwkt.Token;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * The snapshots of a PFS that somebody looks at below {@link SnapshotDirectory}, by numbers that are given out once. A few are open at a time;
 * the others are opened again when they are asked for. Shared by all cpus, under a token.
 *
 * <p>Snapshots of a PFS are those PFSs with the subtype of one whose label is that of the PFS, a dot, and more: nothing else on the medium
 * says what a snapshot was made of.
 */
final class SnapshotViews {
    /** Each has a table of inodes and keeps nothing else. */
    private static final int OPEN_MAX = 16;

    /** Numbers are 15 bits of a node id. */
    private static final int NUMBER_MAX = 0x7FFF;

    private final FileSystem files;
    private final int owner;
    private final byte[] prefix;

    private final Token token = new Token("snapshots");
    // Under the token.
    private final Map<UUID, View> byId = new HashMap<>();
    private final List<View> byNumber = new ArrayList<>();
    private final List<View> open = new ArrayList<>();

    /** A snapshot that was looked at. */
    private static final class View {
        private final int number;
        private final UUID fsid;
        private final byte[] label;
        private FileSystem files;
        private FuseBridge bridge;

        private View(int number, UUID fsid, byte[] label) {
            this.number = number;
            this.fsid = fsid;
            this.label = label;
        }
    }

    /** @param first the first number to be given out */
    SnapshotViews(FileSystem files, int owner, int first) {
        this.files = files;
        this.owner = owner;
        byte[] label = files.pfs().labelBytes().toArray(ValueLayout.JAVA_BYTE);
        this.prefix = Arrays.copyOf(label, label.length + 1);
        prefix[label.length] = '.';
        for (int number = 0; number < first; number++) {
            byNumber.add(null);
        }
    }

    /** All that there are, in the order of their keys. */
    List<PfsInfo> list() {
        return files.volume().pfss().list().stream()
                .filter(this::isSnapshotOfThis)
                .sorted(Comparator.comparing(PfsInfo::nameKey, Long::compareUnsigned))
                .toList();
    }

    private boolean isSnapshotOfThis(PfsInfo pfs) {
        MemorySegment label = pfs.labelBytes();
        return pfs.isSnapshot()
                && label.byteSize() > prefix.length
                && MemorySegment.mismatch(label, 0, prefix.length, MemorySegment.ofArray(prefix), 0, prefix.length) < 0;
    }

    /** Number of the snapshot with this name, or 0. */
    int find(MemorySegment name) {
        try {
            PfsInfo found = files.volume().pfss().find(Label.of(name.toArray(ValueLayout.JAVA_BYTE)));
            return found == null || !isSnapshotOfThis(found) ? 0 : numberOf(found);
        } catch (FsException e) {
            throw FuseBridge.translate(e);
        }
    }

    /** The number that a snapshot has; the same as long as it exists. */
    int numberOf(PfsInfo snapshot) {
        token.acquire();
        try {
            View known = byId.get(snapshot.fsid());
            if (known == null) {
                if (byNumber.size() > NUMBER_MAX) {
                    throw FuseErrno.EOVERFLOW.exception();
                }
                known = new View(
                        byNumber.size(), snapshot.fsid(), snapshot.labelBytes().toArray(ValueLayout.JAVA_BYTE));
                byNumber.add(known);
                byId.put(snapshot.fsid(), known);
            }
            return known.number;
        } finally {
            token.release();
        }
    }

    /**
     * A snapshot's operations; its node ids are inode numbers.
     *
     * @throws io.hammer2.fuse.FuseException ESTALE when it exists no more
     */
    FuseBridge bridge(int number) {
        View view;
        token.acquire();
        try {
            view = number < byNumber.size() ? byNumber.get(number) : null;
            if (view == null) {
                throw FuseErrno.ESTALE.exception();
            }
            if (view.bridge != null && !view.files.isRetired()) {
                open.remove(view);
                open.add(view);
                return view.bridge;
            }
        } finally {
            token.release();
        }
        return open(view);
    }

    private FuseBridge open(View view) {
        FileSystem opened;
        try {
            opened = files.volume().look(Label.of(view.label), view.fsid);
        } catch (FsException e) {
            throw FuseBridge.translate(e);
        }
        if (opened == null) {
            throw FuseErrno.ESTALE.exception();
        }
        List<FileSystem> unused = new ArrayList<>();
        FuseBridge bridge;
        token.acquire();
        try {
            if (view.bridge != null && !view.files.isRetired()) {
                // Somebody else was as quick.
                unused.add(opened);
            } else {
                if (view.bridge != null) {
                    unused.add(view.files);
                    open.remove(view);
                }
                view.files = opened;
                view.bridge = FuseBridge.of(opened, owner, true);
                open.add(view);
            }
            bridge = view.bridge;
            if (open.size() > OPEN_MAX) {
                View oldest = open.removeFirst();
                unused.add(oldest.files);
                oldest.files = null;
                oldest.bridge = null;
            }
        } finally {
            token.release();
        }
        unused.forEach(FileSystem::lookNoMore);
        return bridge;
    }
}
