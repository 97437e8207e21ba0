package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.tools.stress.Scratch;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Recompression of a mounted volume, as a user runs it, and ends it. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RecompressTest {
    private static final int FILES = 6;
    private static final long SEED = 11;
    private static final int FILE_BYTES = (3 << 20) + 1234;

    /** Words, so that every method gains something. */
    private static byte[] text(long seed) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder(FILE_BYTES + 16);
        while (text.length() < FILE_BYTES) {
            text.append(random.nextInt(5000)).append(random.nextInt(4) == 0 ? '\n' : ' ');
        }
        return text.substring(0, FILE_BYTES).getBytes(StandardCharsets.US_ASCII);
    }

    private static long number(Run run, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\": (\\d+)").matcher(run.out());
        assertTrue(matcher.find(), run::toString);
        return Long.parseLong(matcher.group(1));
    }

    private static void requireContents(Path folder) throws IOException {
        for (int i = 0; i < FILES; i++) {
            assertArrayEquals(text(i), Files.readAllBytes(folder.resolve("f" + i)), "f" + i);
        }
    }

    /** Each file gets another compression, which one by the seed. */
    private static void setCompressions(Path folder, Random random) {
        List<String> compressions = new ArrayList<>(List.of("lz4", "zlib:9", "zstd"));
        Collections.shuffle(compressions, random);
        for (int i = 0; i < FILES; i++) {
            String compression = compressions.get(i % compressions.size());
            Run set =
                    Run.hammer2("setcomp", compression, folder.resolve("f" + i).toString());
            // Of zstd there is something to be told.
            assertEquals(0, set.status(), set::toString);
        }
    }

    @Test
    void files_are_stored_as_their_setting_says_whatever_was_killed_on_the_way() throws Exception {
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "needs FUSE");
        try (Scratch scratch = Scratch.make(256L << 20)) {
            scratch.mount("");
            Path folder = Files.createDirectory(scratch.root().resolve("texts"));
            String name = folder.toString();
            Run.hammer2("setcomp", "none", name).succeeded();
            for (int i = 0; i < FILES; i++) {
                Files.write(folder.resolve("f" + i), text(i));
            }
            try (FileChannel channel = FileChannel.open(folder.resolve("f0"), StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            assertEquals(
                    0, number(Run.hammer2("--json", "recompress", "-r", name).succeeded(), "rewrittenBlocks"));
            Run.hammer2("recompress", name).failed(1, "give -r");
            setCompressions(folder, new Random(SEED));

            // The daemon and the command die somewhere in the middle.
            List<String> command = new ArrayList<>(Scratch.java("Hammer2Command"));
            command.addAll(List.of("-q", "recompress", "-r", name));
            Process client = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            client.waitFor(500 + new Random(SEED).nextInt(400), TimeUnit.MILLISECONDS);
            scratch.kill();
            client.destroyForcibly().waitFor();
            scratch.check();
            scratch.mount("");
            requireContents(folder);

            // What was set may have died with the daemon.
            setCompressions(folder, new Random(SEED));
            Run.hammer2("recompress", "-r", name).succeeded();
            Run again = Run.hammer2("--json", "recompress", "-r", name).succeeded();
            assertEquals(0, number(again, "rewrittenBlocks"));
            assertTrue(number(again, "scannedBytes") <= (long) FILES * FILE_BYTES * 3 / 4, again.toString());
            requireContents(folder);
            Run.hammer2("setcomp", "-r", "none", name).succeeded();
            Run back = Run.hammer2("--json", "recompress", "-r", name).succeeded();
            assertTrue(number(back, "bytesAfter") > number(back, "bytesBefore"), back.toString());
            requireContents(folder);
            scratch.unmount();
            scratch.check();
        }
    }
}
