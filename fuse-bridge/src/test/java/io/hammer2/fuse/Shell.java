package io.hammer2.fuse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs programs of the host on a mount. None of them may hang the build: each is killed after a while. */
public final class Shell {
    private static final int SECONDS_MAX = 180;

    /**
     * @param status exit status; 128 and more when it was killed
     * @param output of both kinds
     */
    public record Result(int status, String output) {
        public String succeeded() {
            if (status != 0) {
                throw new AssertionError("status " + status + ": " + output);
            }
            return output;
        }
    }

    private Shell() {}

    public static Result run(String... command) {
        try {
            Path output = Files.createTempFile("shell", ".out");
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new AssertionError(
                        "does not end: " + List.of(command) + "\n" + Files.readString(output, StandardCharsets.UTF_8));
            }
            String text = Files.readString(output, StandardCharsets.ISO_8859_1);
            Files.delete(output);
            return new Result(process.exitValue(), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    public static Result python(String program, String... arguments) {
        String[] command = new String[3 + arguments.length];
        command[0] = "python3";
        command[1] = "-c";
        command[2] = program;
        System.arraycopy(arguments, 0, command, 3, arguments.length);
        return run(command);
    }

    /** Whatever a failed test has left at a place. */
    public static void unmountByForce(Path mountPoint) {
        run("umount", "-l", mountPoint.toString());
    }

    public static boolean isMounted(Path mountPoint) {
        return mountLine(mountPoint) != null;
    }

    /** The line of /proc/mounts, null when there is none. */
    public static String mountLine(Path mountPoint) {
        try {
            return Files.readString(Path.of("/proc/mounts"))
                    .lines()
                    .filter(line -> line.contains(" " + mountPoint + " "))
                    .findFirst()
                    .orElse(null);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
