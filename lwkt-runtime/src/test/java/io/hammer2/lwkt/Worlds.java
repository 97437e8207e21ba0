package io.hammer2.lwkt;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The runtimes every contract test runs on: both modes, each on both mechanisms below threads. */
@FunctionalInterface
interface Worlds {
    Lwkt open(int cpus);

    static Stream<Worlds> all() {
        return Stream.of(Stack.Mechanism.values())
                .flatMap(mechanism -> Stream.of(
                        named("dedicated, " + mechanism, cpus -> Lwkt.dedicated(cpus, mechanism)),
                        named("stepped, " + mechanism, cpus -> Lwkt.stepped(cpus, 1, mechanism))));
    }

    /** Has the detector of held locks look at stacks again that another test has shown it. */
    static void forgetStacks() {
        HeldLocks.forgetStacks();
    }

    private static Worlds named(String name, Worlds worlds) {
        return new Worlds() {
            @Override
            public Lwkt open(int cpus) {
                return worlds.open(cpus);
            }

            @Override
            public String toString() {
                return name;
            }
        };
    }

    /** Runs a test once on each. */
    @java.lang.annotation.Retention(java.lang.annotation.RetentionPolicy.RUNTIME)
    @ParameterizedTest
    @MethodSource("io.hammer2.lwkt.Worlds#all")
    @interface OnEach {}
}
