package io.hammer2.fs.simulation;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.hammer2.fs.FsException;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The judge judged: the model against itself, and against itself with defects. */
final class HarnessTest {
    private static final Attributes ROOT =
            new Attributes(1, FileType.DIRECTORY, 0755, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    private static final int ROUNDS = 3_000;

    @Test
    void the_model_agrees_with_itself() {
        for (Profile profile : Profile.ALL) {
            compare(profile, "nothing");
        }
    }

    @Test
    void a_lost_write_is_found() {
        assertThrows(AssertionError.class, () -> compare(Profile.MIXED, "write"));
    }

    @Test
    void a_name_that_stays_is_found() {
        assertThrows(AssertionError.class, () -> compare(Profile.METADATA, "unlink"));
    }

    @Test
    void a_rename_that_does_nothing_is_found() {
        assertThrows(AssertionError.class, () -> compare(Profile.RENAME_OVER, "rename"));
    }

    @Test
    void a_swap_of_operations_that_were_done_one_after_the_other_is_no_explanation() {
        ModelFileSystem real = new ModelFileSystem(ROOT);
        ModelFileSystem model = new ModelFileSystem(ROOT);
        Operation list = new Operation(Operation.Kind.READ, () -> "list", fs -> fs.list(1, 10));
        Operation make = new Operation(
                Operation.Kind.GROW, () -> "make", fs -> fs.create(1, "a", NewInode.of(FileType.REGULAR, 0, 0, 0)));
        // The listing without the new name began when that had been made.
        Call made = new Call(make);
        Call listed = new Call(list);
        Outcome empty = Outcome.of(list, real);
        made.began(1);
        made.ended(2, Outcome.of(make, real));
        listed.began(3);
        listed.ended(4, empty);
        List<List<Call>> clients = List.of(List.of(made), List.of(listed));
        assertThrows(AssertionError.class, () -> Linearization.of(model, clients, Circumstances.GOOD));
        // At the same time it is one.
        listed.began(1);
        Linearization.of(model, clients, Circumstances.GOOD);
    }

    private static void compare(Profile profile, String defect) {
        ModelFileSystem real = new ModelFileSystem(ROOT);
        Posix shown = without(defect, real);
        ModelFileSystem model = new ModelFileSystem(ROOT);
        SplittableRandom random = new SplittableRandom(7);
        Workload workload = new Workload(profile, random.split());
        int moment = 0;
        for (int round = 0; round < ROUNDS; round++) {
            List<Call> calls = new ArrayList<>();
            for (Operation operation : workload.round(model.state(), 1, 4).getFirst()) {
                Call call = new Call(operation);
                call.began(++moment);
                call.ended(++moment, Outcome.of(operation, shown));
                calls.add(call);
            }
            Linearization.of(model, List.of(calls), Circumstances.GOOD);
            if (random.nextInt(50) == 0) {
                Observer observer = new Observer(shown);
                var seen = observer.tree(Integer.MAX_VALUE);
                observer.addUnnamed(model.state(), seen);
                assertNull(model.state().difference(seen));
            }
        }
    }

    /** Now and then an operation of this name reports success and does nothing. */
    private static Posix without(String name, Posix real) {
        SplittableRandom random = new SplittableRandom(3);
        return (Posix) Proxy.newProxyInstance(
                Posix.class.getClassLoader(), new Class<?>[] {Posix.class}, (self, method, args) -> {
                    if (method.getName().equals(name) && random.nextInt(100) == 0) {
                        return name.equals("write") ? ((byte[]) args[2]).length : null;
                    }
                    try {
                        return method.invoke(real, args);
                    } catch (InvocationTargetException e) {
                        throw e.getCause() instanceof Refusal refusal ? answer(refusal) : e.getCause();
                    }
                });
    }

    private static FsException answer(Refusal refusal) {
        return new FsException(refusal.reasons().iterator().next(), "the model refuses");
    }
}
