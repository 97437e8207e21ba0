package io.hammer2.fs.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** Clients at work on what is mounted in a world, judged by the model after each round. */
final class Run {
    private final World world;
    private final Workload workload;
    private final ModelFileSystem model;
    private long operationCount;

    Run(World world, Workload workload) {
        this.world = world;
        this.workload = workload;
        this.model = new ModelFileSystem(world.inside(() -> world.fs().attributes(1)));
    }

    ModelFileSystem model() {
        return model;
    }

    long operationCount() {
        return operationCount;
    }

    /**
     * A round of random operations, to be {@linkplain #settle settled} before the next. Fails unless there is an order of them
     * that explains what came of them.
     */
    Linearization round(int clients, int operationsEach, Circumstances circumstances, Consumer<Call> ended) {
        return round(clients, operationsEach, List.of(), circumstances, ended);
    }

    /** As {@link #round(int, int, Circumstances, Consumer)}, with another client that does {@code beside}, if that is anything. */
    Linearization round(
            int clients,
            int operationsEach,
            List<Operation> beside,
            Circumstances circumstances,
            Consumer<Call> ended) {
        List<List<Operation>> operations = new ArrayList<>(workload.round(model.state(), clients, operationsEach));
        if (!beside.isEmpty()) {
            operations.add(beside);
        }
        List<List<Call>> calls = world.round(operations, ended);
        operationCount += (long) clients * operationsEach;
        return Linearization.of(
                model, calls, circumstances.at(world.inside(() -> world.fs().statfs())));
    }

    /** Looks which of the states that there may be after a round it is, if there are several. */
    void settle(Linearization explained) {
        if (explained.ends().size() == 1) {
            return;
        }
        List<String> differences = new ArrayList<>();
        for (ModelFileSystem.State end : explained.ends()) {
            model.restore(end);
            String difference = end.difference(look(Integer.MAX_VALUE));
            if (difference == null) {
                return;
            }
            differences.add(difference);
        }
        throw new AssertionError("no order of these leads to what there is now:\n" + explained + "\n" + differences);
    }

    /** Fails unless the file system shows what the model holds, all of it. */
    Map<Long, ModelInode> verify(int entriesPerCall) {
        Map<Long, ModelInode> seen = look(entriesPerCall);
        String difference = model.state().difference(seen);
        if (difference != null) {
            throw new AssertionError(difference);
        }
        return seen;
    }

    private Map<Long, ModelInode> look(int entriesPerCall) {
        return world.inside(() -> {
            Observer observer = new Observer(world.fs());
            Map<Long, ModelInode> seen = observer.tree(entriesPerCall);
            observer.addUnnamed(model.state(), seen);
            return seen;
        });
    }
}
