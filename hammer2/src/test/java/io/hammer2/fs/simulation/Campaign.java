package io.hammer2.fs.simulation;

import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.fs.Hammer2Exception;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;

/** Many seeds, on all processors: {@link #main} for {@code scripts/sim fs}. */
final class Campaign {
    private static final long OPERATIONS_PER_SEED = 2_000;
    private static final int POINTS_MAX = 700;
    private static final int SEEDED_PER_POINT = 4;

    /** After so many crash states one is also written to. */
    private static final int GO_ON_EVERY = 8;

    private static final List<Layout> CRASH_LAYOUTS = List.of(
            Layout.single(64L << 20),
            Layout.single(256L << 20),
            Layout.single(9L << 30),
            Layout.several(1L << 30, 256L << 20));
    private static final List<Layout> CRASH_LAYOUTS_FULL = List.of(Layout.single(64L << 20), Layout.several(64L << 20));

    private Campaign() {}

    /** Arguments: first seed, how many. Of each seed a simulated life and a recorded workload with its crashes. */
    public static void main(String[] args) throws Exception {
        long first = Long.parseLong(args[0]);
        long count = Long.parseLong(args[1]);
        System.out.printf("seeds %d to %d%n", first, first + count - 1);
        long operations = simulate(first, count);
        System.out.printf("%,d operations agree with the model%n", operations);
        Crashes crashes = Crashes.NONE;
        for (long seed = first; seed < first + count; seed++) {
            crashes = crashes.plus(crash(plan(seed)));
        }
        System.out.println(crashes + ": all are states that the operations allow");
    }

    /** A life of each seed. Returns the number of operations; fails with the seed and how to see it again. */
    static long simulate(long first, long count) throws InterruptedException {
        AtomicLong operations = new AtomicLong();
        inParallel(count, number -> {
            long seed = first + number;
            try {
                operations.addAndGet(Simulation.run(seed, OPERATIONS_PER_SEED).operations());
            } catch (Exception | AssertionError e) {
                throw new AssertionError("seed " + seed + " (again: scripts/sim fs " + seed + " 1): " + e, e);
            }
        });
        return operations.get();
    }

    /** Each kind of workload on each kind of volume in turn. */
    static CrashCampaign.Plan plan(long seed) {
        Profile profile = Profile.ALL.get(Math.floorMod(seed, Profile.ALL.size()));
        List<Layout> layouts = profile.fillsVolume() ? CRASH_LAYOUTS_FULL : CRASH_LAYOUTS;
        Layout layout = layouts.get(Math.floorMod(seed / Profile.ALL.size(), layouts.size()));
        return CrashCampaign.Plan.of(profile, layout, seed, POINTS_MAX);
    }

    /**
     * Crashes that were looked at.
     *
     * @param media how many of the states differ in what is on the medium
     */
    record Crashes(long states, long media) {
        static final Crashes NONE = new Crashes(0, 0);

        Crashes plus(Crashes more) {
            return new Crashes(states + more.states, media + more.media);
        }

        @Override
        public String toString() {
            return "%,d crash states, %,d of them different on the medium".formatted(states, media);
        }
    }

    /** All crashes of a workload. Fails with the first that must not be. */
    static Crashes crash(CrashCampaign.Plan plan) throws IOException, Hammer2Exception, InterruptedException {
        try (CrashCampaign campaign = new CrashCampaign(plan)) {
            Iterator<CrashState> crashes = campaign.crashes(SEEDED_PER_POINT).iterator();
            AtomicLong states = new AtomicLong();
            inParallel(Runtime.getRuntime().availableProcessors(), worker -> {
                try (CrashCampaign.Inspector inspector = campaign.new Inspector()) {
                    CrashState crash = next(crashes);
                    while (crash != null) {
                        inspector.inspect(crash, states.incrementAndGet() % GO_ON_EVERY == 0);
                        crash = next(crashes);
                    }
                }
            });
            return new Crashes(states.get(), campaign.mediaInspected());
        } catch (AssertionError e) {
            throw new AssertionError("again: scripts/sim fs " + plan.seed() + " 1: " + e.getMessage(), e);
        }
    }

    private static synchronized CrashState next(Iterator<CrashState> crashes) {
        return crashes.hasNext() ? crashes.next() : null;
    }

    @FunctionalInterface
    private interface Work {
        void of(long number) throws Exception;
    }

    /** A stepped world is advanced by one thread, so each piece of work stays on its own. */
    private static void inParallel(long count, Work work) throws InterruptedException {
        AtomicLong next = new AtomicLong();
        AtomicLong failures = new AtomicLong();
        Callable<Void> worker = () -> {
            for (long number = next.getAndIncrement();
                    number < count && failures.get() == 0;
                    number = next.getAndIncrement()) {
                try {
                    work.of(number);
                } catch (Exception | Error e) {
                    failures.incrementAndGet();
                    throw e;
                }
            }
            return null;
        };
        int processors = Runtime.getRuntime().availableProcessors();
        try (ExecutorService executor = Executors.newFixedThreadPool(processors)) {
            List<Callable<Void>> workers = new ArrayList<>();
            for (int i = 0; i < processors; i++) {
                workers.add(worker);
            }
            for (Future<Void> ended : executor.invokeAll(workers)) {
                ended.get();
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case Error error -> throw error;
                case RuntimeException exception -> throw exception;
                default -> throw new AssertionError(e.getCause());
            }
        }
    }
}
