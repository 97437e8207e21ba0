package io.hammer2.fuse;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.fuse.jnr.JnrTransport;
import io.hammer2.fuse.kernel.KernelTransport;
import io.hammer2.lwkt.Lwkt;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Servers in processes of their own, which end in all the ways a process can. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ServerProcessTest {
    @TempDir
    static Path work;

    private Path at;
    private Process server;

    @BeforeEach
    void prepare() throws IOException {
        Shell.run("chmod", "755", work.toString()).succeeded();
        at = Files.createTempDirectory(work, "mnt");
    }

    @AfterEach
    void cleanUp() {
        if (server != null) {
            server.destroyForcibly();
        }
        Shell.unmountByForce(at);
    }

    private static String classPath() {
        return System.getProperty("java.class.path");
    }

    private void start(List<String> prefix, String classPath, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.addAll(List.of(
                System.getProperty("java.home") + "/bin/java",
                "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED",
                "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                classPath,
                ServeMemory.class.getName()));
        command.addAll(List.of(arguments));
        server = new ProcessBuilder(command).redirectErrorStream(true).start();
        BufferedReader output = server.inputReader(StandardCharsets.UTF_8);
        List<String> lines = new ArrayList<>();
        for (String line = output.readLine(); line != null; line = output.readLine()) {
            lines.add(line);
            if (line.equals("READY")) {
                return;
            }
        }
        throw new AssertionError("the server did not start: " + lines);
    }

    private void assertEnds(int status) throws InterruptedException {
        assertTrue(server.waitFor(20, TimeUnit.SECONDS), "the server does not end");
        assertEquals(status, server.exitValue());
    }

    @ParameterizedTest
    @ValueSource(strings = {"kernel", "jnr"})
    void SIGTERM_unmounts(String transport) throws Exception {
        start(List.of(), classPath(), transport, at.toString());
        assertEquals("hello world\n", Files.readString(at.resolve("hello")));
        server.destroy();
        assertEnds(143);
        assertFalse(Shell.isMounted(at));
        assertFalse(Files.exists(at.resolve("hello")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"kernel", "jnr"})
    void SIGTERM_ends_a_server_whose_mount_is_in_use(String transport) throws Exception {
        start(List.of(), classPath(), transport, at.toString());
        Process user = new ProcessBuilder("sleep", "60").directory(at.toFile()).start();
        try {
            server.destroy();
            assertEnds(143);
            assertFalse(Shell.isMounted(at));
        } finally {
            user.destroyForcibly();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"kernel", "jnr"})
    void an_umount_ends_the_server_with_success(String transport) throws Exception {
        start(List.of(), classPath(), transport, at.toString());
        Shell.run("umount", at.toString()).succeeded();
        assertEnds(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"kernel", "jnr"})
    void what_a_killed_server_left_is_detached_by_the_next_one(String transport) throws Exception {
        start(List.of(), classPath(), "kernel", at.toString());
        server.destroyForcibly().waitFor();
        assertTrue(Shell.isMounted(at));
        assertThrows(IOException.class, () -> Files.readString(at.resolve("hello")));
        FuseTransport next = transport.equals("kernel") ? new KernelTransport() : new JnrTransport();
        MemoryOperations files = new MemoryOperations(true);
        files.file(1, "next", "second life".getBytes(StandardCharsets.UTF_8));
        List<String> log = new ArrayList<>();
        try (Lwkt lwkt = Lwkt.dedicated(1);
                FuseMount mount = next.mount(
                        lwkt,
                        at,
                        files,
                        FuseMountOptions.builder("next").log(log::add).build())) {
            assertEquals("second life", Files.readString(mount.mountPoint().resolve("next")));
            assertTrue(log.toString().contains("detaching"), log.toString());
        }
        assertNull(Shell.mountLine(at));
    }

    /** In a mount namespace of its own, whose /dev/fuse is open to all as on an installed system. */
    @Test
    void an_ordinary_user_mounts_through_fusermount3() throws Exception {
        Path device = work.resolve("fuse-device");
        assumeTrue(Shell.run("mknod", device.toString(), "c", "10", "229").status() == 0, "needs to be root");
        Shell.run("chmod", "666", device.toString()).succeeded();
        Shell.run("chown", "65534:65534", at.toString()).succeeded();
        List<String> asNobody =
                List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "env", "-C", "/");
        List<String> prefix = new ArrayList<>(
                List.of("unshare", "-m", "sh", "-c", "mount --bind " + device + " /dev/fuse && exec \"$@\"", "sh"));
        prefix.addAll(asNobody);
        start(prefix, readableCopyOfClasses(), "kernel", at.toString());
        String mounts = inside(List.of(), "cat", "/proc/self/mounts");
        String line = mounts.lines()
                .filter(l -> l.contains(" " + at + " "))
                .findFirst()
                .orElse(mounts);
        assertTrue(line.startsWith("memory@TEST ") && line.contains(" fuse.hammer2 ro,nosuid,nodev"), line);
        assertTrue(line.contains("user_id=65534"), line);
        assertEquals(
                "hello world\n", inside(asNobody, "cat", at.resolve("hello").toString()));
        Process keeper = new ProcessBuilder("nsenter", "-t", Long.toString(server.pid()), "-m", "sleep", "60").start();
        try {
            server.destroy();
            assertEnds(143);
            server = keeper;
            mounts = inside(List.of(), "cat", "/proc/self/mounts");
            assertFalse(mounts.contains(" " + at + " "), mounts);
        } finally {
            keeper.destroyForcibly();
        }
    }

    /** Output of a program in the server's mount namespace. */
    private String inside(List<String> prefix, String... command) {
        List<String> words = new ArrayList<>(List.of("nsenter", "-t", Long.toString(server.pid()), "-m"));
        words.addAll(prefix);
        words.addAll(List.of(command));
        return Shell.run(words.toArray(String[]::new)).succeeded();
    }

    /** The build's folder may lie where only its owner gets. */
    private static String readableCopyOfClasses() throws IOException {
        Set<String> copies = new LinkedHashSet<>();
        for (Class<?> one : List.of(ServeMemory.class, KernelTransport.class, Lwkt.class)) {
            Path source = Path.of(
                    one.getProtectionDomain().getCodeSource().getLocation().getPath());
            Path copy = work.resolve("classes-" + source.toString().hashCode());
            if (!Files.exists(copy)) {
                Shell.run("cp", "-r", source.toString(), copy.toString()).succeeded();
                Shell.run("chmod", "-R", "a+rX", copy.toString()).succeeded();
            }
            copies.add(copy.toString());
        }
        return String.join(":", copies);
    }
}
