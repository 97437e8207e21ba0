package io.hammer2.fs;

import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.pfs.FrozenPfs;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.OpenPfss;
import io.hammer2.fs.pfs.Pfs;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fs.pfs.PfsException;
import io.hammer2.fs.pfs.PfsTransaction;
import io.hammer2.fs.pfs.SubtreeCopy;
import io.hammer2.fs.pfs.SuperRoot;
import io.hammer2.fs.volume.Sync;
import io.hammer2.lwkt.Cpu;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The PFSs of a volume in use: which there are, and changes to that. Called on LWKT threads of any cpu; the work is done on the
 * volume cpu. Changes are durable when they return, and made all or none.
 *
 * <p>Errors are {@link FsException}s: EROFS where the volume was opened to read only, or a commit has failed; EIO where one fails, or
 * something is damaged; ENOENT, EEXIST, EBUSY for names that are not there, there already, or mounted; ENAMETOOLONG and EINVAL for
 * what is no label; ENOSPC.
 */
public final class PfsControl {
    /** Snapshots of directories that are being made: each holds back space. */
    private static final int SUBTREES_MAX = 16;

    private final Cpu volumeCpu;
    private final Topology topology;
    private final SuperRoot superRoot;
    private final OpenPfss open;
    private final FaultLog faults;
    private final Writing writing;

    /** Of the volume cpu. */
    private final List<SubtreeSnapshot> subtrees = new ArrayList<>();

    /** What changing takes. */
    record Writing(Sync sync, Room room) {}

    /**
     * @param topology of the volume cpu
     * @param writing null of what is opened to read only
     */
    PfsControl(Topology topology, SuperRoot superRoot, OpenPfss open, FaultLog faults, Writing writing) {
        this.volumeCpu = topology.io().cpu();
        this.topology = topology;
        this.superRoot = superRoot;
        this.open = open;
        this.faults = faults;
        this.writing = writing;
    }

    /**
     * What became of a change.
     *
     * @param coreNanos how long it kept everything else from being changed, apart from what was to be committed anyway
     * @param durableNanos until it was on the medium
     */
    public record Timing(long coreNanos, long durableNanos) {}

    /**
     * A directory that is to become a PFS of its own.
     *
     * @param source name of its PFS
     * @param directory its number there; not that of the root
     * @param label name of what is made
     * @param pace how much to do in a step
     */
    public record SubtreeRequest(Label source, long directory, Label label, PfsChange.Ids ids, SubtreeCopy.Pace pace) {}

    /** All, in the order of their keys; those that are damaged are left out and logged. */
    public List<PfsInfo> list() {
        return volumeCpu.call(() ->
                superRoot.list(this::damaged).stream().map(Hammer2::infoOf).toList());
    }

    private void damaged(CorruptBlockException damage) {
        faults.report(() -> "super-root: " + damage.getMessage());
    }

    /** For the administrator: why a snapshot of a directory was given up. */
    FsException damaged(SubtreeRequest request, RuntimeException damage) {
        faults.report(() -> "PFS " + request.source() + ", below the directory " + request.directory() + ": "
                + damage.getMessage());
        return new FsException(Errno.EIO, "something below the directory is damaged, and nothing was made");
    }

    /** The one with this name, or null. */
    public PfsInfo find(Label label) {
        return volumeCpu.call(() -> {
            try {
                Pfs found = superRoot.find(label);
                return found == null ? null : Hammer2.infoOf(found);
            } catch (CorruptBlockException e) {
                damaged(e);
                throw new FsException(Errno.EIO, String.valueOf(e.getMessage()));
            } catch (DeviceErrorException e) {
                throw new FsException(Errno.EIO, String.valueOf(e.getMessage()));
            }
        });
    }

    /** Whether the PFS at this key of the super-root is mounted by us. */
    public boolean isMounted(PfsInfo pfs) {
        return volumeCpu.call(() -> open.isMounted(pfs.nameKey()));
    }

    /**
     * How two PFSs differ as they were committed, by path. Takes time for what changed: what both share is not read.
     *
     * @throws FsException ENOENT; EIO
     */
    public List<PfsDifference> compare(Label before, Label after) {
        return volumeCpu.call(() -> {
            try {
                return PfsDiff.compare(topology, require(before), require(after));
            } catch (CorruptBlockException | DeviceErrorException e) {
                throw new FsException(Errno.EIO, String.valueOf(e.getMessage()));
            }
        });
    }

    private Pfs require(Label label) {
        Pfs found = superRoot.find(label);
        if (found == null) {
            throw new FsException(Errno.ENOENT, "no PFS named " + label);
        }
        return found;
    }

    private void requireWritable() {
        if (writing == null || writing.sync.failure() != null) {
            throw Access.readOnly();
        }
    }

    /** Makes the changes, in one commit with all that was done before. */
    public Timing change(List<PfsChange> changes) {
        requireWritable();
        changes.forEach(change -> requireLabel(change.label()));
        return volumeCpu.call(() -> changeHere(changes));
    }

    /**
     * Begins a snapshot of a directory, as that is now; {@link SubtreeSnapshot#step} makes it.
     *
     * @throws FsException ENOENT where there is no such directory, or PFS; ENOTDIR; EINVAL for the root, of which there are whole
     *     snapshots; EBUSY while too many are being made
     */
    public SubtreeSnapshot beginSubtree(SubtreeRequest request) {
        requireWritable();
        requireLabel(request.label());
        if (request.directory() == FileSystem.ROOT_INUM) {
            throw new FsException(Errno.EINVAL, "the root of a PFS: a snapshot of the PFS has all of it");
        }
        if (find(request.label()) != null) {
            throw new FsException(Errno.EEXIST, "there is a PFS named " + request.label() + " already");
        }
        return volumeCpu.call(() -> {
            if (subtrees.size() >= SUBTREES_MAX) {
                throw new FsException(Errno.EBUSY, SUBTREES_MAX + " snapshots of directories are being made");
            }
            FrozenPfs frozen = commit(List.of(new PfsChange.Freeze(request.source())))
                    .frozen()
                    .getFirst();
            SubtreeSnapshot begun = SubtreeSnapshot.begin(this, writing, topology, open, frozen, request);
            subtrees.add(begun);
            return begun;
        });
    }

    /** On the volume cpu: it is made, or given up. */
    void forget(SubtreeSnapshot subtree) {
        subtrees.remove(subtree);
    }

    /** Gives up what is being made; on the volume cpu, before the last commit. */
    void stop() {
        List.copyOf(subtrees).forEach(SubtreeSnapshot::close);
    }

    /** On the volume cpu, one change. */
    Timing change(PfsChange change) {
        return changeHere(List.of(change));
    }

    private Timing changeHere(List<PfsChange> changes) {
        long from = volumeCpu.lwkt().clock().nanoTime();
        long coreNanos = commit(changes).coreNanos();
        return new Timing(coreNanos, volumeCpu.lwkt().clock().nanoTime() - from);
    }

    private PfsTransaction commit(List<PfsChange> changes) {
        for (int attempt = 0; ; attempt++) {
            PfsTransaction transaction =
                    new PfsTransaction(changes, open, volumeCpu.lwkt().clock());
            try {
                writing.sync.commit(transaction);
            } catch (IOException e) {
                throw Room.commitFailed(e);
            }
            PfsException refusal = transaction.refusal();
            if (refusal == null) {
                return transaction;
            }
            boolean mayHelp = refusal.reason() == PfsException.Reason.NO_SPACE && attempt == 0;
            if (!mayHelp || !writing.room.reclaim().onFull(true)) {
                throw new FsException(errno(refusal.reason()), refusal.getMessage());
            }
        }
    }

    /**
     * Refuses what cannot be the name of a PFS.
     *
     * @throws FsException ENAMETOOLONG; EINVAL
     */
    static void requireLabel(Label label) {
        if (label.length() > Limits.NAME_BYTES_MAX) {
            throw new FsException(
                    Errno.ENAMETOOLONG,
                    "a label has at most " + Limits.NAME_BYTES_MAX + " bytes, not " + label.length());
        }
        if (label.length() == 0) {
            throw new FsException(Errno.EINVAL, "an empty label");
        }
        for (byte b : label.bytes()) {
            if (b == 0 || b == '/') {
                throw new FsException(Errno.EINVAL, "a label has no '/' and no byte 0");
            }
        }
    }

    private static Errno errno(PfsException.Reason reason) {
        return switch (reason) {
            case EXISTS -> Errno.EEXIST;
            case UNKNOWN -> Errno.ENOENT;
            case MOUNTED -> Errno.EBUSY;
            case HASH_BUCKET_FULL, NO_SPACE -> Errno.ENOSPC;
            case DAMAGED -> Errno.EIO;
        };
    }
}
