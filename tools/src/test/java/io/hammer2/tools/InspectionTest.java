package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.testing.InteropImages;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Directives on devices that are not mounted, over images that the project ships. */
final class InspectionTest {
    private static final List<String> DEVICE_DIRECTIVES =
            List.of("info", "pfs-list", "volume-list", "volhdr", "freemap", "show");

    @TempDir
    private Path folder;

    @Test
    void outputs_are_as_they_were() throws IOException {
        golden("info-v10-labels.txt", "v10-labels", "info");
        golden("info-m01-two-volumes.json", "m01-two-volumes", "--json", "info");
        golden("pfs-list-v10-labels.txt", "v10-labels", "pfs-list");
        golden("pfs-list-v04-zlib.json", "v04-zlib", "--json", "pfs-list");
        golden("volume-list-m01-two-volumes.txt", "m01-two-volumes", "volume-list");
        golden("volume-list-v09-version1.json", "v09-version1", "volume-list", "--json");
        golden("volhdr-v09-version1.txt", "v09-version1", "volhdr");
        golden("volhdr-m01-two-volumes.json", "m01-two-volumes", "--json", "volhdr");
        golden("freemap-v04-zlib.txt", "v04-zlib", "-v", "freemap");
        golden("show-m01-two-volumes.txt", "m01-two-volumes", "show");
        golden("show-m01-two-volumes.json", "m01-two-volumes", "show", "--json");
    }

    @Test
    void show_lists_each_inode_entry_and_block_and_verifies_them() throws IOException {
        String out = Run.hammer2("-v", "show", special("v04-zlib")).succeeded().out();
        String counted = Run.fsck(special("v04-zlib")).succeeded().out();
        // The independent verifier counts the super-root as well as show does.
        assertTrue(counted.contains(count(out, " INODE ") + " inodes, " + count(out, " DIRENT ") + " names"), counted);
        assertTrue(
                counted.contains(count(out, " DATA ") + " data and " + count(out, " INDIRECT ") + " indirect"),
                counted);
        assertEquals(count(out, " DATA "), count(out, "[verified]"));
    }

    @Test
    void show_dumps_content_decompressed() throws IOException {
        String out =
                Run.hammer2("-vv", "show", special("v10-labels")).succeeded().out();
        assertTrue(
                out.lines().anyMatch(line -> line.matches(" +000000000000  ([0-9a-f]{2} ){16} \\|.{16}\\|")),
                "no dump");
        assertTrue(out.lines().anyMatch(line -> line.contains("000000000030  ")), "blocks of one line only");
    }

    @Test
    void damage_is_shown_where_it_is_and_the_rest_is_shown_too() throws IOException {
        Run run = Run.hammer2("show", special("x04-inode"));
        assertEquals(1, run.status());
        assertTrue(run.err().contains("check code XXHASH64: expected"), run.err());
        assertEquals(2, count(run.out(), "[DAMAGED: "));
        assertTrue(run.out().contains("\"f29.c\"") && count(run.out(), " INODE ") > 300, "the rest");
    }

    @ParameterizedTest
    @ValueSource(strings = {"info", "pfs-list", "volume-list", "volhdr", "freemap", "show"})
    void what_is_no_volume_is_named_in_one_line_or_one_for_each_copy(String directive) throws IOException {
        Path noise = Files.write(folder.resolve("noise"), new byte[3 << 20]);
        Run.hammer2(directive, noise.toString()).failed(1, "HAMMER2 volume");
        Path empty = Files.write(folder.resolve("empty"), new byte[0]);
        assertEquals(1, Run.hammer2(directive, empty.toString()).status());
        Run.hammer2(directive, folder.resolve("missing").toString()).failed(1, "no such file");
        assertEquals(1, Run.hammer2(directive, folder.toString()).status());
    }

    @Test
    void a_truncated_image_is_refused_and_its_header_still_shown() throws IOException {
        String special = special("x07-truncated");
        Run.hammer2("pfs-list", special).failed(1, "cut short");
        assertTrue(Run.hammer2("volhdr", special).out().contains("valid, the newest"));
    }

    @Test
    void a_missing_volume_is_named() throws IOException {
        String first = special("m01-two-volumes").split(":", -1)[0];
        for (String directive : DEVICE_DIRECTIVES) {
            if (!directive.equals("volhdr")) {
                Run.hammer2(directive, first).failed(1, "the file system has 2 volumes, 1 given");
            }
        }
    }

    @Test
    void what_is_not_mounted_says_what_to_do() {
        Run.hammer2("pfs-list", folder.toString()).failed(1, "not on a mounted HAMMER2 file system; name");
        Run.hammer2("stat", folder.toString()).failed(1, "not a file of a mounted HAMMER2 file system");
        Run.hammer2("printinode", folder.toString()).failed(1, "not a file of a mounted HAMMER2 file system");
        Run.hammer2("printinode", "/dev/null").failed(1, "neither a file nor a directory");
    }

    @Test
    void d_shows_where_an_error_arose_and_only_then() {
        // Straight, because the helper forbids what is asked for here.
        var err = new ByteArrayOutputStream();
        Hammer2Command.run(
                Console.to(new ByteArrayOutputStream(), err),
                "-d",
                "volhdr",
                folder.resolve("no").toString());
        assertTrue(
                err.toString(StandardCharsets.UTF_8).contains("\tat io.hammer2"), err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void names_that_a_terminal_would_obey_are_escaped_everywhere() throws IOException {
        String out = Run.hammer2("show", special("v09-version1")).succeeded().out();
        assertTrue(out.contains("\\x"), "the image has names that are not UTF-8");
        assertFalse(out.chars().anyMatch(c -> c < ' ' && c != '\n'), "a control character");
        String json = Run.hammer2("--json", "show", special("v09-version1"))
                .succeeded()
                .out();
        assertTrue(json.contains("\\\\x"), "escaped once for JSON");
    }

    @Test
    void an_image_below_a_path_with_blanks_and_colons() throws IOException {
        Path odd = Files.createDirectory(folder.resolve("a b:c"));
        Path image = odd.resolve("i@m:g.img");
        Run.newfs("-s", "64m", image.toString()).succeeded();
        Files.copy(image, odd.resolve("second"), StandardCopyOption.COPY_ATTRIBUTES);
        assertTrue(Run.hammer2("pfs-list", image.toString()).succeeded().out().contains("DATA"));
    }

    private static String special(String image) throws IOException {
        return InteropImages.get(image).special();
    }

    private static long count(String text, String part) {
        return text.lines().filter(line -> line.contains(part)).count();
    }

    private static void golden(String name, String image, String... directive) throws IOException {
        String special = special(image);
        String[] arguments = java.util.Arrays.copyOf(directive, directive.length + 1);
        arguments[directive.length] = special;
        String folder = special.substring(0, special.indexOf(image));
        Golden.assertMatches(name, Run.hammer2(arguments).succeeded().out().replace(folder, ""));
    }
}
