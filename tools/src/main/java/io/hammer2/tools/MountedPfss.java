package io.hammer2.tools;

import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import java.util.List;
import java.util.UUID;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** The PFSs of a volume that is mounted, by its control requests. */
final class MountedPfss implements VolumePfss {
    private final String name;
    private final MountedFile file;
    private final PfsIoctls requests;

    MountedPfss(Target.Mounted mounted) {
        this.name = mounted.name();
        this.file = MountedFile.open(mounted.path());
        this.requests = new PfsIoctls(file);
    }

    /** The PFS that is mounted here. */
    Label own() {
        return requests.own().name();
    }

    /** Has the kernel hand over what was written to the files of this mount. */
    void flush() {
        file.syncMount();
    }

    @Override
    public List<PfsRow> list() {
        return requests.list();
    }

    @Override
    public long create(Label label, PfsType type, UUID clid) {
        requireLabel(label);
        return explained(
                () -> requests.create(label, type, clid), "there is a PFS named " + text(label) + " already", "");
    }

    @Override
    public long delete(List<Label> labels) {
        for (Label label : labels) {
            find(label);
        }
        return explained(
                () -> labels.size() == 1 ? requests.delete(labels.getFirst()) : requests.deleteAll(labels),
                "",
                (labels.size() == 1 ? "the PFS " + text(labels.getFirst()) + " is" : "one of them is")
                        + " mounted; unmount it first");
    }

    @Override
    public long snapshot(List<Snapshot> snapshots, boolean ofLastCommit) {
        for (Snapshot snapshot : snapshots) {
            requireLabel(snapshot.label());
        }
        String exists = snapshots.size() == 1
                ? "there is a PFS named " + text(snapshots.getFirst().label()) + " already"
                : "one of the names is taken already; none was made";
        boolean own = snapshots.size() == 1 && snapshots.getFirst().source().equals(own());
        return explained(
                () -> own
                        ? requests.snapshot(snapshots.getFirst().label(), ofLastCommit)
                        : requests.snapshots(snapshots, ofLastCommit),
                exists,
                "");
    }

    /**
     * Makes a snapshot of the directory that is mounted here, as a PFS of its own.
     *
     * @param names hears now and then how many names were met below it
     */
    long subtree(Label label, LongConsumer names) {
        requireLabel(label);
        return explained(
                () -> requests.subtree(label, names),
                "there is a PFS named " + text(label) + " already",
                "too many snapshots of directories are being made; try again later");
    }

    @Override
    public long rollback(Label label, Label source) {
        find(label);
        find(source);
        return explained(
                () -> requests.rollback(label, source), "", "the PFS " + text(label) + " is mounted; unmount it first");
    }

    /** Has a request made, with what its errors mean. */
    private long explained(LongSupplier request, String exists, String busy) {
        try {
            return request.getAsLong();
        } catch (PfsIoctls.Refusal e) {
            throw new ToolException(
                    name + ": "
                            + switch (e.errno()) {
                                case PfsIoctls.EEXIST -> exists;
                                case PfsIoctls.EBUSY -> busy;
                                case PfsIoctls.ENOENT -> "there is no such PFS any more";
                                case PfsIoctls.ENOSPC ->
                                    "no space that may be used; delete snapshots or files, and run 'hammer2 bulkfree "
                                            + name + "'";
                                case PfsIoctls.EINVAL -> "not a label, or not a type of a PFS";
                                case PfsIoctls.ENOTDIR -> "not a directory";
                                default -> MountedFile.errorText(e.errno());
                            },
                    e);
        }
    }

    private PfsRow find(Label label) {
        return list().stream()
                .filter(row -> row.name().equals(label))
                .findFirst()
                .orElseThrow(() -> new ToolException(name + ": no PFS named " + text(label)));
    }

    private static void requireLabel(Label label) {
        if (label.length() > Limits.NAME_BYTES_MAX) {
            throw new ToolException("a label has at most " + Limits.NAME_BYTES_MAX + " bytes, not " + label.length());
        }
    }

    private static String text(Label label) {
        return NameText.of(label.bytes());
    }

    @Override
    public void close() {
        file.close();
    }
}
