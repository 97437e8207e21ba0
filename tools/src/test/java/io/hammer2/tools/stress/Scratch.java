package io.hammer2.tools.stress;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** A volume of its own in a sparse image, mounted read-write by a process of its own, which can be killed. */
public final class Scratch implements AutoCloseable {
    private static final long SECONDS_MAX = 300;
    private static final int POLL_MILLIS = 20;
    private static final boolean IS_ROOT = "root".equals(System.getProperty("user.name"));

    private final Path folder;
    private final Path image;
    private final Path mountPoint;
    private final Path log;
    private Process daemon;

    private Scratch(Path folder, Path image) {
        this.folder = folder;
        this.image = image;
        mountPoint = folder.resolve("mnt");
        log = folder.resolve("log");
    }

    /**
     * Makes a file system in a folder of its own, which is removed at the end.
     *
     * @param sizeBytes of the volume
     */
    public static Scratch make(long sizeBytes) throws IOException {
        Path folder = newFolder();
        Path image = folder.resolve("volume.img");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        return on(folder, image);
    }

    /** Makes a file system on a device, which stays. */
    public static Scratch on(Path device) throws IOException {
        return on(newFolder(), device);
    }

    private static Scratch on(Path folder, Path image) throws IOException {
        Scratch scratch = new Scratch(folder, image);
        Files.createDirectory(scratch.mountPoint);
        // Other users shall get through to the mount.
        run(null, List.of("chmod", "755", folder.toString()));
        scratch.tool("NewfsCommand", image.toString());
        return scratch;
    }

    private static Path newFolder() throws IOException {
        return Files.createTempDirectory("hammer2-scratch").toRealPath();
    }

    /** Where it is mounted while it is. */
    public Path root() {
        return mountPoint;
    }

    public Path image() {
        return image;
    }

    /**
     * Mounts it.
     *
     * @param options more words for -o, may be empty
     */
    public void mount(String options) throws IOException {
        mount(options, List.of());
    }

    /** As {@link #mount(String)}; the daemon's JVM is given {@code jvmFlags} too. */
    public void mount(String options, List<String> jvmFlags) throws IOException {
        List<String> command = java("MountCommand");
        command.addAll(1, jvmFlags);
        command.addAll(List.of(
                "-f",
                "-o",
                "rw,sync_interval=2" + (IS_ROOT ? ",allow_other,suid,dev" : "")
                        + (options.isEmpty() ? "" : "," + options),
                image.toString(),
                mountPoint.toString()));
        daemon = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS_MAX);
        while (mountLine().isEmpty()) {
            // Nothing tells when: in the foreground the command is silent.
            if (await(daemon, POLL_MILLIS) || System.nanoTime() > end) {
                throw new IOException("mount_hammer2 did not mount: " + Files.readString(log));
            }
        }
        if (!mountLine().contains(" rw,")) {
            throw new IOException("mounted, but not to be written: " + mountLine());
        }
    }

    private String mountLine() throws IOException {
        return Files.readAllLines(Path.of("/proc/mounts")).stream()
                .filter(line -> line.contains(" " + mountPoint + " "))
                .findFirst()
                .orElse("");
    }

    /** Unmounts it, and waits until the daemon has let go of the image. */
    public void unmount() throws IOException {
        String node = mountPoint.toString();
        run(null, IS_ROOT ? List.of("umount", node) : List.of("fusermount3", "-u", node));
        if (!await(daemon, TimeUnit.SECONDS.toMillis(SECONDS_MAX))) {
            throw new IOException("the daemon does not end after umount");
        }
        int status = daemon.exitValue();
        daemon = null;
        if (status != 0) {
            throw new IOException("the daemon ended with status " + status + ": " + Files.readString(log));
        }
    }

    /** kill -9 of the daemon, and the dead mount taken away. */
    public void kill() throws IOException {
        killOnly();
        detach();
    }

    /** kill -9 of the daemon; the dead mount stays. */
    public void killOnly() {
        daemon.destroyForcibly();
        await(daemon, TimeUnit.SECONDS.toMillis(SECONDS_MAX));
        daemon = null;
    }

    private void detach() throws IOException {
        String node = mountPoint.toString();
        run(null, IS_ROOT ? List.of("umount", "-l", node) : List.of("fusermount3", "-u", "-z", node));
    }

    /**
     * Verifies the volume, which is not mounted, with fsck_hammer2 and with the checker that the
     * environment names ({@code H2CHECK}: a program for python3), if there is one.
     *
     * @throws IOException with what they found
     */
    public void check() throws IOException {
        tool("FsckCommand", image.toString());
        String other = System.getenv("H2CHECK");
        if (other != null && !other.isEmpty()) {
            run(folder, List.of("python3", other, image.toString()));
        }
    }

    /** What the daemon said since the beginning. */
    public String log() throws IOException {
        return Files.exists(log) ? Files.readString(log) : "";
    }

    /** Ends it in whatever state it is, and removes all of it. */
    @Override
    public void close() throws IOException {
        if (daemon != null) {
            daemon.destroyForcibly();
            await(daemon, TimeUnit.SECONDS.toMillis(SECONDS_MAX));
        }
        while (!mountLine().isEmpty()) {
            detach();
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private void tool(String main, String... arguments) throws IOException {
        List<String> command = java(main);
        command.addAll(List.of(arguments));
        run(folder, command);
    }

    /** The beginning of a command line for one of the tools in a process of its own. */
    public static List<String> java(String main) {
        return new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-ea",
                "-cp",
                System.getProperty("hammer2.classPath", System.getProperty("java.class.path")),
                "io.hammer2.tools." + main));
    }

    private static String run(Path folder, List<String> command) throws IOException {
        Path output = Files.createTempFile("hammer2-scratch", ".out");
        try {
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
            if (folder != null) {
                builder.directory(folder.toFile());
            }
            Process process = builder.start();
            if (!await(process, TimeUnit.SECONDS.toMillis(SECONDS_MAX))) {
                process.destroyForcibly();
                throw new IOException("does not end: " + command);
            }
            String said = Files.readString(output, java.nio.charset.StandardCharsets.ISO_8859_1);
            if (process.exitValue() != 0) {
                throw new IOException(
                        String.join(" ", command) + " ended with status " + process.exitValue() + ":\n" + said);
            }
            return said;
        } finally {
            Files.deleteIfExists(output);
        }
    }

    private static boolean await(Process process, long millis) {
        try {
            return process.waitFor(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }
}
