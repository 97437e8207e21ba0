package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** setcomp and its like, through a mount, as a user calls them; what they make of data is read from the image. */
final class PolicyDirectiveTest {
    private static final byte[] TEXT = "a line of a text that gets smaller, number 1234567890\n"
            .repeat(5_000)
            .getBytes(StandardCharsets.UTF_8);

    private static final Pattern POLICY = Pattern.compile("(\\S+) +(\\S+) +- +- +\\S+$");

    @TempDir
    private Path work;

    private Path image;
    private Path point;
    private final Queue<String> log = new ConcurrentLinkedQueue<>();

    private interface Body {
        void run() throws Exception;
    }

    @BeforeEach
    void format() throws Exception {
        image = work.resolve("image");
        point = Files.createDirectory(work.resolve("mnt"));
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(128L << 20);
        }
        Run.newfs("--force", image.toString()).succeeded();
    }

    private void mounted(String options, Body body) throws Exception {
        MountRequest request = MountRequest.of(image.toString(), point, List.of("cpus=2," + options));
        try (VolumeServer server = VolumeServer.start(request, List.of(), log::add)) {
            body.run();
            server.copyOfMounts().getFirst().mount().unmount();
            server.awaitEnd();
        }
        assertEquals(List.of(), List.copyOf(log));
        Run.fsck("-q", image.toString()).succeeded();
    }

    /** The data references of the whole volume, by methods byte: check and compression. */
    private List<String> dataMethods() {
        List<String> methods = new ArrayList<>();
        for (String line :
                Run.hammer2("show", image.toString()).succeeded().out().lines().toList()) {
            if (line.strip().startsWith("DATA")) {
                methods.add(line.strip());
            }
        }
        assertTrue(!methods.isEmpty(), "no data on the volume");
        return methods;
    }

    private String policyOf(Path path) {
        String line = Run.hammer2("stat", path.toString())
                .succeeded()
                .out()
                .lines()
                .toList()
                .get(1);
        Matcher matcher = POLICY.matcher(line);
        assertTrue(matcher.find(), line);
        return matcher.group(1) + " " + matcher.group(2);
    }

    @Test
    void what_is_set_is_inherited_and_new_data_is_stored_so() throws Exception {
        mounted("rw", () -> {
            Path directory = Files.createDirectory(point.resolve("d"));
            Run.hammer2("setcomp", "zlib:9", directory.toString()).succeeded();
            Run.hammer2("setsha192", directory.toString()).succeeded();
            Path inner = Files.createDirectory(directory.resolve("inner"));
            Path file = inner.resolve("file");
            Files.write(file, TEXT);
            assertEquals("zlib:9 sha192", policyOf(file));
            assertEquals("lz4 xxhash64", policyOf(point));
            assertArrayEquals(TEXT, Files.readAllBytes(file));
        });
        List<String> zlib = dataMethods();
        assertTrue(zlib.stream().allMatch(line -> line.contains("zlib") && line.contains("sha192")), zlib::toString);
    }

    @Test
    void with_r_all_that_is_below_is_set_and_keeps_its_content() throws Exception {
        mounted("rw", () -> {
            Path directory = Files.createDirectories(point.resolve("a/b"));
            Path file = directory.resolve("file");
            Files.write(file, TEXT);
            Files.createSymbolicLink(point.resolve("a/link"), Path.of("/nowhere"));
            Run set = Run.hammer2("-r", "setcomp", "none", point.resolve("a").toString())
                    .succeeded();
            assertTrue(set.out().endsWith("compression none (inodes: 3)\n"), set.toString());
            assertEquals("none xxhash64", policyOf(file));
            assertArrayEquals(TEXT, Files.readAllBytes(file));
            // What was stored stays; what is written now is not compressed.
            Files.write(directory.resolve("new"), TEXT);
            Run json = Run.hammer2("--json", "-r", "stat", point.toString()).succeeded();
            assertTrue(json.out().contains("\"logical\": " + 2 * TEXT.length), json.toString());
        });
        assertTrue(
                dataMethods().stream().anyMatch(line -> line.contains("none")),
                () -> dataMethods().toString());
    }

    @Test
    void a_file_that_was_given_up_is_tried_again_after_setcomp() throws Exception {
        byte[] noise = new byte[2 << 20];
        new Random(1).nextBytes(noise);
        mounted("rw", () -> {
            Path file = point.resolve("file");
            Files.write(file, noise);
            Run.hammer2("setcomp", "zlib", file.toString()).succeeded();
            Files.write(file, TEXT);
            assertArrayEquals(TEXT, Files.readAllBytes(file));
        });
        List<String> methods = dataMethods();
        assertTrue(methods.stream().allMatch(line -> line.contains("zlib")), methods::toString);
    }

    @Test
    void what_cannot_be_is_refused_in_a_line() throws Exception {
        Run.hammer2("setcomp", "lz4", image.toString()).failed(1, "mount it");
        Run.hammer2("setcomp", "lz4", work.resolve("none").toString()).failed(1, "no such file");
        Run.hammer2("setcomp", "lz4", work.toString()).failed(1, "not on a mounted HAMMER2");
        Run.hammer2("setcomp", "lz5", image.toString()).failed(2, "is no compression");
        Run.hammer2("setcomp", "lz4:1", image.toString()).failed(2, "has no levels");
        Run.hammer2("setcomp", "zlib:5", image.toString()).failed(2, "6 to 9");
        Run.hammer2("setcomp", "zlib:9999999999", image.toString()).failed(2, "6 to 9");
        Run.hammer2("setcheck", "md5", image.toString()).failed(2, "is no check code");
        Run.hammer2("setcomp", "lz4").failed(2, "PATH");
        mounted("ro", () -> Run.hammer2("setcomp", "none", point.toString()).failed(1, "read-only"));
    }
}
