package io.hammer2.blockdev.testing;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A real block device for a test: Linux's loop driver over a file. It is marked to vanish with its last user, and this object
 * is one; so it goes even when the test's process is killed.
 */
public final class LoopDevice implements AutoCloseable {
    private final Path node;
    private final RandomAccessFile user;

    private LoopDevice(Path node, RandomAccessFile user) {
        this.node = node;
        this.user = user;
    }

    /** Whether this process may make one: root on Linux. */
    public static boolean isPermitted() throws IOException {
        Path self = Path.of("/proc/self");
        return Files.exists(self) && Files.getAttribute(self, "unix:uid").equals(0);
    }

    /**
     * Makes one.
     *
     * @param options more of losetup(8)
     */
    public static LoopDevice over(Path backing, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of("losetup", "--find", "--show"));
        command.addAll(List.of(options));
        command.add(backing.toString());
        Path node = Path.of(losetup(command).trim());
        RandomAccessFile user;
        try {
            user = new RandomAccessFile(node.toFile(), "r");
        } finally {
            // While it is open, detaching means: when the last user closes it.
            losetup(List.of("losetup", "--detach", node.toString()));
        }
        return new LoopDevice(node, user);
    }

    public Path node() {
        return node;
    }

    /** Takes the size that the file has by now. */
    public void refreshSize() throws IOException {
        losetup(List.of("losetup", "--set-capacity", node.toString()));
    }

    @Override
    public void close() throws IOException {
        user.close();
    }

    private static String losetup(List<String> command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            if (process.waitFor() != 0) {
                throw new IOException(String.join(" ", command) + ": " + output);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        return output;
    }
}
