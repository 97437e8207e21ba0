package io.hammer2.fs.simulation;

import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Fault;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;

/**
 * One volume's life from one seed: clients at work, commits, remounts, in some lives a failing device; the model beside it and
 * the checker after every commit that was asked for.
 */
final class Simulation {
    private static final List<Layout> LAYOUTS = List.of(
            Layout.single(512L << 20),
            Layout.single(1L << 30),
            Layout.single(3L << 30),
            Layout.single(10L << 30),
            Layout.several(512L << 20),
            Layout.several(1L << 30, 3L << 30, 256L << 20));
    private static final List<Layout> LAYOUTS_FULL = List.of(Layout.single(64L << 20), Layout.several(64L << 20));
    private static final List<Long> SYNC_INTERVALS = List.of(300_000L, 5_000_000L, 10_000_000_000L);
    private static final List<Fault> FAULTS = List.of(Fault.WRITE_ERROR, Fault.FLUSH_ERROR, Fault.READ_ERROR);
    private static final int CPUS_MAX = 3;
    private static final int CLIENTS_MAX = 4;
    private static final int CALLS_MAX = 4;
    private static final int FAULTY_ROUNDS_MAX = 40;

    private final SplittableRandom random;
    private final Layout layout;
    private final MemoryBlockDevice disk;
    private final World world;
    private final Run run;
    private final MountOptions options;
    private final boolean deviceWillFail;

    /** What a remount may show if the device fails from now on: by tree digest, since the last commit that is certain. */
    private final Map<Long, ModelFileSystem.State> sinceCommit = new HashMap<>();

    private FaultyBlockDevice device;
    private Circumstances circumstances;

    /**
     * What became of it.
     *
     * @param trace the same for the same seed
     */
    record Result(long operations, long trace) {}

    private Simulation(long seed, Profile profile) throws IOException, Hammer2Exception {
        random = new SplittableRandom(seed);
        boolean full = profile.fillsVolume();
        deviceWillFail = random.nextInt(4) == 0;
        circumstances = full ? Circumstances.FILLING : Circumstances.GOOD;
        List<Layout> layouts = full ? LAYOUTS_FULL : LAYOUTS;
        layout = layouts.get(random.nextInt(layouts.size()));
        disk = Volumes.formatted(layout, seed);
        device = new FaultyBlockDevice(disk, seed, Faults.NONE);
        options = MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {})
                .withDirtyBytesMax(MountOptions.DIRTY_BYTES_MIN)
                .withDedup(random.nextBoolean())
                .withSyncIntervalNanos(SYNC_INTERVALS.get(random.nextInt(SYNC_INTERVALS.size())));
        world = new World(1 + random.nextInt(CPUS_MAX), seed, layout);
        world.mountReordered(device, UnaryOperator.identity(), options);
        run = new Run(world, new Workload(profile, random.split()));
        restartHistory();
    }

    /** Lives through about so many operations. Fails with whatever is wrong. */
    static Result run(long seed, long operations) throws IOException, Hammer2Exception {
        // Most lives have everything in them, and a few are of one kind.
        SplittableRandom random = new SplittableRandom(seed + 1);
        return run(
                seed,
                operations,
                random.nextInt(3) > 0 ? Profile.MIXED : Profile.ALL.get(random.nextInt(Profile.ALL.size())));
    }

    /** A life of one kind. */
    static Result run(long seed, long operations, Profile profile) throws IOException, Hammer2Exception {
        return new Simulation(seed, profile).run(operations);
    }

    /** For a control: some writes lack a part, and nobody says so. */
    static Result runOnLyingDevice(long seed, long operations) throws IOException, Hammer2Exception {
        Simulation simulation = new Simulation(seed, Profile.METADATA);
        simulation.device.faults(Faults.NONE.with(Fault.LOST_SECTORS, 0.2));
        return simulation.run(operations);
    }

    private Result run(long operations) throws IOException, Hammer2Exception {
        live(operations);
        Result result = new Result(run.operationCount(), world.trace());
        // Not closed after a failure: that would only fail again, and hide why.
        world.close();
        disk.close();
        return result;
    }

    private void live(long operations) throws Hammer2Exception {
        long faultsAt = deviceWillFail ? random.nextLong(operations) : Long.MAX_VALUE;
        while (run.operationCount() < operations) {
            if (run.operationCount() >= faultsAt) {
                faultsAt = Long.MAX_VALUE;
                liveWithFaults();
            }
            run.settle(round());
            switch (random.nextInt(60)) {
                case 0 -> remount();
                case 1, 2, 3 -> commit();
                case 4, 5 -> run.verify(1 + random.nextInt(20));
                default -> {}
            }
        }
        remount();
    }

    private Linearization round() {
        int clients = 1 + random.nextInt(CLIENTS_MAX);
        Linearization explained = run.round(clients, 1 + random.nextInt(CALLS_MAX), circumstances, this::noteCommit);
        explained.passed().forEach((passed, state) -> sinceCommit.put(passed.treeDigest(), state));
        return explained;
    }

    /** Of a round that has not been explained yet, the beginning is what is certain. */
    private void noteCommit(Call call) {
        if (call.isDurable()) {
            restartHistory();
        }
    }

    private void commit() {
        world.inside(() -> {
            world.fs().sync();
            return null;
        });
        restartHistory();
        Volumes.requireClean(layout.on(disk));
    }

    private void restartHistory() {
        sinceCommit.clear();
        ModelFileSystem.State state = run.model().state();
        sinceCommit.put(state.treeDigest(), state);
    }

    private void remount() throws Hammer2Exception {
        commit();
        Map<Long, ModelInode> before = run.verify(Integer.MAX_VALUE);
        world.unmount();
        Volumes.requireClean(layout.on(disk));
        world.mountReordered(device, UnaryOperator.identity(), options);
        run.model().afterRemount();
        restartHistory();
        Map<Long, ModelInode> after = run.verify(Integer.MAX_VALUE);
        after.forEach((inum, inode) -> {
            // What is shown never differs from what a remount shows: here, the times that the model does not know.
            String difference = before.get(inum).difference(inode);
            if (difference != null) {
                throw new AssertionError("after a remount " + difference);
            }
        });
    }

    /** For a while, or until it has had enough of that; then with a good device again. */
    private void liveWithFaults() throws Hammer2Exception {
        Circumstances good = circumstances;
        circumstances = good.with(true);
        Fault fault = FAULTS.get(random.nextInt(FAULTS.size()));
        Faults faults = Faults.NONE.with(fault, random.nextDouble() * 0.2);
        int rounds = 1 + random.nextInt(FAULTY_ROUNDS_MAX);
        for (int i = 0; i < rounds; i++) {
            device.faults(faults);
            Linearization explained = round();
            device.faults(Faults.NONE);
            run.settle(explained);
        }
        device.faults(faults);
        try {
            world.unmount();
        } catch (Hammer2Exception e) {
            // It says that the last commit failed. What is left is looked at in any case.
        }
        circumstances = good;
        Volumes.requireCleanAfterCrash(layout.on(disk));
        device = new FaultyBlockDevice(disk, random.nextLong(), Faults.NONE);
        world.mountReordered(device, UnaryOperator.identity(), options);
        Map<Long, ModelInode> seen = world.inside(() -> new Observer(world.fs()).tree(Integer.MAX_VALUE));
        ModelFileSystem.State found = sinceCommit.get(ModelFileSystem.treeDigest(seen));
        if (found == null) {
            throw new AssertionError("after " + fault + " none of " + sinceCommit.size() + " states; from the last: "
                    + run.model().state().difference(seen));
        }
        run.model().afterCrash(found);
        restartHistory();
    }
}
