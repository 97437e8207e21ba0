package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What depends on how the JVM was started. */
class OtherJvmTest {
    private static final String EXPORT = "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED";

    private static String run(List<String> flags, Class<?> main, String... args) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(flags);
        command.addAll(List.of("-Xmx128m", "-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(args));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), output);
        return output;
    }

    @Test
    void the_same_seeds_give_the_same_traces_in_two_jvms() throws Exception {
        String one = run(List.of(EXPORT, "-ea"), SteppedProgram.class, "4711", "50");
        String other = run(List.of(EXPORT), SteppedProgram.class, "4711", "50");
        System.out.print("in one JVM: " + one + "in another: " + other);
        assertEquals(one, other);
        assertNotEquals(one, run(List.of(EXPORT), SteppedProgram.class, "4712", "50"));
    }

    /** Prints the mechanism chosen, and runs on it. */
    static final class Choice {
        private Choice() {}

        public static void main(String[] args) throws Exception {
            System.out.println(Stack.Mechanism.choose());
            try (Lwkt lwkt = Lwkt.dedicated(2)) {
                System.out.println(lwkt.run(0, () -> lwkt.cpu(1).call(() -> "answer of " + Cpu.current())));
            }
        }
    }

    @Test
    void without_the_export_the_fallback_is_chosen_and_works() throws Exception {
        assertEquals("BATON\nanswer of cpu1\n", run(List.of(), Choice.class));
        assertEquals("CONTINUATION\nanswer of cpu1\n", run(List.of(EXPORT), Choice.class));
    }

    /** Does in production what tests refuse, and prints what was counted. */
    static final class Production {
        private static final class BlocksWhenInitialised {
            static final int VALUE = block();

            private static int block() {
                for (int i = 0; i < 3; i++) {
                    LwktThread.sleep(100_000);
                }
                return 42;
            }
        }

        /** In reach of others, or the compiler would leave it out. */
        private static final Object MONITOR = new Object();

        private Production() {}

        public static void main(String[] args) throws Exception {
            try (Lwkt lwkt = Lwkt.dedicated(1)) {
                Message<Integer> others = new Message<>();
                lwkt.cpu(0).spawn("other", () -> {
                    int yields = 0;
                    for (; yields < 100; yields++) {
                        LwktThread.yieldNow();
                    }
                    others.reply(yields);
                });
                System.out.println("initialised to " + lwkt.run(0, () -> BlocksWhenInitialised.VALUE));
                System.out.println("others yielded " + lwkt.run(0, others::await));
                System.out.println("pinned " + lwkt.cpu(0).statistics().pinnedBlocks());
                lwkt.run(0, () -> {
                    for (int i = 0; i < 2 * Tuning.SWITCHES_PER_LOCK_CHECK; i++) {
                        // Each of them: which one is looked at depends on how often the cpu has switched.
                        synchronized (MONITOR) {
                            LwktThread.yieldNow();
                        }
                    }
                    return null;
                });
                System.out.println("locked found " + (lwkt.cpu(0).statistics().lockedBlocks() > 0));
            }
        }
    }

    @Test
    void production_counts_what_tests_refuse_and_goes_on() throws Exception {
        String output = run(List.of(EXPORT), Production.class);
        assertTrue(output.contains("initialised to 42\nothers yielded 100\npinned 3\n"), output);
        assertTrue(output.contains("locked found true"), output);
    }
}
