package io.hammer2.fs.simulation;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What clients did at once, explained as if it had been one operation after the other: every order that agrees with all outcomes
 * and in which no operation comes before one that had ended when it began.
 */
final class Linearization {
    private static final int CALLS_BITS = 4;

    private final ModelFileSystem model;
    private final ModelFileSystem.State before;
    private final List<List<Call>> clients;
    private final Circumstances circumstances;
    private final Map<Position, Boolean> explored = new HashMap<>();
    private final Map<Passed, ModelFileSystem.State> passed = new HashMap<>();
    private final Map<Long, ModelFileSystem.State> ends = new LinkedHashMap<>();

    // What the best attempt failed at.
    private int furthest;
    private String objection = "";

    /** How many operations of each client have been done, in four bits each, and what the file system is then. */
    private record Position(long done, long digest) {}

    /** A state that the file system may have been in, by what a remount would show; and then so much had been done. */
    record Passed(long done, long treeDigest) {
        /** Whether of each client at least as much had been done. */
        boolean includes(long required) {
            for (long mask = (1 << CALLS_BITS) - 1; mask != 0; mask <<= CALLS_BITS) {
                if (Long.compareUnsigned(done & mask, required & mask) < 0) {
                    return false;
                }
            }
            return true;
        }
    }

    /** @param clients up to 15 operations of each of up to 16 */
    private Linearization(ModelFileSystem model, List<List<Call>> clients, Circumstances circumstances) {
        this.model = model;
        this.before = model.state();
        this.clients = clients;
        this.circumstances = circumstances;
    }

    /**
     * Explains a round from the model's state; the model has the first of the possible ends then.
     *
     * @throws AssertionError when there is no explanation
     */
    static Linearization of(ModelFileSystem model, List<List<Call>> clients, Circumstances circumstances) {
        Linearization all = new Linearization(model, clients, circumstances);
        if (!all.explore(0, all.before)) {
            model.restore(all.before);
            throw new AssertionError("no order of these explains their outcomes:\n" + all + "\n" + all.objection);
        }
        model.restore(all.ends.values().iterator().next());
        return all;
    }

    /** What may be the state now. More than one when nobody has looked at the difference yet. */
    Collection<ModelFileSystem.State> ends() {
        return ends.values();
    }

    /** All states that the file system may have been in, from the one before to those at the end. */
    Map<Passed, ModelFileSystem.State> passed() {
        return passed;
    }

    /** The operations of each client. */
    List<List<Call>> calls() {
        return clients;
    }

    /** What at most had been done of each client when this had ended: as {@link Passed#done}. */
    long begunBefore(Call call) {
        long begun = 0;
        for (int client = 0; client < clients.size(); client++) {
            for (Call other : clients.get(client)) {
                begun += call.precedes(other) ? 0 : 1L << (client * CALLS_BITS);
            }
        }
        return begun;
    }

    /** What at least had been done of each client when this was asked for: as {@link Passed#done}. */
    long doneBefore(Call call) {
        long done = 0;
        for (int client = 0; client < clients.size(); client++) {
            for (Call other : clients.get(client)) {
                done += other.precedes(call) ? 1L << (client * CALLS_BITS) : 0;
            }
        }
        return done;
    }

    private boolean explore(long done, ModelFileSystem.State state) {
        Position position = new Position(done, state.fullDigest());
        Boolean known = explored.get(position);
        if (known != null) {
            return known;
        }
        boolean completes = step(done, state);
        explored.put(position, completes);
        if (completes) {
            passed.put(new Passed(done, state.treeDigest()), state);
        }
        return completes;
    }

    private boolean step(long done, ModelFileSystem.State state) {
        List<Integer> changing = new ArrayList<>();
        boolean finished = true;
        for (int client = 0; client < clients.size(); client++) {
            Call call = next(done, client);
            if (call == null) {
                continue;
            }
            finished = false;
            if (mustWait(call, done)) {
                continue;
            }
            if (changesNothing(call)) {
                // It is as good now as later: nothing else can come to depend on it.
                model.restore(state);
                if (circumstances.excuse(call) || admits(call, done)) {
                    return explore(done + (1L << (client * CALLS_BITS)), state);
                }
            } else {
                changing.add(client);
            }
        }
        if (finished) {
            ends.putIfAbsent(state.fullDigest(), state);
            return true;
        }
        boolean completes = false;
        for (int client : changing) {
            Call call = next(done, client);
            model.restore(state);
            if (admits(call, done)) {
                completes |= explore(done + (1L << (client * CALLS_BITS)), model.state());
            }
        }
        return completes;
    }

    /** From the model's state; it is the next one then. */
    private boolean admits(Call call, long done) {
        Outcome expected = model.apply(call.operation(), call.outcome());
        boolean admitted = call.outcome().isOneOf(expected);
        int count = 0;
        for (long rest = done; rest != 0; rest >>>= CALLS_BITS) {
            count += (int) rest & ((1 << CALLS_BITS) - 1);
        }
        if (!admitted && count >= furthest) {
            furthest = count;
            objection = "after %d of them expected: %s -> %s".formatted(count, call.operation(), expected);
        }
        return admitted;
    }

    private Call next(long done, int client) {
        int index = (int) (done >>> (client * CALLS_BITS)) & ((1 << CALLS_BITS) - 1);
        List<Call> calls = clients.get(client);
        return index < calls.size() ? calls.get(index) : null;
    }

    private boolean mustWait(Call call, long done) {
        for (int client = 0; client < clients.size(); client++) {
            Call other = next(done, client);
            if (other != null && other.precedes(call)) {
                return true;
            }
        }
        return false;
    }

    private static boolean changesNothing(Call call) {
        return call.outcome().failed()
                || call.operation().kind() == Operation.Kind.READ
                || call.operation().kind() == Operation.Kind.SYNC;
    }

    /** What was done, and what there had been before. */
    @Override
    public String toString() {
        return before + "\n"
                + clients.stream()
                        .flatMap(client -> client.stream().map(Call::toString))
                        .collect(Collectors.joining("\n"));
    }
}
