package io.hammer2.fs.simulation;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.CrashRecording;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.testing.Borrowed;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/**
 * Clients at work on a recorded device, and then every state that a crash could have left it in: it must mount, be without fault
 * for the checker, and show exactly one of the states that the file system was in since what it last called durable. And it
 * must be possible to go on from there.
 */
final class CrashCampaign implements AutoCloseable {
    private static final int CLIENTS_MAX = 3;
    private static final int CALLS_MAX = 3;
    private static final int ROUNDS_BEFORE = 12;
    private static final long RECORDED_BYTES_MAX = 96L << 20;
    private static final long NEVER_NANOS = 3_600_000_000_000L;
    private static final String NEW_NAME = "after the crash";

    private final Plan plan;
    private final MemoryBlockDevice base;
    private final CrashRecording recording;
    private final List<Round> rounds = new ArrayList<>();

    /** What was seen on each medium that was without fault, as a digest: many crashes leave the same bytes. */
    private final Map<Object, Long> inspected = new ConcurrentHashMap<>();

    /**
     * What is to be recorded.
     *
     * @param syncIntervalNanos of the background sync
     * @param ignoredFlushes for a control: as if the file system had forgotten these
     * @param sectorBytes what the medium writes whole or not at all
     */
    record Plan(
            Profile profile,
            Layout layout,
            long seed,
            int pointsMax,
            long syncIntervalNanos,
            int sectorBytes,
            IntPredicate ignoredFlushes) {
        /** With what is left to choose from the seed. */
        static Plan of(Profile profile, Layout layout, long seed, int pointsMax) {
            SplittableRandom random = new SplittableRandom(seed);
            return new Plan(
                    profile,
                    layout,
                    seed,
                    pointsMax,
                    random.nextInt(3) == 0 ? 300_000 : NEVER_NANOS,
                    random.nextBoolean() ? 512 : 4096,
                    number -> false);
        }

        Plan ignoring(IntPredicate flushes) {
            return new Plan(profile, layout, seed, pointsMax, syncIntervalNanos, sectorBytes, flushes);
        }

        @Override
        public String toString() {
            return profile.name() + ", " + layout + ", seed " + seed;
        }
    }

    /** All states that the file system may have been in during a round, and what was there in the end. */
    private record Round(Set<Linearization.Passed> passed, Set<Long> digests, ModelFileSystem.State end) {}

    /** Mark: a round begins, the previous ones have ended. */
    private record Begun(int round) {}

    /** Mark: what came before this call is durable, says its outcome. */
    private static final class Durable {
        private final Call call;

        /** What that is of its round, known when the round has ended: as {@link Linearization.Passed#done}. */
        private long required;

        private Durable(Call call) {
            this.call = call;
        }
    }

    /** Runs the workload. Its outcomes are judged as well. */
    CrashCampaign(Plan plan) throws IOException, Hammer2Exception {
        this.plan = plan;
        this.base = Volumes.formatted(plan.layout(), plan.seed());
        SplittableRandom random = new SplittableRandom(plan.seed() + 1);
        World world = new World(1 + random.nextInt(2), plan.seed(), plan.layout());
        world.mountReordered(base, device -> device, options());
        Run run = new Run(world, new Workload(plan.profile(), random.split()));
        Circumstances circumstances = plan.profile().fillsVolume() ? Circumstances.FILLING : Circumstances.GOOD;
        for (int i = 0; i < ROUNDS_BEFORE; i++) {
            run.settle(run.round(1, CALLS_MAX, circumstances, call -> {}));
        }
        world.unmount();
        run.model().afterRemount();
        addRound(run, null);

        recording = new CrashRecording(base, plan.sectorBytes(), RECORDED_BYTES_MAX);
        recording.ignoreFlushes(plan.ignoredFlushes());
        try (MemoryBlockDevice live = MemoryBlockDevice.over(base)) {
            world.mountReordered(live, device -> new RecordingBlockDevice(device, recording), options());
            while (recording.points() < plan.pointsMax() && !recording.isFull()) {
                record(run, random, circumstances);
            }
            world.close();
        }
    }

    private MountOptions options() {
        return MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {})
                .withDirtyBytesMax(MountOptions.DIRTY_BYTES_MIN)
                .withDedup(plan.seed() % 4 != 0)
                .withSyncIntervalNanos(plan.syncIntervalNanos());
    }

    private void record(Run run, SplittableRandom random, Circumstances circumstances) {
        int round = rounds.size();
        recording.mark(new Begun(round));
        List<Durable> durables = new ArrayList<>();
        Linearization explained =
                run.round(1 + random.nextInt(CLIENTS_MAX), 1 + random.nextInt(CALLS_MAX), circumstances, call -> {
                    if (call.isDurable()) {
                        Durable durable = new Durable(call);
                        durables.add(durable);
                        recording.mark(durable);
                    }
                });
        durables.forEach(durable -> durable.required = explained.doneBefore(durable.call));
        run.settle(explained);
        addRound(run, explained);
    }

    private void addRound(Run run, Linearization explainedOrNull) {
        ModelFileSystem.State end = run.model().state();
        Set<Long> digests = new HashSet<>();
        digests.add(end.treeDigest());
        Set<Linearization.Passed> passed = explainedOrNull == null
                ? Set.of()
                : Set.copyOf(explainedOrNull.passed().keySet());
        passed.forEach(state -> digests.add(state.treeDigest()));
        rounds.add(new Round(passed, digests, end));
    }

    int points() {
        return recording.points();
    }

    /** All to be looked at: every point with everything, nothing and only the last of what was in flight, and so many random. */
    Stream<CrashState> crashes(int seededPerPoint) {
        return recording.crashes(plan.seed(), seededPerPoint);
    }

    /** Looks at crash states, one after the other; for each thread another. */
    final class Inspector implements AutoCloseable {
        private final World world = new World(1, plan.seed(), plan.layout());

        /**
         * Fails unless the state is one that a crash may leave.
         *
         * @param goOn whether also to write after it
         */
        void inspect(CrashState crash, boolean goOn) throws IOException, Hammer2Exception {
            Long known = inspected.get(crash.contents());
            if (known != null && !goOn && isAllowed(crash, known)) {
                return;
            }
            try (BlockDevice device = crash.open()) {
                Map<Long, ModelInode> seen = look(device);
                requireAllowed(crash, seen);
                Volumes.requireCleanAfterCrash(plan.layout().on(device));
                if (goOn) {
                    goOn(device, seen);
                }
                inspected.put(crash.contents(), ModelFileSystem.treeDigest(seen));
            } catch (IOException | Hammer2Exception | RuntimeException | AssertionError e) {
                throw new AssertionError(plan + ": " + crash + ": " + e, e);
            }
        }

        private Map<Long, ModelInode> look(BlockDevice device) throws Hammer2Exception {
            world.mount(new Borrowed(device), MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, line -> {}));
            try {
                return world.inside(() -> new Observer(world.fs()).tree(Integer.MAX_VALUE));
            } finally {
                world.unmount();
            }
        }

        /** Recovers, adds something, and finds that and everything else. */
        private void goOn(BlockDevice device, Map<Long, ModelInode> before) throws Hammer2Exception {
            byte[] content = new byte[1 + (int) (before.size() * 1001L % 100_000)];
            java.util.Arrays.fill(content, (byte) 7);
            world.mount(new Borrowed(device), options());
            long inum = world.inside(() -> {
                Posix fs = world.fs();
                // Whatever the clients have left it as.
                fs.setAttributes(FileSystem.ROOT_INUM, new AttributeChange().uflags(0));
                long made = fs.create(FileSystem.ROOT_INUM, NEW_NAME, NewInode.of(FileType.REGULAR, 0600, 1, 1))
                        .inum();
                fs.write(made, 0, content, 0);
                fs.fsync(made);
                return made;
            });
            Volumes.requireCleanAfterCrash(plan.layout().on(device));
            world.unmount();
            Map<Long, ModelInode> after = new HashMap<>(look(device));
            ModelInode made = after.remove(inum);
            if (made == null || made.content.hash() != Content.of(content).hash()) {
                throw new AssertionError("what was written after the crash is not there: " + made);
            }
            Map<Long, ModelInode> expected = new HashMap<>(before);
            ModelInode root = expected.get(FileSystem.ROOT_INUM).copy();
            Map<String, Long> entries = root.entriesCopy();
            entries.put(NEW_NAME, inum);
            root.entries = entries;
            root.uflags = 0;
            expected.put(root.inum, root);
            if (ModelFileSystem.treeDigest(expected) != ModelFileSystem.treeDigest(after)) {
                throw new AssertionError("writing after the crash has changed something else");
            }
        }

        @Override
        public void close() throws Hammer2Exception {
            world.close();
        }
    }

    /** Which rounds a crash may leave the state of, by the marks before it, and what must be in it of the first. */
    private record Range(int first, int last, List<Durable> durables) {
        static Range of(CrashState crash) {
            List<Durable> durables = new ArrayList<>();
            int last = 0;
            int first = 0;
            List<Object> marks = crash.marks();
            for (int i = marks.size() - 1; i >= 0 && first == 0; i--) {
                switch (marks.get(i)) {
                    case Begun begun -> {
                        last = Math.max(last, begun.round);
                        first = durables.isEmpty() ? 0 : begun.round;
                    }
                    case Durable durable -> durables.add(durable);
                    default -> throw new AssertionError(marks.get(i));
                }
            }
            return new Range(first, last, durables);
        }
    }

    private boolean isAllowed(CrashState crash, long digest) {
        Range range = Range.of(crash);
        for (int round = range.last; round > range.first; round--) {
            if (rounds.get(round).digests.contains(digest)) {
                return true;
            }
        }
        Round earliest = rounds.get(range.first);
        return range.durables.isEmpty()
                ? earliest.digests.contains(digest)
                : earliest.passed.stream()
                        .anyMatch(passed -> passed.treeDigest() == digest
                                && range.durables.stream().allMatch(durable -> passed.includes(durable.required)));
    }

    private void requireAllowed(CrashState crash, Map<Long, ModelInode> seen) {
        long digest = ModelFileSystem.treeDigest(seen);
        if (!isAllowed(crash, digest)) {
            Range range = Range.of(crash);
            throw new AssertionError("not a state of rounds " + range.first + " to " + range.last + " of "
                    + (rounds.size() - 1) + known(digest) + "; from the last of them: "
                    + rounds.get(range.last).end.difference(seen));
        }
    }

    /** On how many different media the crashes left what was looked at. */
    int mediaInspected() {
        return inspected.size();
    }

    /** Where else it has been. */
    private String known(long digest) {
        for (int round = 0; round < rounds.size(); round++) {
            if (rounds.get(round).digests.contains(digest)) {
                return ", but of round " + round;
            }
        }
        return ", nor of any other";
    }

    @Override
    public void close() {
        recording.close();
        base.close();
    }
}
