package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import io.hammer2.tools.stress.Scratch;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.Timeout;

/**
 * The programs of posix/conformance.py on a mounted volume, each a test here; after them the volume is unmounted, verified,
 * mounted again, and must show the same.
 */
@Timeout(value = 10, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class PosixConformanceTest {
    private static final int SECONDS_MAX = 300;

    private static Scratch scratch;

    @BeforeAll
    static void mount() throws Exception {
        assumeTrue(System.getProperty("os.name").contains("Linux"), "calls what is Linux's own");
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "needs FUSE");
        scratch = Scratch.make(4L << 30);
        scratch.mount("");
    }

    @AfterAll
    static void unmount() throws Exception {
        if (scratch != null) {
            scratch.close();
        }
    }

    @TestFactory
    List<DynamicTest> what_posix_promises() throws Exception {
        Path root = Files.createDirectory(scratch.root().resolve("posix"));
        List<String> lines = conformance(root.toString()).lines().toList();
        assertTrue(lines.size() > 50, lines::toString);
        String before = conformance("--list", root.toString());
        assertEquals("", scratch.log());
        scratch.unmount();
        scratch.check();
        scratch.mount("");
        String after = conformance("--list", root.toString());
        scratch.unmount();
        List<DynamicTest> tests = new java.util.ArrayList<>(
                lines.stream().map(PosixConformanceTest::test).toList());
        tests.add(dynamicTest("what_is_shown_is_shown_again_by_a_new_mount", () -> {
            assertFalse(before.isEmpty());
            assertEquals(before, after);
        }));
        return tests;
    }

    /** @param line "ok NAME", "FAILED NAME: why" or "left out NAME: why" */
    private static DynamicTest test(String line) {
        String name = line.replaceAll("^(ok|FAILED|left out) ([a-z0-9_]+).*$", "$2");
        return dynamicTest(name, () -> {
            if (line.startsWith("left out ")) {
                abort(line);
            }
            if (!line.startsWith("ok ")) {
                fail(line);
            }
        });
    }

    private static String conformance(String... arguments) throws Exception {
        Path program = Path.of(
                PosixConformanceTest.class.getResource("/posix/conformance.py").toURI());
        List<String> command = new java.util.ArrayList<>(List.of("python3", program.toString()));
        command.addAll(List.of(arguments));
        Path output = Files.createTempFile("conformance", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                fail("hangs: " + command + "\n" + Files.readString(output, StandardCharsets.UTF_8));
            }
            return Files.readString(output, StandardCharsets.UTF_8);
        } finally {
            Files.delete(output);
        }
    }
}
