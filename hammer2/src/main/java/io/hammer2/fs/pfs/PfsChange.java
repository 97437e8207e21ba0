package io.hammer2.fs.pfs;

import io.hammer2.fs.media.PfsType;
import java.util.UUID;

/** A change to what the super-root holds (format section 15). */
public sealed interface PfsChange {
    /** Name of the PFS that is made, goes, or is changed. */
    Label label();

    /** Whether it needs more space than it gives back. */
    default boolean takesSpace() {
        return true;
    }

    /**
     * An empty PFS.
     *
     * @param type its role; MASTER is everything that a local file system needs
     */
    record Create(Label label, PfsType type, Ids ids) implements PfsChange {}

    /** Takes a PFS that is not mounted out of the super-root; bulkfree gives its space back. */
    record Delete(Label label) implements PfsChange {
        @Override
        public boolean takesSpace() {
            return false;
        }
    }

    /**
     * A PFS with the content of another, all of it shared.
     *
     * @param source name of the other
     * @param ofLastCommit without what was changed since
     */
    record Snapshot(Label source, Label label, boolean ofLastCommit, Ids ids) implements PfsChange {}

    /** Keeps what a PFS holds as it is now, beside what becomes of it: {@link PfsTransaction#frozen}. */
    record Freeze(Label label) implements PfsChange {}

    /** A PFS with what a directory held when its PFS was {@link Freeze frozen}; with {@link SubtreeCopy#isComplete}. */
    record Subtree(Label label, SubtreeCopy copy, Ids ids) implements PfsChange {}

    /**
     * Gives a PFS the content of another; its name and ids stay.
     *
     * @param source name of the other
     * @param whileMounted also where it is mounted: that mount, and all that is open in it, is stale from this commit on
     */
    record Rollback(Label label, Label source, boolean whileMounted) implements PfsChange {}

    /**
     * Identity of a PFS that is made. PFSs of one cluster are merged by a DragonFly that mounts one, so each local one has its own.
     *
     * @param clid of the cluster
     * @param fsid of the PFS
     */
    record Ids(UUID clid, UUID fsid) {}
}
