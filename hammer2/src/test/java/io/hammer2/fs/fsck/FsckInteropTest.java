package io.hammer2.fs.fsck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Verdict and kinds of problems on real images, against the other checker where that is there. */
final class FsckInteropTest {
    private static final Pattern EXIT = Pattern.compile("\"exit\": (\\d)");
    private static final Pattern COUNTS = Pattern.compile("\"problem_counts\": \\{([^}]*)}");
    private static final Pattern FREEMAP = Pattern.compile("\"freemap\": \\{([^}]*)}");
    private static final Pattern NUMBER = Pattern.compile("\"([a-z_-]+)\": (\\d+)");

    static List<InteropImages.Image> images() {
        return InteropImages.all();
    }

    @ParameterizedTest
    @MethodSource("images")
    void verdict_and_kinds_of_problems_are_those_of_the_other_checker(InteropImages.Image image) throws Exception {
        FsckResult result = check(image, FsckOptions.DEFAULT.withDeep(true), new ArrayList<>());
        Set<String> found = words(result);
        assertTrue(
                !found.contains(ProblemCode.INTERNAL.word()) && !found.contains(ProblemCode.LIMIT.word()),
                () -> image + ": " + found);
        Path other = Path.of(System.getProperty("project.root")).resolve("../shared/tools/h2check.py");
        if (!Files.exists(other)) {
            assertEquals(expectedOutcome(image), result.outcome(), image + ": " + found);
            return;
        }
        String json = h2check(other, image);
        Matcher exit = EXIT.matcher(json);
        assertTrue(exit.find(), json);
        assertEquals(Integer.parseInt(exit.group(1)), exitStatus(result), () -> image + ": " + result + "\n" + json);
        Matcher counts = COUNTS.matcher(json);
        assertTrue(counts.find(), json);
        if (result.outcome() != FsckResult.Outcome.UNUSABLE) {
            assertEquals(numbers(counts.group(1)), counts(result), image.toString());
            Matcher freemap = FREEMAP.matcher(json);
            assertTrue(freemap.find(), json);
            assertEquals(numbers(freemap.group(1)), freemap(result.freemap()), image.toString());
        }
    }

    @Test
    void damaged_objects_are_named_by_their_paths() throws IOException {
        Map<String, Set<String>> damaged = Map.of(
                "x04-inode", Set.of("/src/d2/d13/f29.c", "/src/d57"),
                "x05-data", Set.of("/src/d11/d40/f44.h", "/big/file"),
                "x06-indirect", Set.of("/big/file", "/dirs/n00300"));
        int verified = 0;
        for (InteropImages.Image image : InteropImages.all()) {
            if (damaged.containsKey(image.name())) {
                assertEquals(damaged.get(image.name()), damagedPaths(image));
                verified++;
            }
        }
        assertTrue(verified > 0, "at least one damaged image is there");
    }

    @Test
    void each_pfs_alone_sees_at_least_what_all_together_see() throws IOException {
        InteropImages.Image image = InteropImages.find("v15-aged").orElseGet(() -> InteropImages.get("v10-labels"));
        FsckResult together = check(image, FsckOptions.DEFAULT, new ArrayList<>());
        FsckResult alone = check(image, FsckOptions.DEFAULT.withEachPfsAlone(true), new ArrayList<>());
        assertEquals(together.problemCounts(), alone.problemCounts());
        assertEquals(together.freemap(), alone.freemap());
        assertEquals(0, alone.counts().sharedCount());
        assertTrue(together.counts().dataCount() <= alone.counts().dataCount());
        assertEquals(together.pfses(), alone.pfses());
    }

    @Test
    void only_the_named_pfs_is_verified_and_an_unknown_name_lists_what_there_is() throws IOException {
        InteropImages.Image image = InteropImages.all().stream()
                .filter(i -> i.expectation() == InteropImages.Expectation.MOUNT)
                .filter(i -> !i.labels().isEmpty())
                .findFirst()
                .orElseThrow();
        String label = image.labels().getFirst();
        FsckResult one = check(image, FsckOptions.DEFAULT.withOnlyPfs(Set.of(label)), new ArrayList<>());
        assertEquals(
                List.of(label),
                one.pfses().stream().map(FsckResult.PfsReport::name).toList());
        FsckResult none = check(image, FsckOptions.DEFAULT.withOnlyPfs(Set.of("nobody")), new ArrayList<>());
        assertEquals(FsckResult.Outcome.UNUSABLE, none.outcome());
        assertTrue(none.unusable().contains(label), none.unusable());
    }

    private static Set<String> damagedPaths(InteropImages.Image image) throws IOException {
        List<Finding> findings = new ArrayList<>();
        check(image, FsckOptions.DEFAULT, findings);
        Set<String> paths = new TreeSet<>();
        for (Finding finding : findings) {
            if (finding.path() != null) {
                paths.add(finding.path());
            }
            if (finding.code() == ProblemCode.CHECK) {
                assertNotNull(finding.ref(), finding.text());
            }
        }
        return paths;
    }

    private static FsckResult check(InteropImages.Image image, FsckOptions options, List<Finding> findings)
            throws IOException {
        List<BlockDevice> devices = new ArrayList<>();
        try {
            for (Path volume : image.volumes()) {
                devices.add(BlockDevices.open(volume, OpenMode.READ_ONLY));
            }
            long start = System.nanoTime();
            FsckResult result = Fsck.check(devices, options, findings::add);
            System.out.printf(
                    "fsck %-24s %-9s %6d ms  %s%n",
                    image, result.outcome(), (System.nanoTime() - start) / 1_000_000, words(result));
            return result;
        } finally {
            for (BlockDevice device : devices) {
                device.close();
            }
        }
    }

    private static Map<String, Long> numbers(String json) {
        Map<String, Long> numbers = new TreeMap<>();
        NUMBER.matcher(json).results().forEach(m -> numbers.put(m.group(1), Long.parseLong(m.group(2))));
        // Counted in blocks there and in granules here.
        numbers.remove("referenced_staged");
        return numbers;
    }

    private static Map<String, Long> counts(FsckResult result) {
        Map<String, Long> counts = new TreeMap<>();
        result.problemCounts().forEach((code, count) -> counts.put(code.word(), count));
        return counts;
    }

    private static Map<String, Long> freemap(FsckResult.FreemapReport report) {
        return new TreeMap<>(Map.of(
                "nodes", report.nodeCount(),
                "leaves", report.leafCount(),
                "allocated", report.allocatedCount(),
                "staged", report.stagedCount(),
                "unreferenced", report.unreferencedCount(),
                "unreferenced_staged", report.unreferencedStagedCount()));
    }

    private static Set<String> words(FsckResult result) {
        Set<String> words = new TreeSet<>();
        result.problemCounts().keySet().forEach(code -> words.add(code.word()));
        return words;
    }

    private static int exitStatus(FsckResult result) {
        return switch (result.outcome()) {
            case CLEAN -> 0;
            case PROBLEMS -> 1;
            case UNUSABLE -> 2;
            case CANCELLED -> 3;
        };
    }

    /** What README.md beside the images says of those that the project ships. */
    private static FsckResult.Outcome expectedOutcome(InteropImages.Image image) {
        Set<String> unclean = Set.of("v11-snapshots", "v12-bulkfree", "v13-grown", "v21-freemap-lag");
        return switch (image.expectation()) {
            case MOUNT ->
                unclean.contains(image.name()) || image.name().startsWith("x")
                        ? FsckResult.Outcome.PROBLEMS
                        : FsckResult.Outcome.CLEAN;
            case MOUNT_ERRORS -> FsckResult.Outcome.PROBLEMS;
            case MOUNT_FAILS ->
                image.name().equals("x07-truncated") ? FsckResult.Outcome.PROBLEMS : FsckResult.Outcome.UNUSABLE;
        };
    }

    /** The other checker's report; kept between runs, because it takes minutes over all images. */
    private static String h2check(Path script, InteropImages.Image image) throws Exception {
        Path report = image.volumes().getFirst().resolveSibling(image + ".h2check.json");
        boolean current = Files.exists(report);
        for (Path source : image.volumes()) {
            current &= Files.exists(report)
                    && Files.getLastModifiedTime(report).compareTo(Files.getLastModifiedTime(source)) > 0;
        }
        current &= Files.exists(report)
                && Files.getLastModifiedTime(report).compareTo(Files.getLastModifiedTime(script)) > 0;
        if (!current) {
            List<String> command = new ArrayList<>(List.of("python3", script.toString(), "--json", "--deep"));
            image.volumes().forEach(volume -> command.add(volume.toString()));
            Path half = report.resolveSibling(
                    report.getFileName() + "." + ProcessHandle.current().pid());
            Process process = new ProcessBuilder(command)
                    .redirectOutput(half.toFile())
                    .redirectErrorStream(true)
                    .start();
            assertTrue(process.waitFor(10, TimeUnit.MINUTES), "h2check.py did not end");
            Files.move(half, report, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        }
        return Files.readString(report, StandardCharsets.UTF_8);
    }
}
