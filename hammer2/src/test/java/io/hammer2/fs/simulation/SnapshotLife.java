package io.hammer2.fs.simulation;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.Errno;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.PfsControl;
import io.hammer2.fs.PfsInfo;
import io.hammer2.fs.SubtreeSnapshot;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.FsckResult;
import io.hammer2.fs.media.PfsType;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fs.pfs.SubtreeCopy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.UnaryOperator;

/**
 * A volume with several PFSs, from one seed: clients at work on one of them, snapshots of it while they are, deletions, rollbacks, changes of
 * which one they work on. The model keeps what each PFS holds; a snapshot must be of a moment at which what was done before it had
 * been done, and what was begun after it had not.
 */
final class SnapshotLife {
    private static final List<Long> SIZES = List.of(256L << 20, 3L << 30, 9L << 30);
    private static final List<Long> SYNC_INTERVALS = List.of(300_000L, 5_000_000L, 10_000_000_000L);
    private static final int CPUS_MAX = 3;
    private static final int CLIENTS_MAX = 3;
    private static final int CALLS_MAX = 3;
    private static final int PFSS_MAX = 7;
    private static final int CALLS_BITS = 4;
    private static final String FIRST = "DATA";

    private final SplittableRandom random;
    private final SplittableRandom workloads;

    /** Not the sequence from which the volume has its own. */
    private final SplittableRandom ids;

    private final MemoryBlockDevice disk;
    private final World world;
    private final MountOptions options;
    private final Profile profile;
    private final boolean lying;
    private final boolean freeing;

    /** What each PFS holds; of the one that is mounted, what it held when it was. */
    private final Map<String, ModelFileSystem.State> pfss = new TreeMap<>();

    private String mounted;
    private Run run;
    private long operations;
    private int made;

    /**
     * @param lying for a control: snapshots leave out what was not committed
     * @param freeing whether bulkfree runs in the end; not, for a control
     */
    private SnapshotLife(long seed, boolean lying, boolean freeing) throws IOException, Hammer2Exception {
        this.lying = lying;
        this.freeing = freeing;
        random = new SplittableRandom(seed);
        workloads = random.split();
        ids = new SplittableRandom(~seed);
        disk = Volumes.formatted(SIZES.get(random.nextInt(SIZES.size())), seed);
        options = MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {})
                .withDirtyBytesMax(MountOptions.DIRTY_BYTES_MIN)
                .withSyncIntervalNanos(SYNC_INTERVALS.get(random.nextInt(SYNC_INTERVALS.size())));
        profile = List.of(Profile.MIXED, Profile.METADATA, Profile.OVERWRITE, Profile.RENAME_OVER)
                .get(random.nextInt(4));
        world = new World(1 + random.nextInt(CPUS_MAX), seed);
        world.mountReordered(disk, UnaryOperator.identity(), options);
        mounted = FIRST;
        run = new Run(world, workload());
        pfss.put(FIRST, run.model().state());
    }

    /** Lives through about so many operations. Fails with whatever is wrong. @return how many there were */
    static long run(long seed, long operations) throws IOException, Hammer2Exception {
        return new SnapshotLife(seed, false, true).run(operations);
    }

    static long runLying(long seed, long operations) throws IOException, Hammer2Exception {
        return new SnapshotLife(seed, true, true).run(operations);
    }

    static long runWithoutBulkfree(long seed, long operations) throws IOException, Hammer2Exception {
        return new SnapshotLife(seed, false, false).run(operations);
    }

    private Workload workload() {
        return new Workload(profile, workloads.split());
    }

    private long run(long wanted) throws IOException, Hammer2Exception {
        while (operations < wanted) {
            switch (random.nextInt(12)) {
                case 11 -> rollbackMounted();
                case 10 -> subtree();
                case 0, 1 -> roundWithSnapshot();
                case 2 -> delete();
                case 3 -> rollback();
                case 4 -> verify(pick());
                case 5 -> {
                    refusals();
                    compare(pick(), pick());
                }
                case 6 -> oneOf(random.nextInt(8));
                default -> {
                    settle(round(List.of()));
                }
            }
        }
        end();
        return operations;
    }

    private void oneOf(int rare) throws Hammer2Exception {
        switch (rare) {
            case 0 -> reopen();
            case 1 -> create();
            case 2 -> world.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            case 3 -> {
                world.inside(() -> {
                    world.fs().sync();
                    return null;
                });
                Volumes.requireClean(disk);
            }
            default -> switchTo(pick());
        }
    }

    private Linearization round(List<Operation> beside) {
        int clients = 1 + random.nextInt(CLIENTS_MAX);
        int each = 1 + random.nextInt(CALLS_MAX);
        operations += (long) clients * each;
        return run.round(clients, each, beside, Circumstances.GOOD, call -> {});
    }

    private void settle(Linearization explained) {
        run.settle(explained);
    }

    /** Somebody makes a snapshot, perhaps of another PFS as well, while clients are at work. */
    private void roundWithSnapshot() throws Hammer2Exception {
        makeRoom();
        String label = mounted + "." + made++;
        String other = pick();
        String otherLabel = other + "." + made++;
        boolean two = random.nextInt(3) == 0 && !other.equals(mounted);
        List<PfsChange> changes = new ArrayList<>(List.of(snapshot(mounted, label)));
        if (two) {
            changes.add(snapshot(other, otherLabel));
        }
        Operation change = new Operation(Operation.Kind.SYNC, () -> "snapshot " + label, fs -> {
            if (fs instanceof MountedFileSystem) {
                world.volume().pfss().change(changes);
            }
            return null;
        });
        Linearization explained = round(List.of(change));
        Call call = explained.calls().getLast().getFirst();
        if (call.outcome().failed()) {
            throw new AssertionError(call);
        }
        settle(explained);
        Map<Long, ModelInode> seen = look(label);
        long digest = ModelFileSystem.treeDigest(seen);
        long least = explained.doneBefore(call);
        long most = explained.begunBefore(call);
        ModelFileSystem.State state = explained.passed().entrySet().stream()
                .filter(passed -> passed.getKey().treeDigest() == digest
                        && passed.getKey().includes(least)
                        && isWithin(passed.getKey().done(), most))
                .map(Map.Entry::getValue)
                .findFirst()
                .orElseThrow(() -> new AssertionError("the snapshot is of no moment between its begin and its end; "
                        + explained + "\n" + run.model().state().difference(seen)));
        pfss.put(label, state);
        if (two) {
            pfss.put(otherLabel, pfss.get(other));
            verify(otherLabel);
        }
    }

    /** A directory becomes a PFS of its own as it was when that began, while clients and bulkfree go on. */
    private void subtree() throws Hammer2Exception {
        makeRoom();
        List<ModelInode> directories = run.model().state().inodes().stream()
                .filter(inode -> inode.isDirectory() && inode.nlink > 0 && inode.inum != FileSystem.ROOT_INUM)
                .sorted(Comparator.comparingLong(inode -> inode.inum))
                .toList();
        if (directories.isEmpty()) {
            return;
        }
        long directory = directories.get(random.nextInt(directories.size())).inum;
        String label = "sub" + made++;
        SubtreeCopy.Pace pace =
                new SubtreeCopy.Pace(1 + random.nextInt(20), 1 + random.nextInt(5), 1 + random.nextInt(5));
        ModelFileSystem.State begun = run.model().state();
        SubtreeSnapshot making = world.inside(() -> world.volume()
                .pfss()
                .beginSubtree(
                        new PfsControl.SubtreeRequest(Label.of(mounted), directory, Label.of(label), ids(), pace)));
        boolean givenUp = false;
        while (!givenUp && !world.inside(making::step)) {
            switch (random.nextInt(6)) {
                case 0, 1 -> settle(round(List.of()));
                case 2 -> world.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
                case 3 -> givenUp = random.nextInt(10) == 0;
                default -> {}
            }
        }
        if (givenUp) {
            world.inside(() -> {
                making.close();
                return null;
            });
        } else {
            pfss.put(label, ModelFileSystem.subtree(lying ? run.model().state() : begun, directory));
            verify(label);
        }
        requireListed();
    }

    private static boolean isWithin(long done, long most) {
        for (long mask = (1 << CALLS_BITS) - 1; mask != 0; mask <<= CALLS_BITS) {
            if (Long.compareUnsigned(done & mask, most & mask) > 0) {
                return false;
            }
        }
        return true;
    }

    private PfsChange snapshot(String source, String label) {
        return new PfsChange.Snapshot(Label.of(source), Label.of(label), lying, ids());
    }

    private PfsChange.Ids ids() {
        return new PfsChange.Ids(new UUID(ids.nextLong(), ids.nextLong()), new UUID(ids.nextLong(), ids.nextLong()));
    }

    private void change(PfsChange change) {
        world.inside(() -> world.volume().pfss().change(List.of(change)));
    }

    private void makeRoom() {
        while (pfss.size() >= PFSS_MAX) {
            delete();
        }
    }

    /** One that is not mounted, if there is one. */
    private String victim() {
        List<String> labels = new ArrayList<>(pfss.keySet());
        labels.remove(mounted);
        labels.remove(FIRST);
        return labels.isEmpty() ? null : labels.get(random.nextInt(labels.size()));
    }

    private void delete() {
        String victim = victim();
        if (victim != null) {
            change(new PfsChange.Delete(Label.of(victim)));
            pfss.remove(victim);
            requireListed();
        }
    }

    private void rollback() throws Hammer2Exception {
        String target = victim();
        if (target != null) {
            String source = pick();
            change(new PfsChange.Rollback(Label.of(target), Label.of(source), false));
            pfss.put(target, stateOf(source));
            verify(target);
        }
    }

    /** What clients work on becomes what another PFS is; they find nothing, and go on when it is mounted anew. */
    private void rollbackMounted() throws Hammer2Exception {
        String source = pick();
        ModelFileSystem.State state = stateOf(source);
        change(new PfsChange.Rollback(Label.of(mounted), Label.of(source), true));
        try {
            world.inside(() -> world.fs().attributes(FileSystem.ROOT_INUM));
            throw new AssertionError("there is something still");
        } catch (FsException e) {
            if (e.errno() != Errno.ESTALE) {
                throw e;
            }
        }
        world.use(mounted);
        run = new Run(world, workload());
        run.model().afterCrash(state);
        pfss.put(mounted, state);
        verify(mounted);
        requireListed();
    }

    private void create() throws Hammer2Exception {
        makeRoom();
        String label = "new" + made++;
        change(new PfsChange.Create(Label.of(label), PfsType.MASTER, ids()));
        FileSystem files = world.volume().mount(label);
        ModelFileSystem empty = new ModelFileSystem(world.inside(() -> files.attributes(FileSystem.ROOT_INUM)));
        files.unmount();
        pfss.put(label, empty.state());
        verify(label);
        requireListed();
    }

    private void refusals() {
        requireRefused(Errno.EBUSY, new PfsChange.Delete(Label.of(mounted)));
        requireRefused(Errno.EBUSY, new PfsChange.Rollback(Label.of(mounted), Label.of(pick()), false));
        requireRefused(Errno.EEXIST, snapshot(pick(), pick()));
        requireRefused(Errno.ENOENT, snapshot("nothing", "something"));
    }

    private void requireRefused(Errno errno, PfsChange change) {
        try {
            change(change);
        } catch (FsException e) {
            if (e.errno() == errno) {
                return;
            }
            throw e;
        }
        throw new AssertionError(change + " was made");
    }

    private String pick() {
        List<String> labels = new ArrayList<>(pfss.keySet());
        return labels.get(random.nextInt(labels.size()));
    }

    private ModelFileSystem.State stateOf(String label) {
        return label.equals(mounted) ? run.model().state() : pfss.get(label);
    }

    /** Fails unless a PFS shows what the model holds. */
    private void verify(String label) throws Hammer2Exception {
        if (label.equals(mounted)) {
            run.verify(Integer.MAX_VALUE);
            return;
        }
        Map<Long, ModelInode> seen = look(label);
        if (ModelFileSystem.treeDigest(seen) != pfss.get(label).treeDigest()) {
            throw new AssertionError(label + ": " + pfss.get(label).difference(seen));
        }
    }

    /** What is said to be the difference of two PFSs must be all of it, and nothing else. */
    private void compare(String before, String after) throws Hammer2Exception {
        world.inside(() -> {
            world.fs().sync();
            return null;
        });
        new DifferenceCheck(tree(before), tree(after))
                .check(world.inside(() -> world.volume().pfss().compare(Label.of(before), Label.of(after))));
    }

    private Map<Long, ModelInode> tree(String label) throws Hammer2Exception {
        return label.equals(mounted)
                ? world.inside(() -> new Observer(world.fs()).tree(Integer.MAX_VALUE))
                : look(label);
    }

    private Map<Long, ModelInode> look(String label) throws Hammer2Exception {
        FileSystem files = world.volume().mount(label);
        try {
            return world.inside(() -> new Observer(new MountedFileSystem(files)).tree(Integer.MAX_VALUE));
        } finally {
            files.unmount();
        }
    }

    /** From now on clients work on another PFS. */
    private void switchTo(String label) throws Hammer2Exception {
        if (label.equals(mounted)) {
            return;
        }
        run.model().afterRemount();
        pfss.put(mounted, run.model().state());
        String before = mounted;
        world.use(label);
        mounted = label;
        run = new Run(world, workload());
        run.model().afterCrash(pfss.get(label));
        verify(before);
        verify(label);
    }

    private void reopen() throws Hammer2Exception {
        run.model().afterRemount();
        ModelFileSystem.State state = run.model().state();
        world.unmount();
        Volumes.requireClean(disk);
        world.mountReordered(disk, UnaryOperator.identity(), options);
        world.use(mounted);
        run = new Run(world, workload());
        run.model().afterCrash(state);
        requireListed();
        for (String label : pfss.keySet()) {
            verify(label);
        }
    }

    private void requireListed() {
        TreeSet<String> expected = new TreeSet<>(pfss.keySet());
        expected.add("LOCAL");
        TreeSet<String> found = new TreeSet<>();
        world.inside(() -> world.volume().pfss().list()).stream()
                .map(PfsInfo::label)
                .forEach(found::add);
        if (!found.equals(expected)) {
            throw new AssertionError("there are " + found + ", not " + expected);
        }
    }

    /** Without its snapshots the volume has in use what a traversal finds, and nothing else. */
    private void end() throws IOException, Hammer2Exception {
        switchTo(FIRST);
        for (String label : new HashMap<>(pfss).keySet()) {
            if (!label.equals(FIRST)) {
                change(new PfsChange.Delete(Label.of(label)));
                pfss.remove(label);
            }
        }
        requireListed();
        run.verify(Integer.MAX_VALUE);
        // What is open without a name is in use, and no traversal finds it.
        reopen();
        if (freeing) {
            world.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            world.volume().bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
        }
        run.verify(Integer.MAX_VALUE);
        world.close();
        FsckResult.FreemapReport freemap = Volumes.requireClean(disk).freemap();
        if (freemap.unreferencedCount() != 0 || freemap.stagedCount() != 0) {
            throw new AssertionError("not all space came back: " + freemap);
        }
        disk.close();
    }
}
