package io.hammer2.fs.simulation;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.CrashRecording;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.PfsControl;
import io.hammer2.fs.PfsInfo;
import io.hammer2.fs.SubtreeSnapshot;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fs.pfs.SubtreeCopy;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.IntPredicate;

/**
 * One client and an administrator of PFSs at work on a recorded device, one operation after the other, and then every state that a crash
 * could have left: which PFSs there are, and what each of them holds, must be as at one single moment since what was last called
 * durable.
 */
final class SnapshotCrashes implements AutoCloseable {
    private static final long VOLUME_BYTES = 9L << 30;
    private static final long RECORDED_BYTES_MAX = 64L << 20;
    private static final long SYNC_INTERVAL_NANOS = 2_000_000;
    private static final int SECTOR_BYTES = 512;
    private static final int SEEDED_PER_POINT = 2;
    private static final int PFSS_MAX = 4;
    private static final String FIRST = "DATA";
    private static final String LOCAL = "LOCAL";

    private final long seed;
    private final SplittableRandom random;
    private final MemoryBlockDevice base;
    private final CrashRecording recording;
    private World world;
    private Run run;
    private int made;

    /** What each PFS holds but for the one that is mounted. */
    private final Map<String, ModelFileSystem.State> others = new TreeMap<>();

    /** What there was after each operation. */
    private final List<Map<String, Long>> moments = new ArrayList<>();

    /** Mark: the operation with this number has ended. */
    private record Moment(int number, boolean isDurable) {}

    /** @param ignoredFlushes for a control: as if the file system had forgotten these */
    SnapshotCrashes(long seed, int pointsMax, IntPredicate ignoredFlushes) throws IOException, Hammer2Exception {
        this.seed = seed;
        this.random = new SplittableRandom(seed);
        this.base = Volumes.formatted(VOLUME_BYTES, seed);
        this.recording = new CrashRecording(base, SECTOR_BYTES, RECORDED_BYTES_MAX);
        recording.ignoreFlushes(ignoredFlushes);
        try (MemoryBlockDevice live = MemoryBlockDevice.over(base)) {
            world = new World(1, seed);
            world.mountReordered(live, device -> new RecordingBlockDevice(device, recording), options());
            run = new Run(world, new Workload(Profile.METADATA, random.split()));
            note(true);
            while (recording.points() < pointsMax && !recording.isFull()) {
                step();
            }
            world.close();
        }
    }

    private static MountOptions options() {
        return MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {})
                .withDirtyBytesMax(MountOptions.DIRTY_BYTES_MIN)
                .withSyncIntervalNanos(SYNC_INTERVAL_NANOS);
    }

    private void step() throws Hammer2Exception {
        int action = random.nextInt(8);
        if (action == 0 && others.size() < PFSS_MAX) {
            String label = "s" + made++;
            change(new PfsChange.Snapshot(
                    Label.of(FIRST),
                    Label.of(label),
                    false,
                    new PfsChange.Ids(new UUID(random.nextLong(), 1), new UUID(random.nextLong(), 2))));
            others.put(label, run.model().state());
            note(true);
        } else if (action == 1 && !others.isEmpty()) {
            String victim = pick();
            change(new PfsChange.Delete(Label.of(victim)));
            others.remove(victim);
            note(true);
        } else if (action == 2 && others.size() > 1) {
            String target = pick();
            String source = pick();
            change(new PfsChange.Rollback(Label.of(target), Label.of(source), false));
            others.put(target, others.get(source));
            note(true);
        } else if (action == 3 && others.size() < PFSS_MAX) {
            subtree();
        } else if (action == 4 && !others.isEmpty() && random.nextInt(3) == 0) {
            rollbackMounted();
        } else {
            work();
        }
    }

    /** A directory becomes a PFS of its own, step by step, with other operations between these: all of it or nothing is there after a crash. */
    private void subtree() {
        ModelFileSystem.State begun = run.model().state();
        List<ModelInode> directories = begun.inodes().stream()
                .filter(inode -> inode.isDirectory() && inode.nlink > 0 && inode.inum != FileSystem.ROOT_INUM)
                .sorted(Comparator.comparingLong(inode -> inode.inum))
                .toList();
        if (directories.isEmpty()) {
            return;
        }
        long directory = directories.get(random.nextInt(directories.size())).inum;
        String label = "s" + made++;
        SubtreeSnapshot making = world.inside(() -> world.volume()
                .pfss()
                .beginSubtree(new PfsControl.SubtreeRequest(
                        Label.of(FIRST),
                        directory,
                        Label.of(label),
                        new PfsChange.Ids(new UUID(random.nextLong(), 1), new UUID(random.nextLong(), 2)),
                        new SubtreeCopy.Pace(4, 2, 2))));
        // That began with a commit.
        note(true);
        while (!world.inside(making::step)) {
            if (random.nextInt(3) == 0) {
                work();
            }
        }
        others.put(label, ModelFileSystem.subtree(begun, directory));
        note(true);
    }

    private void rollbackMounted() throws Hammer2Exception {
        String label = pick();
        ModelFileSystem.State source = others.get(label);
        change(new PfsChange.Rollback(Label.of(FIRST), Label.of(label), true));
        world.use(FIRST);
        run = new Run(world, new Workload(Profile.METADATA, random.split()));
        run.model().afterCrash(source);
        note(true);
    }

    private void work() {
        boolean[] durable = new boolean[1];
        run.settle(run.round(1, 1, Circumstances.GOOD, call -> durable[0] = call.isDurable()));
        note(durable[0]);
    }

    private String pick() {
        List<String> labels = new ArrayList<>(others.keySet());
        return labels.get(random.nextInt(labels.size()));
    }

    private void change(PfsChange change) {
        world.inside(() -> world.volume().pfss().change(List.of(change)));
    }

    private void note(boolean isDurable) {
        Map<String, Long> now = new TreeMap<>();
        others.forEach((label, state) -> now.put(label, state.treeDigest()));
        now.put(FIRST, run.model().state().treeDigest());
        moments.add(now);
        recording.mark(new Moment(moments.size() - 1, isDurable));
    }

    /** Fails with the first that must not be. @return how many there are */
    long inspectAll() throws IOException, Hammer2Exception {
        long count = 0;
        try (Lwkt lwkt = Lwkt.stepped(1, seed)) {
            for (Iterator<CrashState> i =
                            recording.crashes(seed, SEEDED_PER_POINT).iterator();
                    i.hasNext();
                    count++) {
                CrashState crash = i.next();
                try (BlockDevice device = crash.open()) {
                    Volumes.requireCleanAfterCrash(device);
                    requireAllowed(crash, look(lwkt, device));
                } catch (Hammer2Exception | RuntimeException | AssertionError e) {
                    throw new AssertionError("seed " + seed + ", " + crash + ": " + e, e);
                }
            }
        }
        return count;
    }

    private static Map<String, Long> look(Lwkt lwkt, BlockDevice device) throws Hammer2Exception {
        Map<String, Long> seen = new TreeMap<>();
        MountOptions options = MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, line -> {});
        try (Hammer2 volume = Hammer2.open(lwkt, List.of(new Borrowed(device)), options)) {
            for (PfsInfo pfs : volume.pfsList()) {
                if (!pfs.label().equals(LOCAL)) {
                    FileSystem files = volume.mount(pfs.label());
                    seen.put(
                            pfs.label(),
                            lwkt.run(
                                    0,
                                    () -> ModelFileSystem.treeDigest(
                                            new Observer(new MountedFileSystem(files)).tree(Integer.MAX_VALUE))));
                }
            }
            return seen;
        } catch (Hammer2Exception | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    private void requireAllowed(CrashState crash, Map<String, Long> seen) {
        int first = 0;
        int last = 0;
        for (Object mark : crash.marks()) {
            Moment moment = (Moment) mark;
            last = moment.number;
            first = moment.isDurable ? moment.number : first;
        }
        // The one after it may have been committed before anybody heard that it had ended.
        int end = Math.min(last + 1, moments.size() - 1);
        if (!moments.subList(first, end + 1).contains(seen)) {
            throw new AssertionError("there is " + seen + ", and not as after any of the operations " + first + " to "
                    + end + ": " + moments.subList(first, end + 1));
        }
    }

    @Override
    public void close() {
        recording.close();
        base.close();
    }
}
