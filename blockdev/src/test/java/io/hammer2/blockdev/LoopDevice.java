package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/**
 * A real block device for a test: Linux's loop driver over a file. It is marked to vanish with its last user, and this object
 * is one; so it goes even when the test's process is killed.
 */
final class LoopDevice implements AutoCloseable {
    private final Path node;
    private final RandomAccessFile user;

    private LoopDevice(Path node, RandomAccessFile user) {
        this.node = node;
        this.user = user;
    }

    /** Needs root: without it the calling test is reported as not run. With it, a system without loop devices is a failure. */
    static LoopDevice over(Path backing, String... options) throws Exception {
        assumeRoot();
        List<String> command = new java.util.ArrayList<>(List.of("losetup", "--find", "--show"));
        command.addAll(List.of(options));
        command.add(backing.toString());
        Path node = Path.of(run(command.toArray(String[]::new)).trim());
        RandomAccessFile user;
        try {
            user = new RandomAccessFile(node.toFile(), "r");
        } finally {
            // While it is open, detaching means: when the last user closes it.
            run("losetup", "--detach", node.toString());
        }
        return new LoopDevice(node, user);
    }

    static void assumeRoot() throws IOException {
        Assumptions.assumeTrue(
                Files.getAttribute(Path.of("/proc/self"), "unix:uid").equals(0),
                "needs root for a loop device or a mount");
    }

    Path node() {
        return node;
    }

    @Override
    public void close() throws IOException {
        user.close();
    }

    /** Output of a command that must succeed. */
    static String run(String... command) throws Exception {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> String.join(" ", command) + ": " + output);
        return output;
    }
}
