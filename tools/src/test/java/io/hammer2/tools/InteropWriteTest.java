package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.testing.ImageEditor;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.InteropImages.Expectation;
import io.hammer2.fs.testing.InteropImages.Image;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Volumes of the reference are taken read-write through a real mount and changed in every way there is: afterwards neither checker finds
 * anything that it did not find before, and everything that was not touched is as its manifest says.
 */
final class InteropWriteTest {
    private static final long SEED = 7;
    private static final String SNAPSHOT = "as-it-was";
    private static final long GIB = 1L << 30;

    /** Where a block lies of which a reference with an error is, which moves when it is written again. */
    private static final String PARENT_PLACE = " in 0x[0-9a-f]+ INDIRECT key=[0-9a-f]+/\\d+ off=[0-9a-f]+/\\d+";

    /** Has that checker list everything, and not only so many of a kind. */
    private static final String LIST_ALL =
            "import sys; sys.dont_write_bytecode = True; sys.path.insert(0, sys.argv[1]);"
                    + " import h2check; h2check.MAX_LINES_PER_CODE = 10**6; sys.exit(h2check.main(sys.argv[2:]))";

    private static final String NOT_ASKED =
            "all of ours is as it should be; not asked, since it is not beside the project: shared/tools/h2check.py";

    /** More rows than these are compared once: of the PFS, and not of its snapshot again. */
    private static final int ROWS_TWICE_MAX = 10_000;

    @TempDir
    private Path work;

    private final Queue<String> log = new ConcurrentLinkedQueue<>();

    /** All that can be mounted, those with damage too. */
    static List<Image> images() {
        return InteropImages.all().stream()
                .filter(image -> image.expectation() != Expectation.MOUNT_FAILS)
                .toList();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("images")
    void what_the_reference_made_is_changed_and_nothing_else_becomes_of_it(Image image) throws Exception {
        String special = copy(image);
        String label = labelWithMost(image);
        Set<String> before = problems(special, label);
        Set<String> independentBefore = independentProblems(special, label);
        ExpectedTree expected = change(image, special, label);
        assertNoneNew(before, problems(special, label), image);
        if (image.expectation() == Expectation.MOUNT) {
            log.removeIf(line -> line.contains("volume header copy") || line.contains("the space map of transaction"));
            assertEquals(List.of(), List.copyOf(log));
        }
        assertEquals(List.of(), differences(special, shown(image, label, expected)), image + ", seed " + SEED);
        assumeTrue(Files.exists(checker()), NOT_ASKED);
        assertNoneNew(independentBefore, independentProblems(special, label), image);
    }

    /** What the test above says when something is wrong: one bit of a block of a file, after all the changes. */
    @Test
    void one_wrong_bit_is_found_by_each_checker_and_by_the_comparison() throws Exception {
        Image image = InteropImages.get("v04-zlib");
        String special = copy(image);
        Set<String> before = problems(special, "DATA");
        Set<String> independentBefore = independentProblems(special, "DATA");
        ExpectedTree expected = change(image, special, "DATA");
        flipOneBit(special);
        assertFalse(before.containsAll(problems(special, "DATA")));
        assertFalse(differences(special, shown(image, "DATA", expected)).isEmpty());
        assumeTrue(Files.exists(checker()), NOT_ASKED);
        assertFalse(independentBefore.containsAll(independentProblems(special, "DATA")));
    }

    /** @return what the PFS has to show now */
    private ExpectedTree change(Image image, String special, String label) throws Exception {
        ExpectedTree expected = ExpectedTree.read(image.manifest(), label);
        Path node = Files.createDirectories(work.toRealPath().resolve("changed"));
        MountRequest request = MountRequest.of(special + "@" + label, node, List.of("cpus=2,transport=kernel"));
        try (VolumeServer server = VolumeServer.start(request, List.of(), log::add)) {
            SeededChanges changes =
                    new SeededChanges(new Random(SEED ^ image.name().hashCode()), node, expected);
            Run.hammer2("snapshot", node.toString(), SNAPSHOT).succeeded();
            changes.make("/made first");
            changes.changeFiles("/made first");
            changes.changeDirectories("/made first");
            bulkfree(image, node);
            Run.hammer2("-s", node.toString(), "pfs-create", "added").succeeded();
            Run.hammer2("snapshot", node.toString(), "passing").succeeded();
            changes.make("/made then");
            Run.hammer2("-s", node.toString(), "pfs-delete", "passing").succeeded();
            if (deleted(image) != null) {
                Run.hammer2("-s", node.toString(), "pfs-delete", deleted(image)).succeeded();
            }
            if (image.volumes().size() == 1) {
                long larger = Files.size(Path.of(special)) + GIB;
                Run.hammer2("growfs", "--size", Long.toString(larger), node.toString())
                        .succeeded();
            }
            bulkfree(image, node);
            bulkfree(image, node);
            changes.make("/made last");
            changes.changeFiles("/made last");
            server.copyOfMounts().getFirst().mount().unmount();
            server.awaitEnd();
        }
        return expected;
    }

    /** Where a table is damaged it says so and frees nothing. */
    private static void bulkfree(Image image, Path node) {
        Run run = Run.hammer2("bulkfree", node.toString());
        switch (image.name()) {
            case "x04-inode", "x06-indirect" -> run.failed(1, "damaged; see the log of the mount");
            default -> run.succeeded();
        }
    }

    /** A snapshot that the reference made, where it made some. */
    private static String deleted(Image image) {
        return switch (image.name()) {
            case "v11-snapshots" -> "snap2";
            case "v15-aged" -> "s0";
            case "v10-labels" -> "extra-07";
            default -> null;
        };
    }

    private static String labelWithMost(Image image) throws IOException {
        String most = null;
        int size = -1;
        for (String label : image.labels()) {
            int rows = ExpectedTree.read(image.manifest(), label).size();
            if (rows > size || label.equals("DATA")) {
                most = label;
                size = label.equals("DATA") ? Integer.MAX_VALUE : rows;
            }
        }
        return most;
    }

    private String copy(Image image) throws Exception {
        List<String> copies = new ArrayList<>();
        for (Path volume : image.volumes()) {
            Path copy = work.toRealPath().resolve(volume.getFileName());
            Process cp = new ProcessBuilder("cp", "--sparse=always", volume.toString(), copy.toString())
                    .inheritIO()
                    .start();
            assertEquals(0, cp.waitFor());
            copies.add(copy.toString());
        }
        return String.join(":", copies);
    }

    private void flipOneBit(String special) throws IOException {
        ImageEditor.Node block;
        try (BlockDevice device = BlockDevices.open(Path.of(special), OpenMode.READ_ONLY);
                ImageEditor editor = ImageEditor.over(List.of(device), 1_000_000)) {
            List<ImageEditor.Node> data = editor.nodes(BlockType.DATA).stream()
                    .filter(ImageEditor.Node::hasBlock)
                    .toList();
            block = data.get(new Random(SEED).nextInt(data.size()));
        }
        try (RandomAccessFile file = new RandomAccessFile(special, "rw")) {
            file.seek(block.ref().offsetBytes());
            int bits = file.read();
            file.seek(block.ref().offsetBytes());
            file.write(bits ^ 0x10);
        }
    }

    /** A PFS and its manifest. */
    private record Shown(String label, Path manifest) {}

    private List<Shown> shown(Image image, String label, ExpectedTree expected) throws IOException {
        Path changed = work.resolve("changed.tsv");
        expected.write(changed, label);
        List<Shown> shown = new ArrayList<>(List.of(new Shown(label, changed)));
        if (expected.size() <= ROWS_TWICE_MAX) {
            Path asItWas = work.resolve("as-it-was.tsv");
            ExpectedTree.read(image.manifest(), label).write(asItWas, SNAPSHOT);
            shown.add(new Shown(SNAPSHOT, asItWas));
        }
        image.labels().stream()
                .filter(other -> !other.equals(label) && !other.equals(deleted(image)))
                .forEach(other -> shown.add(new Shown(other, image.manifest())));
        return shown;
    }

    /** All PFSs, mounted by one server to read, and compared. */
    private List<String> differences(String special, List<Shown> shown) throws Exception {
        List<String> differences = new ArrayList<>();
        VolumeServer server = null;
        try {
            for (Shown each : shown) {
                Path node = Files.createDirectories(work.toRealPath().resolve("on-" + each.label));
                MountRequest request =
                        MountRequest.of(special + "@" + each.label, node, List.of("ro,cpus=2,transport=kernel"));
                if (server == null) {
                    server = VolumeServer.start(request, List.of(), log::add);
                } else {
                    server.mount(request);
                }
                Manifest found = Manifest.compare(node, each.manifest, each.label);
                assertTrue(found.summary().contains(" objects, "), found.summary());
                found.differences().forEach(line -> differences.add(each.label + ": " + line));
            }
        } finally {
            if (server != null) {
                server.close();
            }
        }
        return differences;
    }

    private static void assertNoneNew(Set<String> before, Set<String> after, Image image) {
        Set<String> found = new TreeSet<>(after);
        found.removeAll(before);
        assertEquals(Set.of(), found, image + ", seed " + SEED);
        assertFalse(after.toString().contains("freemap-lag"), after::toString);
    }

    private static Set<String> problems(String special, String label) throws IOException {
        StringBuilder found = new StringBuilder();
        List<BlockDevice> devices = BlockDevices.openAll(special, OpenMode.READ_ONLY);
        try {
            Fsck.check(devices, FsckOptions.DEFAULT.withReportsPerCodeMax(Integer.MAX_VALUE), finding -> {
                if (finding.severity() == Finding.Severity.PROBLEM) {
                    found.append("PROBLEM ")
                            .append(finding.code().word())
                            .append(": ")
                            .append(finding.text())
                            .append('\n');
                }
            });
        } finally {
            for (BlockDevice device : devices) {
                device.close();
            }
        }
        return problemsOf(found.toString(), label);
    }

    private static Path checker() {
        return Path.of(System.getProperty("project.root")).resolve("../shared/tools/h2check.py");
    }

    private static Set<String> independentProblems(String special, String label) throws Exception {
        if (!Files.exists(checker())) {
            return Set.of();
        }
        List<String> command = new ArrayList<>(
                List.of("python3", "-c", LIST_ALL, checker().getParent().toString()));
        command.addAll(List.of(special.split(":", -1)));
        Process check = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(check.waitFor() <= 1, said);
        return problemsOf(said, label);
    }

    /** What a snapshot shows of what was wrong with its PFS is nothing new, and what several PFSs share is told of one of them. */
    private static Set<String> problemsOf(String said, String label) {
        Set<String> problems = new TreeSet<>();
        for (String line : said.split("\n", -1)) {
            if (line.startsWith("PROBLEM ")) {
                problems.add(line.replace(SNAPSHOT, label)
                        .replaceAll(PARENT_PLACE, "")
                        .replaceAll("orphan: \\S+ inode", "orphan: inode"));
            }
        }
        return problems;
    }
}
