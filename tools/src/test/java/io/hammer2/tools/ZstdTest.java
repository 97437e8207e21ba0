package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.tools.stress.Scratch;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The zstd extension as a user meets it: told of where it is asked for and where it is, and missed in clear words. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ZstdTest {
    private static final byte[] TEXT = "a line of a text that gets smaller, number 1234567890\n"
            .repeat(5_000)
            .getBytes(StandardCharsets.UTF_8);

    /** Where zstd-jni then looks for its library. */
    private static final String NO_LIBRARY = "-DZstdNativePath=/nowhere/libzstd-jni.so";

    @Test
    void zstd_is_announced_reported_and_taken_back_and_missed_in_clear_words() throws Exception {
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "needs FUSE");
        try (Scratch scratch = Scratch.make(64L << 20)) {
            scratch.mount("");
            String image = scratch.image().toString();
            Path folder = Files.createDirectory(scratch.root().resolve("folder"));
            Run.hammer2("setcomp", "zstd:16", folder.toString()).failed(2, "levels 1 to 15");
            Run lz4 = Run.hammer2("setcomp", "lz4", folder.toString()).succeeded();
            assertFalse(lz4.err().contains("extension"), lz4.toString());
            Run info = Run.hammer2("info", image).succeeded();
            assertFalse(info.out().contains("extension"), info.toString());

            Run set = Run.hammer2("setcomp", "zstd:9", folder.toString());
            assertEquals(0, set.status(), set.toString());
            assertTrue(set.err().contains("DragonFly cannot read"), set.toString());
            assertTrue(set.err().contains("setcomp -r lz4"), set.toString());
            Path file = folder.resolve("file");
            Files.write(file, TEXT);
            Run stat = Run.hammer2("stat", file.toString()).succeeded();
            assertTrue(stat.out().contains("zstd:9"), stat.toString());
            scratch.unmount();
            reportsZstd(scratch, 5);

            missingLibrary(scratch, folder);

            scratch.mount("");
            assertArrayEquals(TEXT, Files.readAllBytes(file));
            Run.hammer2("setcomp", "-r", "lz4", folder.toString()).succeeded();
            Run.hammer2("recompress", "-r", folder.toString()).succeeded();
            assertArrayEquals(TEXT, Files.readAllBytes(file));
            scratch.unmount();
            reportsZstd(scratch, 0);
        }
    }

    private static void reportsZstd(Scratch scratch, int blocks) {
        String image = scratch.image().toString();
        Run info = Run.hammer2("info", image).succeeded();
        assertTrue(info.out().contains("extensions: zstd (DragonFly cannot read"), info.toString());
        Run json = Run.hammer2("--json", "info", image).succeeded();
        assertTrue(json.out().replaceAll("\\s", "").contains("\"extensions\":[\"zstd\"]"), json.toString());
        Run fsck = Run.fsck(image).succeeded();
        assertTrue(fsck.out().contains("extensions: zstd; " + blocks + " data blocks"), fsck.toString());
    }

    private static void missingLibrary(Scratch scratch, Path folder) throws IOException {
        scratch.mount("", List.of(NO_LIBRARY));
        Path file = folder.resolve("file");
        assertThrows(IOException.class, () -> Files.readAllBytes(file));
        Run.hammer2("setcomp", "zstd", folder.toString()).failed(1, "its log says why");
        // What is written goes where everybody can read it.
        Path plain = folder.resolve("plain");
        Files.write(plain, TEXT);
        assertArrayEquals(TEXT, Files.readAllBytes(plain));
        Run.hammer2("recompress", "-r", folder.toString()).succeeded();
        scratch.unmount();
        String log = scratch.log();
        assertTrue(log.contains("/folder/file") && log.contains("zstd cannot be loaded on"), log);
        assertTrue(log.contains("setcomp zstd refused"), log);
        assertFalse(log.contains("\tat "), log);
        assertEquals(
                5,
                Run.fsck("--json", scratch.image().toString())
                        .succeeded()
                        .out()
                        .lines()
                        .filter(line -> line.contains("\"zstd\": "))
                        .map(line -> Integer.parseInt(line.replaceAll("\\D", "")))
                        .findFirst()
                        .orElseThrow());
    }
}
