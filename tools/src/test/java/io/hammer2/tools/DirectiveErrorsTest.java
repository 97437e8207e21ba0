package io.hammer2.tools;

import static io.hammer2.tools.DirectiveMatrix.Kind.CHANGES;
import static io.hammer2.tools.DirectiveMatrix.Kind.CHANGES_MOUNTED;
import static io.hammer2.tools.DirectiveMatrix.Kind.DESTROYS;
import static io.hammer2.tools.DirectiveMatrix.Kind.FREES;
import static io.hammer2.tools.DirectiveMatrix.Kind.LOOKS;
import static io.hammer2.tools.DirectiveMatrix.Kind.LOOKS_AT_DEVICE;
import static io.hammer2.tools.DirectiveMatrix.Kind.NOTHING;
import static io.hammer2.tools.DirectiveMatrix.Kind.RECOVERS;
import static io.hammer2.tools.DirectiveMatrix.Kind.SWEEPS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.blockdev.testing.LoopDevice;
import io.hammer2.tools.stress.Scratch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Each directive with right arguments, on a volume in each kind of trouble. Wrong arguments: {@link RobustnessTest}. */
@Timeout(value = 180, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class DirectiveErrorsTest {
    private static final List<String> FOUND_NOTHING = List.of("there is none", "nothing");

    @TempDir
    private Path work;

    private Path image;
    private String out;

    @FunctionalInterface
    private interface Body {
        void run(Path node) throws Exception;
    }

    @BeforeEach
    void format() throws Exception {
        image = work.toRealPath().resolve("volume.img");
        out = Files.createDirectory(work.resolve("out")).toString();
        Run.newfs("-s", "128M", image.toString()).succeeded();
        Run.hammer2("-s", image.toString(), "pfs-create", "SPARE").succeeded();
        Run.hammer2("snapshot", image + "@SPARE", "SNAP").succeeded();
        Run.hammer2("snapshot", image + "@SPARE", "OLD").succeeded();
    }

    private void mounted(String options, Body body) throws Exception {
        Path node = Files.createDirectory(work.toRealPath().resolve("node"));
        try (VolumeServer server =
                VolumeServer.start(MountRequest.of(image.toString(), node, List.of(options)), List.of(), line -> {})) {
            body.run(node);
            assertEquals(1, server.copyOfMounts().size());
        }
        Run.fsck("-q", image.toString()).succeeded();
    }

    @Test
    void every_directive_is_thought_of() {
        assertEquals(Set.of(), DirectiveMatrix.notCovered());
    }

    /** The control: without trouble all of them succeed, but for what looks for damage. */
    @Test
    void where_nothing_is_wrong_each_succeeds() throws Exception {
        DirectiveMatrix unmounted = new DirectiveMatrix(null, image.toString(), out);
        unmounted.done(LOOKS, LOOKS_AT_DEVICE, CHANGES, FREES, NOTHING);
        unmounted.refused(FOUND_NOTHING, RECOVERS);
        assertEquals(List.of(), unmounted.faults());
        Run.hammer2("-s", image.toString(), "pfs-delete", "NEW", "TAKEN", "TAKEN2")
                .succeeded();
        Run.hammer2("snapshot", image + "@SPARE", "OLD").succeeded();
        mounted("rw", node -> {
            DirectiveMatrix matrix = new DirectiveMatrix(node.toString(), image.toString(), out);
            matrix.done(LOOKS, LOOKS_AT_DEVICE, CHANGES, CHANGES_MOUNTED, SWEEPS, FREES);
            matrix.refused(FOUND_NOTHING, RECOVERS, DESTROYS);
            assertEquals(List.of(), matrix.faults());
        });
    }

    @Test
    void on_a_mount_to_read_only_what_changes_it_is_refused() throws Exception {
        mounted("ro", node -> {
            DirectiveMatrix matrix = new DirectiveMatrix(node.toString(), image.toString(), out);
            List<String> readOnly = List.of("mounted read-only");
            matrix.done(LOOKS, LOOKS_AT_DEVICE);
            matrix.refused(readOnly, CHANGES, CHANGES_MOUNTED, DESTROYS, FREES);
            matrix.doneOrRefused(readOnly, SWEEPS);
            matrix.refused(FOUND_NOTHING, RECOVERS);
            assertEquals(List.of(), matrix.faults());
        });
    }

    @Test
    void another_user_may_look_at_a_mount_and_change_nothing() throws Exception {
        assumeTrue(LoopDevice.isPermitted(), "needs root to become another user");
        Files.setPosixFilePermissions(work, PosixFilePermissions.fromString("rwxr-xr-x"));
        Files.setPosixFilePermissions(image, PosixFilePermissions.fromString("rw-------"));
        String classPath = ClassPathCopy.forOthers(work);
        mounted("rw,allow_other", node -> {
            Process other = new ProcessBuilder(
                            "setpriv",
                            "--reuid=65534",
                            "--regid=65534",
                            "--clear-groups",
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED",
                            "-cp",
                            classPath,
                            DirectiveMatrix.class.getName(),
                            node.toString(),
                            out)
                    .redirectErrorStream(true)
                    .start();
            assertEquals("", new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
            assertEquals(0, other.waitFor());
            assertTrue(
                    Run.hammer2("pfs-list", node.toString()).succeeded().out().contains("SNAP"));
        });
    }

    @Test
    void a_device_that_another_program_uses_is_looked_at_and_not_changed() throws Exception {
        byte[] before = Files.readAllBytes(image);
        try (BlockDevice held = BlockDevices.open(image, OpenMode.READ_WRITE)) {
            DirectiveMatrix matrix = new DirectiveMatrix(null, held.name(), out);
            matrix.done(LOOKS, LOOKS_AT_DEVICE);
            matrix.refused(List.of("in use by"), CHANGES, FREES);
            matrix.refused(FOUND_NOTHING, RECOVERS);
            assertEquals(List.of(), matrix.faults());
        }
        assertEquals(-1, java.util.Arrays.mismatch(before, Files.readAllBytes(image)));
    }

    @Test
    void on_a_full_volume_each_succeeds_or_says_that_there_is_no_space() throws Exception {
        mounted("rw", node -> {
            Random random = new Random(1);
            byte[] content = new byte[1 << 20];
            int written = 0;
            try {
                for (; ; written++) {
                    random.nextBytes(content);
                    Files.write(node.resolve("file" + written), content);
                }
            } catch (IOException e) {
                assertTrue(e.getMessage().contains("No space left"), e.getMessage());
            }
            assertTrue(written > 10, written + " files");
            DirectiveMatrix matrix = new DirectiveMatrix(node.toString(), image.toString(), out);
            matrix.done(LOOKS, LOOKS_AT_DEVICE);
            matrix.doneOrRefused(List.of("space"), CHANGES, CHANGES_MOUNTED, SWEEPS, FREES);
            matrix.refused(FOUND_NOTHING, RECOVERS, DESTROYS);
            assertEquals(List.of(), matrix.faults());
        });
    }

    @Test
    void of_a_mount_whose_server_was_killed_each_says_so() throws Exception {
        try (Scratch scratch = Scratch.make(128L << 20)) {
            scratch.mount("");
            scratch.killOnly();
            DirectiveMatrix matrix = new DirectiveMatrix(scratch.root().toString(), null, out);
            matrix.refused(
                    List.of(scratch.root().toString()), LOOKS, CHANGES, CHANGES_MOUNTED, SWEEPS, DESTROYS, FREES);
            assertEquals(List.of(), matrix.faults());
        }
    }

    @Test
    void a_path_where_a_label_is_wanted_is_told_how_to_find_the_label() throws Exception {
        mounted("rw", node -> {
            Files.createFile(node.resolve("file"));
            Run.hammer2("snapshot", node.toString(), "MINE").succeeded();
            String snapshot = node + "/.snapshots/MINE";
            for (String path : List.of(snapshot, snapshot + "/file", ".snapshots/MINE", ".snapshots//MINE/")) {
                for (List<String> call : takingLabel(node.toString(), path)) {
                    Run.hammer2(call.toArray(String[]::new)).failed(1, "the label of that snapshot is MINE");
                }
            }
            for (List<String> call : takingLabel(node.toString(), node.toString())) {
                Run.hammer2(call.toArray(String[]::new)).failed(1, "hammer2 pfs-list " + node + " lists the labels");
            }
            for (String other : List.of("a/b", "/", "/.snapshots", "x.snapshots/MINE", "/none/\\x00")) {
                for (List<String> call : takingLabel(node.toString(), other)) {
                    Run.hammer2(call.toArray(String[]::new)).failed(1, "lists the labels");
                }
            }
            assertTrue(
                    Run.hammer2("pfs-list", node.toString()).succeeded().out().contains("MINE"));
        });
    }

    private static List<List<String>> takingLabel(String where, String label) {
        return List.of(
                List.of("-s", where, "pfs-create", label),
                List.of("-s", where, "pfs-delete", label),
                List.of("-s", where, "pfs-clid", label),
                List.of("-s", where, "pfs-fsid", label),
                List.of("-s", where, "rollback", "SPARE", label),
                List.of("-s", where, "rollback", label, "SNAP"),
                List.of("-s", where, "rollback", "--keep", label, "SPARE", "SNAP"),
                List.of("-s", where, "diff", "SPARE", label));
    }

    @Test
    void a_label_that_is_too_long_is_refused_by_what_takes_one() throws Exception {
        String label = "x".repeat(256);
        mounted("rw", node -> {
            List<List<String>> calls = new ArrayList<>(takingLabel(node.toString(), label));
            calls.addAll(takingLabel(image.toString(), label));
            calls.add(List.of("snapshot", node.toString(), label));
            calls.add(List.of("snapshot-debug", node.toString(), label));
            for (List<String> call : calls) {
                Run.hammer2(call.toArray(String[]::new)).failed(1, "at most 255 bytes, not 256");
            }
        });
    }
}
