package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.testing.InteropImages;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hammer2 df} as a user runs it. */
class DfTest {
    @TempDir
    Path work;

    @Test
    void snapshots_are_told_apart_and_the_parts_add_up() throws Exception {
        String image = InteropImages.get("v11-snapshots").special();
        String shown = Run.hammer2("df", image).succeeded().out();
        for (String word : new String[] {"used", "shared", "by one", "waiting", "free", "reserved", "only here"}) {
            assertTrue(shown.contains(word), word + " is not in " + shown);
        }
        assertTrue(
                Pattern.compile("(?m)^  \\S+ +\\S+ \\S+ +\\S+ \\S+  snapshot$")
                        .matcher(shown)
                        .find(),
                shown);
        String json = Run.hammer2("--json", "df", image).succeeded().out();
        assertEquals(
                number(json, "sizeBytes"),
                number(json, "usedBytes")
                        + number(json, "waitingBytes")
                        + number(json, "freeBytes")
                        + number(json, "reservedBytes"));
        assertTrue(number(json, "sharedBytes") > 0);
    }

    @Test
    void damage_and_garbage_are_told_in_lines() throws Exception {
        Run.hammer2("df", InteropImages.get("x06-indirect").special()).failed(1, "PFS DATA: ");
        Path garbage = work.resolve("garbage");
        Files.write(garbage, new byte[1 << 20]);
        Run.hammer2("df", garbage.toString()).failed(1, "not a HAMMER2 volume");
        Run.hammer2("-m", "1", "df", InteropImages.get("v08-bigdir").special()).failed(1, "needs more");
        Run.hammer2("df", work.toString()).failed(1, "not on a mounted HAMMER2");
    }

    @Test
    void a_bar_says_how_far_it_is() {
        assertEquals(
                "a.img [" + "=".repeat(12) + ">" + " ".repeat(11) + "]  50%, 0:03 left",
                Progress.bar("a.img", 50, 100, 3));
        assertEquals("a.img [" + "=".repeat(24) + "] 100%, 0:00 left", Progress.bar("a.img", 100, 100, 3));
        assertEquals("a.img ... 1:03", Progress.bar("a.img", 50, 0, 63));
    }

    private static long number(String json, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\": (\\d+)").matcher(json);
        assertTrue(matcher.find(), json);
        return Long.parseLong(matcher.group(1));
    }
}
