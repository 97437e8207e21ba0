package io.hammer2.tools;

import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;

/** The PFSs of one volume, to be listed and changed. Changes are durable when they return; their result is the time in core, in ns. */
sealed interface VolumePfss extends AutoCloseable permits MountedPfss, UnmountedPfss {
    /**
     * A snapshot to be made.
     *
     * @param source the PFS that it is of
     */
    record Snapshot(Label source, Label label) {}

    /**
     * Whoever has the volume mounted is asked; what nobody has is opened here.
     *
     * @param log takes a line for each thing that should be known
     */
    static VolumePfss open(Target target, Consumer<String> log) {
        return switch (target) {
            case Target.Mounted mounted -> new MountedPfss(mounted);
            case Target.Devices devices -> UnmountedPfss.open(devices.special(), log);
        };
    }

    List<PfsRow> list();

    /** @param clid cluster; null for one of its own */
    long create(Label label, PfsType type, UUID clid);

    /** All or none. */
    long delete(List<Label> labels);

    /**
     * All in one commit, or none.
     *
     * @param ofLastCommit without what was changed since
     */
    long snapshot(List<Snapshot> snapshots, boolean ofLastCommit);

    /** Gives a PFS that is not mounted the content of another. */
    long rollback(Label label, Label source);

    @Override
    void close();
}
