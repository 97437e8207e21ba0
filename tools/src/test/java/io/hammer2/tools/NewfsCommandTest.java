package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NewfsCommandTest {
    @TempDir
    private Path folder;

    private String image() {
        return folder.resolve("new.img").toString();
    }

    @Test
    void what_it_makes_is_clean_and_has_the_labels_asked_for() {
        Run made = Run.newfs("-s", "64m", "-L", "ROOT", "-L", "home", image()).succeeded();
        assertTrue(made.out().contains("labels:       LOCAL ROOT home"), made.out());
        Run checked = Run.fsck("-P", image()).succeeded();
        assertTrue(checked.out().contains("PFS home: MASTER"), checked.out());
        assertTrue(checked.out().endsWith("CLEAN\n"), checked.out());
    }

    @Test
    void several_volumes_and_version_1() {
        String pair = folder.resolve("a") + ":" + folder.resolve("b");
        Run.newfs(
                        "-s",
                        "1g",
                        folder.resolve("a").toString(),
                        folder.resolve("b").toString())
                .succeeded();
        assertTrue(Run.fsck(pair).succeeded().out().contains("2.00 GiB"));
        Run.newfs("-V", "1", "-s", "32m", image()).succeeded();
        assertTrue(Run.fsck(image()).succeeded().out().contains("version 1"));
        Run.newfs(
                        "--force",
                        "-V",
                        "1",
                        folder.resolve("a").toString(),
                        folder.resolve("b").toString())
                .failed(8, "version 1 has a single volume");
    }

    @Test
    void without_a_label_data_is_made_and_with_none_only_local() {
        assertTrue(Run.newfs("-s", "64m", image()).succeeded().out().contains("LOCAL DATA"));
        String json = Run.newfs("--json", "--force", "-L", "none", image())
                .succeeded()
                .out();
        assertTrue(json.contains("\"LOCAL\"") && !json.contains("DATA"), json);
    }

    @Test
    void an_existing_file_system_is_not_overwritten_unasked() throws IOException {
        Run.newfs("-s", "64m", image()).succeeded();
        byte[] before = Files.readAllBytes(Path.of(image()));
        Run.newfs(image()).failed(8, "holds a HAMMER2 file system");
        Run.newfs("-s", "32m", image()).failed(8, "give --force");
        assertEquals(0, java.util.Arrays.compare(before, Files.readAllBytes(Path.of(image()))));
        Run.newfs("--force", image()).succeeded();
    }

    @Test
    void unknown_data_counts_as_something_to_lose() throws IOException {
        Files.write(Path.of(image()), new byte[64 << 20]);
        Files.write(Path.of(image()), new byte[] {1}, StandardOpenOption.WRITE);
        Run.newfs(image()).failed(8, "holds data that is not known");
    }

    @Test
    void a_device_in_use_is_refused() throws IOException {
        Run.newfs("-s", "64m", image()).succeeded();
        Process holder = new ProcessBuilder("flock", image(), "-c", "echo held; cat").start();
        try {
            holder.inputReader().readLine();
            Run.newfs("--force", image()).failed(8, "in use");
        } finally {
            holder.destroy();
        }
    }

    @Test
    void what_cannot_be_made_leaves_no_file_behind() {
        Run.newfs("-s", "8m", image()).failed(8, "too small");
        Run.newfs("-s", "5x", image()).failed(16, "is no size");
        Run.newfs("-L", "a/b", "-s", "64m", image()).failed(8, "cannot be a label");
        Run.newfs("-L", "none", "-L", "x", "-s", "64m", image()).failed(16, "does not go with");
        Run.newfs().failed(16, "SPECIAL");
        assertFalse(Files.exists(Path.of(image())));
        Run.newfs(image()).failed(8, "no such file");
        Run.newfs(folder.toString()).failed(8, "neither an image file nor a block device");
    }
}
