package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.hammer2.blockdev.testing.LoopDevice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Assumptions;

/** Programs of the system that a test needs. */
final class Command {
    private Command() {}

    /** Without root the calling test is reported as not run. With it, a system without loop devices is a failure. */
    static void assumeRoot() throws IOException {
        Assumptions.assumeTrue(LoopDevice.isPermitted(), "needs root for a loop device or a mount");
    }

    /** Output of a command that must succeed. */
    static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + ": " + output);
        return output;
    }
}
