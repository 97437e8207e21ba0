package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class FsckCommandTest {
    @TempDir
    private Path folder;

    @Test
    void a_clean_volume_exits_with_0_and_says_so() throws IOException {
        Run run = Run.fsck(InteropImages.get("v04-zlib").special()).succeeded();
        assertTrue(run.out().endsWith("CLEAN\n"), run.out());
        assertEquals(
                "",
                Run.fsck("-q", InteropImages.get("v04-zlib").special())
                        .succeeded()
                        .out());
    }

    @Test
    void damage_exits_with_4_and_names_what_is_damaged() throws IOException {
        Run run = Run.fsck("-v", InteropImages.get("x04-inode").special());
        assertEquals(4, run.status());
        assertTrue(run.out().contains("PROBLEM check: "), run.out());
        assertTrue(run.out().contains("data_off"), "with -v the block reference: " + run.out());
        assertTrue(run.out().contains("problems ("), run.out());
    }

    @Test
    void what_cannot_be_verified_exits_with_8() throws IOException {
        assertEquals(8, Run.fsck(folder.resolve("missing").toString()).status());
        Path noVolume = Files.write(folder.resolve("noise"), new byte[1 << 20]);
        Run run = Run.fsck(noVolume.toString());
        assertEquals(8, run.status(), run.toString());
        Run.fsck(folder.toString()).failed(8, "neither an image file nor a block device");
    }

    @Test
    void wrong_arguments_exit_with_16() {
        Run.fsck().failed(16, "SPECIAL");
        Run.fsck("--nonsense", "x").failed(16, "nonsense");
        Run.fsck("-l", "DATA", "x").failed(16, "-p");
    }

    @Test
    void each_pfs_alone_and_a_selection_of_them() throws IOException {
        String special = InteropImages.get("v10-labels").special();
        Run run = Run.fsck("-p", "-P", "-l", "HOME,ROOT", special).succeeded();
        assertTrue(run.out().contains("PFS HOME") && run.out().contains("PFS ROOT"), run.out());
        assertFalse(run.out().contains("PFS extra-00"), run.out());
        Run unknown = Run.fsck("-p", "-l", "NOSUCH", special);
        assertEquals(8, unknown.status());
        assertTrue(unknown.out().contains("no PFS is named NOSUCH"), unknown.toString());
    }

    @Test
    void json_is_one_document_with_the_verdict() throws IOException {
        Run clean =
                Run.fsck("--json", InteropImages.get("v10-labels").special()).succeeded();
        assertTrue(clean.out().startsWith("{") && clean.out().contains("\"outcome\": \"clean\""), clean.out());
        Run damaged = Run.fsck("--json", InteropImages.get("x04-inode").special());
        assertTrue(damaged.out().contains("\"code\": \"check\""), damaged.out());
        assertTrue(damaged.out().contains("\"outcome\": \"problems\""), damaged.out());
    }

    /** Of many problems of one kind only the first are listed, and it says so. */
    @Test
    void a_list_that_is_cut_off_says_so() throws Exception {
        var image = InteropImages.find("v11-snapshots");
        assumeTrue(image.isPresent(), "skipped: no shared/interop beside the project");
        String said = Run.fsck(image.get().special()).out();
        assertEquals(
                60,
                said.lines().filter(line -> line.startsWith("PROBLEM orphan")).count());
        assertTrue(said.contains("108 problems (orphan 108, the first 60 listed)"), said);
    }
}
