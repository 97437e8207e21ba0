package io.hammer2.fs.pfs;

import io.hammer2.fs.inode.InodeContent;
import io.hammer2.fs.inode.InodeFlush;
import io.hammer2.fs.io.DeviceErrorException;
import io.hammer2.fs.media.BlockRef;
import io.hammer2.fs.media.BlockTable;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.CorruptBlockException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.PfsType;
import io.hammer2.lwkt.Clock;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Changes to the super-root that one commit makes, all or none of them: {@link #prepare} before the commit closes the modification
 * gate, {@link #begin} when it has, {@link #apply} when what is mounted is written, for which the gate may be open again. On the volume cpu.
 *
 * <p>A snapshot costs a new root inode, whatever is below it: everything else is shared by equal references (format section 15.1).
 */
public final class PfsTransaction {
    /** The most that one change can take: an inode, and indirect blocks of the super-root on the way to it. */
    private static final long BYTES_PER_CHANGE = 36L * Limits.KIB;

    static final int SUBTYPE_SNAPSHOT = 1;
    private static final int ROOT_MODE = 0755;
    private static final int COMPRESSION_AUTOZERO = 1;
    private static final int COMPRESSION_LZ4 = 2;
    private static final int CHECK_XXHASH64 = 3;

    private final List<PfsChange> changes;
    private final OpenPfss open;
    private final Clock clock;

    /** Of snapshots without what was changed last: their sources as they were committed. */
    private final Map<PfsChange, InodeContent> lastCommits = new HashMap<>();

    private final List<BlockRef> written = new ArrayList<>();
    private final List<FrozenPfs> frozen = new ArrayList<>();
    private List<Resolved> prepared;
    private PfsException refusal;
    private long coreNanos;

    /**
     * @param open what is in use of the volume
     * @param clock by which {@link #coreNanos} is measured, and that new roots are dated by
     */
    public PfsTransaction(List<PfsChange> changes, OpenPfss open, Clock clock) {
        this.changes = List.copyOf(changes);
        this.open = open;
        this.clock = clock;
    }

    /** Whether there is room for what it takes. */
    @FunctionalInterface
    public interface Room {
        /** @param givesBack whether the part may be used that is kept for what gives space back */
        boolean has(long bytes, boolean givesBack);
    }

    /**
     * Looks up what the changes name while operations go on, so that less is left to do when the gate is closed, and no device to wait for. Between
     * this and {@link #begin} nothing changes the super-root, which only commits do.
     */
    public void prepare(SuperRoot superRoot) {
        try (SuperRoot.Edit edit = superRoot.edit()) {
            prepared = resolve(edit);
        }
        // It is refused within the commit, or not at all.
        refusal = null;
    }

    /** Notes snapshots in their sources, so that these are written with their changes; refuses what cannot be done. */
    public void begin(SuperRoot superRoot) {
        long from = clock.nanoTime();
        List<Resolved> resolved = prepared;
        if (resolved == null) {
            try (SuperRoot.Edit edit = superRoot.edit()) {
                resolved = resolve(edit);
            }
        }
        if (resolved != null) {
            resolved.forEach(this::noteSource);
        }
        coreNanos += clock.nanoTime() - from;
    }

    private void noteSource(Resolved resolved) {
        MountedPfs mounted = resolved.source == null ? null : open.find(keyOf(resolved.source));
        if (mounted == null) {
            return;
        }
        if (resolved.change instanceof PfsChange.Snapshot snapshot) {
            if (snapshot.ofLastCommit()) {
                lastCommits.put(snapshot, mounted.committedRoot());
            }
            mounted.noteSnapshot();
        } else if (resolved.change instanceof PfsChange.Freeze) {
            mounted.noteSnapshot();
        }
    }

    /**
     * Whether the gate has to stay closed for {@link #apply}. Where roots come and go it does not: nobody can change a PFS that is deleted, and who
     * changes one that a snapshot is of cannot tell. What is given another content, or held as it is, must not change meanwhile.
     */
    public boolean needsStandstill() {
        return changes.stream().anyMatch(change -> switch (change) {
            case PfsChange.Create ignored -> false;
            case PfsChange.Delete ignored -> false;
            case PfsChange.Snapshot ignored -> false;
            case PfsChange.Freeze ignored -> true;
            case PfsChange.Subtree ignored -> true;
            case PfsChange.Rollback ignored -> true;
        });
    }

    /** The most that the changes take. */
    public long bytesMax() {
        return BYTES_PER_CHANGE * changes.size();
    }

    /** Whether they need the part of the space that is kept for what gives space back. */
    public boolean givesBack() {
        return changes.stream().noneMatch(PfsChange::takesSpace);
    }

    /**
     * Makes the changes, or refuses them all.
     *
     * @param isStandstill whether the gate is closed
     */
    public void apply(SuperRoot.Edit edit, InodeFlush flush, Room room, boolean isStandstill) {
        if (refusal != null) {
            return;
        }
        long from = clock.nanoTime();
        make(edit, flush, room);
        if (isStandstill) {
            coreNanos += clock.nanoTime() - from;
        }
    }

    private void make(SuperRoot.Edit edit, InodeFlush flush, Room room) {
        // Again, with the changes of those that came before in this commit.
        List<Resolved> resolved = resolve(edit);
        if (resolved != null && !room.has(bytesMax(), givesBack())) {
            refusal = new PfsException(PfsException.Reason.NO_SPACE, "no space that may be used");
        }
        if (refusal != null) {
            return;
        }
        // From here on it must succeed.
        for (Resolved one : resolved) {
            switch (one.change) {
                case PfsChange.Create create -> put(edit, create(edit, flush, create));
                case PfsChange.Delete ignored -> {
                    open.retire(keyOf(one.target));
                    edit.remove(keyOf(one.target));
                }
                case PfsChange.Snapshot snapshot -> put(edit, snapshot(edit, flush, snapshot, one.source.root()));
                case PfsChange.Freeze ignored -> freeze(edit, flush, one.source.root());
                case PfsChange.Subtree subtree -> {
                    long key = edit.freeKey(subtree.label());
                    put(edit, subtree.copy().publish(flush, subtree.label(), subtree.ids(), key));
                }
                case PfsChange.Rollback ignored -> put(edit, rollback(flush, one.target.root(), one.source.root()));
            }
        }
    }

    /** Why nothing was changed, or null. */
    public PfsException refusal() {
        return refusal;
    }

    /** References to the roots that were made or changed, in the order of the changes. */
    public List<BlockRef> written() {
        return written;
    }

    /** What was frozen, in the order of the changes, and is held until {@link OpenPfss#letGo}. */
    public List<FrozenPfs> frozen() {
        return frozen;
    }

    /** Time that the changes took while nothing else could be changed; without that of what was to be committed anyway. */
    public long coreNanos() {
        return coreNanos;
    }

    private void put(SuperRoot.Edit edit, BlockRef root) {
        edit.put(root);
        written.add(root);
    }

    /** A change with the PFSs that it names: what is to be changed, and what that is to be like; or null. */
    private record Resolved(PfsChange change, Pfs target, Pfs source) {}

    /** What the changes name, where all of it is, or is not there, as it must be; else null, and {@link #refusal} is set. */
    private List<Resolved> resolve(SuperRoot.Edit edit) {
        try {
            List<Resolved> resolved = new ArrayList<>();
            Set<Label> made = new HashSet<>();
            for (PfsChange change : changes) {
                resolved.add(
                        switch (change) {
                            case PfsChange.Create create -> {
                                requireFree(edit, create.label(), made);
                                yield new Resolved(create, null, null);
                            }
                            case PfsChange.Delete delete ->
                                new Resolved(delete, requireUnmounted(require(edit, delete.label())), null);
                            case PfsChange.Snapshot snapshot -> {
                                requireFree(edit, snapshot.label(), made);
                                yield new Resolved(snapshot, null, require(edit, snapshot.source()));
                            }
                            case PfsChange.Freeze freeze -> new Resolved(freeze, null, require(edit, freeze.label()));
                            case PfsChange.Subtree subtree -> {
                                requireFree(edit, subtree.label(), made);
                                yield new Resolved(subtree, null, null);
                            }
                            case PfsChange.Rollback rollback ->
                                new Resolved(
                                        rollback,
                                        rollback.whileMounted()
                                                ? require(edit, rollback.label())
                                                : requireUnmounted(require(edit, rollback.label())),
                                        require(edit, rollback.source()));
                        });
            }
            return resolved;
        } catch (PfsException e) {
            refusal = e;
        } catch (CorruptBlockException | DeviceErrorException e) {
            refusal = new PfsException(PfsException.Reason.DAMAGED, "the super-root: " + e.getMessage());
        }
        return null;
    }

    private Pfs requireUnmounted(Pfs pfs) {
        if (open.isMounted(keyOf(pfs))) {
            throw new PfsException(
                    PfsException.Reason.MOUNTED, "the PFS " + pfs.label() + " is mounted; unmount it first");
        }
        return pfs;
    }

    private static Pfs require(SuperRoot.Edit edit, Label label) {
        Pfs found = edit.find(label);
        if (found == null) {
            throw new PfsException(PfsException.Reason.UNKNOWN, "no PFS named " + label);
        }
        return found;
    }

    private void requireFree(SuperRoot.Edit edit, Label label, Set<Label> made) {
        if (!made.add(label) || edit.find(label) != null) {
            throw new PfsException(PfsException.Reason.EXISTS, "there is a PFS named " + label + " already");
        }
        if (!edit.hasFreeKeys(label, changes.size())) {
            throw new PfsException(
                    PfsException.Reason.HASH_BUCKET_FULL, "too many PFSs have names with the hash of " + label);
        }
    }

    private static long keyOf(Pfs pfs) {
        return pfs.root().ref().key();
    }

    private BlockRef create(SuperRoot.Edit edit, InodeFlush flush, PfsChange.Create create) {
        long key = edit.freeKey(create.label());
        InodeBlock fields = new InodeBlock(MemorySegment.ofArray(new byte[Limits.INODE_BYTES]));
        long now = clock.currentTimeMicros();
        fields.setVersion(InodeBlock.VERSION);
        fields.setTimes(now, now, 0, now);
        fields.setType(FileType.DIRECTORY);
        fields.setOpFlags(InodeBlock.OP_PFSROOT);
        fields.setMode(ROOT_MODE);
        fields.setInum(InodeBlock.ROOT_INUM);
        fields.setNlinks(1);
        fields.setIparent(InodeBlock.ROOT_INUM);
        // A boot loader reads it, and decompresses nothing (section 15.2).
        boolean boot = create.label().toString().equalsIgnoreCase("BOOT");
        fields.setAlgorithms(boot ? COMPRESSION_AUTOZERO : COMPRESSION_LZ4, CHECK_XXHASH64);
        fields.setName(create.label().bytes(), key);
        fields.setPfs(create.type(), 0, create.ids().clid(), create.ids().fsid());
        BlockRef ref = BlockRef.builder(BlockType.INODE)
                .key(key, 0)
                .flags(BlockRef.FLAG_PFSROOT)
                .methods(edit.methods() >>> 4, edit.methods() & 0xF)
                .build();
        InodeContent empty = InodeContent.of(ref, fields, BlockTable.empty(Limits.BLOCK_SET_COUNT));
        return flush.writeCopy(empty, 1, ignored -> {});
    }

    private BlockRef snapshot(
            SuperRoot.Edit edit, InodeFlush flush, PfsChange.Snapshot snapshot, InodeContent committed) {
        FrozenPfs parted = part(edit, flush, committed);
        InodeContent source = lastCommits.getOrDefault(snapshot, parted.root());
        long snapshotTid = parted.snapshotTid();
        long key = edit.freeKey(snapshot.label());
        BlockRef ref = source.ref().toBuilder()
                .key(key, 0)
                .flags(source.ref().flags() | BlockRef.FLAG_PFSROOT)
                .build();
        InodeContent copy = InodeContent.of(ref, source.block(), source.table());
        return flush.writeCopy(copy, Math.max(snapshotTid, ref.modifyTid()), fields -> {
            // What a snapshot is of keeps its owner, mode and times: the reference loses them (section 20, 3).
            fields.setName(snapshot.label().bytes(), key);
            fields.setPfsSubtype(SUBTYPE_SNAPSHOT);
            fields.setPfs(
                    PfsType.MASTER,
                    fields.pfsInum(),
                    snapshot.ids().clid(),
                    snapshot.ids().fsid());
            fields.setPfsLsnapTid(snapshotTid);
        });
    }

    private void freeze(SuperRoot.Edit edit, InodeFlush flush, InodeContent committed) {
        FrozenPfs parted = part(edit, flush, committed);
        open.hold(parted);
        frozen.add(parted);
    }

    /** What a PFS holds, which knows from now on that this is shared; one in use was told before it was written. */
    private FrozenPfs part(SuperRoot.Edit edit, InodeFlush flush, InodeContent committed) {
        MountedPfs mounted = open.find(committed.ref().key());
        if (mounted != null) {
            InodeContent flushed = mounted.committedRoot();
            return new FrozenPfs(flushed, flushed.block().pfsLsnapTid());
        }
        long snapshotTid = committed.ref().modifyTid() + 1;
        edit.put(flush.writeCopy(committed, snapshotTid, fields -> fields.setPfsLsnapTid(snapshotTid)));
        return new FrozenPfs(committed, snapshotTid);
    }

    private BlockRef rollback(InodeFlush flush, InodeContent target, InodeContent committed) {
        MountedPfs mounted = open.find(committed.ref().key());
        InodeContent source = mounted == null ? committed : mounted.committedRoot();
        InodeBlock was = target.block();
        open.retire(target.ref().key());
        BlockRef ref = source.ref().toBuilder()
                .key(target.ref().key(), 0)
                .flags(target.ref().flags())
                .build();
        InodeContent copy = InodeContent.of(ref, source.block(), source.table());
        long modifyTid = 1 + Math.max(target.ref().modifyTid(), source.ref().modifyTid());
        return flush.writeCopy(copy, modifyTid, fields -> {
            fields.setName(was.name(), was.nameKey());
            fields.setPfsSubtype(was.pfsSubtype());
            // Numbers that were given out since must not be given out again: section 8.3.
            long pfsInum = Math.max(was.pfsInum(), fields.pfsInum());
            fields.setPfs(was.pfsType(), pfsInum, was.pfsClid(), was.pfsFsid());
            // What is shared now must not be written in place (section 11.4).
            fields.setPfsLsnapTid(modifyTid);
        });
    }
}
