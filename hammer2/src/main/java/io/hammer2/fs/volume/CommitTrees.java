package io.hammer2.fs.volume;

import io.hammer2.fs.freemap.BlockPlacer;
import io.hammer2.fs.freemap.Freemap;
import io.hammer2.fs.inode.InodeFlush;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.pfs.MountedPfs;
import io.hammer2.fs.pfs.OpenPfss;
import io.hammer2.fs.pfs.PfsTransaction;
import io.hammer2.fs.pfs.SuperRoot;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What one commit writes above the file data, bottom up: {@link #writePfss}, then {@link #writeSuperRoot}. Nothing may be changed during the first.
 * What is in use has its roots written then, and only commits touch the super-root, so that changes may go on during the second, unless {@link
 * #needsStandstill}: a snapshot refers to a root as it was just written, however that goes on. On the volume cpu.
 */
final class CommitTrees {
    private final List<PfsTransaction> due;
    private final SuperRoot superRoot;
    private final OpenPfss open;
    private final InodeFlush flush;
    private final BlockPlacer placer;
    private final Freemap freemap;
    private final SpaceBudget budget;

    private final List<BlockRef> roots = new ArrayList<>();
    private final Set<PfsTransaction> reserved = new HashSet<>();
    private boolean isStandstill = true;

    /**
     * @param due changes to the super-root that this commit makes, after {@link PfsTransaction#prepare}
     * @param open what is in use, and is written where it has changed
     */
    CommitTrees(
            List<PfsTransaction> due,
            SuperRoot superRoot,
            OpenPfss open,
            InodeFlush flush,
            BlockPlacer placer,
            Freemap freemap,
            SpaceBudget budget) {
        this.due = due;
        this.superRoot = superRoot;
        this.open = open;
        this.flush = flush;
        this.placer = placer;
        this.freemap = freemap;
        this.budget = budget;
    }

    /** Writes what has changed of the PFSs in use. */
    void writePfss() {
        due.forEach(transaction -> transaction.begin(superRoot));
        List<MountedPfs> dirty = open.all().stream().filter(MountedPfs::isDirty).toList();
        for (MountedPfs pfs : dirty) {
            roots.add(pfs.flush(flush));
        }
        placer.giveBackLeases();
    }

    /** Whether there is nothing to write. */
    boolean isEmpty() {
        return roots.isEmpty() && due.isEmpty();
    }

    /** Whether nothing may be changed either while the super-root is written. */
    boolean needsStandstill() {
        return due.stream().anyMatch(PfsTransaction::needsStandstill);
    }

    /**
     * Changes go on from now: what is due gets its space set aside before they can take it. After {@link SpaceBudget#settle}, and before the
     * modification gate opens.
     */
    void endStandstill() {
        for (PfsTransaction transaction : due) {
            if (budget.setAside(freemap.availableBytes(), transaction.bytesMax(), transaction.givesBack())) {
                reserved.add(transaction);
            }
        }
        isStandstill = false;
    }

    /** Makes the changes to PFSs that are due, and writes the super-root. @return the reference to it, or null where nothing has changed */
    BlockRef writeSuperRoot() {
        if (isEmpty()) {
            return null;
        }
        BlockRef written;
        try (SuperRoot.Edit edit = superRoot.edit()) {
            roots.forEach(edit::put);
            for (PfsTransaction transaction : due) {
                transaction.apply(edit, flush, roomOf(transaction), isStandstill);
                placer.giveBackLeases();
            }
            written = edit.flush(flush);
        }
        placer.giveBackLeases();
        return written;
    }

    private PfsTransaction.Room roomOf(PfsTransaction transaction) {
        return isStandstill
                ? (bytes, givesBack) -> budget.hasLeft(freemap.availableBytes(), bytes, givesBack)
                : (bytes, givesBack) -> reserved.contains(transaction);
    }
}
