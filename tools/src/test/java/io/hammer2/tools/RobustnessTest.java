package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whatever a directive is called with, it says in a line what is wrong, and ends with the status that says so. */
@Timeout(value = 180, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RobustnessTest {
    private static final int NOISE_BYTES = 9 << 20;

    @TempDir
    private Path work;

    private Path volume() {
        Path image = work.resolve("volume.img");
        Run.newfs("-s", "64M", image.toString()).succeeded();
        return image;
    }

    private Path noise() throws Exception {
        byte[] noise = new byte[NOISE_BYTES];
        new Random(5).nextBytes(noise);
        return Files.write(work.resolve("noise"), noise);
    }

    @Test
    void what_is_no_volume_is_refused_by_every_directive() throws Exception {
        GarbageWalk walk = new GarbageWalk();
        walk.everyDirectiveFailsWith(work.resolve("missing").toString());
        walk.everyDirectiveFailsWith(Files.createFile(work.resolve("empty")).toString());
        walk.everyDirectiveFailsWith(
                Files.createDirectory(work.resolve("folder")).toString());
        walk.everyDirectiveFailsWith("/dev/null");
        walk.everyDirectiveFailsWith(noise().toString());
        assertEquals(List.of(), walk.faults());
        assertTrue(walk.calls() > 100, "only " + walk.calls() + " calls");
    }

    @Test
    void garbage_is_refused_by_every_directive() {
        GarbageWalk walk = new GarbageWalk();
        walk.everyDirectiveRefusesGarbage(work.resolve("missing").toString());
        assertEquals(List.of(), walk.faults());
    }

    @Test
    void of_a_mount_to_read_only_every_directive_does_what_it_can() throws Exception {
        Path image = volume();
        Path node = Files.createDirectory(work.resolve("node")).toRealPath();
        try (VolumeServer server = VolumeServer.start(
                MountRequest.of(image.toString(), node, List.of("ro")), List.of(work.resolve("run")), line -> {})) {
            GarbageWalk walk = new GarbageWalk();
            walk.everyDirectiveTakes(node.toString());
            assertEquals(List.of(), walk.faults());
            assertEquals(1, server.copyOfMounts().size());
        }
        Run.fsck("-q", image.toString()).succeeded();
    }

    @Test
    void what_one_has_no_permission_for_is_said_to_be_so() throws Exception {
        Path image = volume();
        Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rw-------"));
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwxr-xr-x"));
        String classPath = ClassPathCopy.forOthers(work);
        Process walk = new ProcessBuilder(
                        "setpriv",
                        "--reuid=65534",
                        "--regid=65534",
                        "--clear-groups",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED",
                        "-cp",
                        classPath,
                        GarbageWalk.class.getName(),
                        image.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(walk.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, walk.waitFor(), said);
        assertTrue(said.matches("\\d\\d+ calls\\n"), said);
    }

    /** Without this, a walk that sees nothing would look like robust directives. */
    @Test
    void the_walk_notices_what_succeeds() {
        GarbageWalk walk = new GarbageWalk();
        walk.failsWith("volhdr", volume().toString());
        assertTrue(walk.faults().getFirst().contains("succeeded"), walk.faults().toString());
    }
}
