package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.tools.stress.Scratch;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Deduplication of a mounted volume, as a user runs it, and ends it. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class DedupTest {
    private static final int BLOCK = 65536;

    /** Contents of blocks that there are. */
    private static final int CONTENTS = 40;

    private static final int FILES = 60;
    private static final int BLOCKS_PER_FILE = 16;
    private static final int KILLS = 2;

    private final Map<Path, byte[]> written = new TreeMap<>();

    @BeforeAll
    static void fuse() {
        assumeTrue(Files.isWritable(Path.of("/dev/fuse")), "needs FUSE");
    }

    /** @param randomBytes of each block; the rest of it can be compressed */
    private void write(Path root, long seed, int randomBytes) throws IOException {
        Random random = new Random(seed);
        byte[][] contents = new byte[CONTENTS][BLOCK];
        for (byte[] content : contents) {
            random.nextBytes(content);
            Arrays.fill(content, randomBytes, BLOCK, (byte) 'x');
        }
        for (int i = 0; i < FILES; i++) {
            byte[] bytes = new byte[BLOCKS_PER_FILE * BLOCK + i];
            for (int at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
                System.arraycopy(contents[random.nextInt(CONTENTS)], 0, bytes, at, BLOCK);
            }
            Path file = root.resolve(List.of("f", "a/f", "a/b/f").get(i % 3) + i);
            Files.write(file, bytes);
            written.put(file, bytes);
        }
        sync(root.resolve("f0"));
    }

    private static void sync(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    private void requireContents() throws IOException {
        for (Map.Entry<Path, byte[]> file : written.entrySet()) {
            assertArrayEquals(file.getValue(), Files.readAllBytes(file.getKey()), file.getKey()::toString);
        }
    }

    private static long number(Run run, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\": (\\d+)").matcher(run.out());
        assertTrue(matcher.find(), run::toString);
        return Long.parseLong(matcher.group(1));
    }

    @Test
    void says_what_is_there_more_than_once_and_gives_its_space_back() throws Exception {
        try (Scratch scratch = Scratch.make(256L << 20)) {
            scratch.mount("dedup=off");
            String root = scratch.root().toString();
            Files.createDirectories(scratch.root().resolve("a/b"));
            write(scratch.root(), 1, BLOCK);
            Run told = Run.hammer2("--json", "dedup", "-n", root).succeeded();
            long twice = number(told, "duplicateBytes");
            assertTrue(twice >= (long) (FILES * BLOCKS_PER_FILE - CONTENTS) * BLOCK / 2, told.toString());
            assertEquals(0, number(told, "sharedBytes"));
            Run below = Run.hammer2("--json", "dedup", "--no-bulkfree", root + "/a/b")
                    .succeeded();
            assertTrue(number(below, "sharedBytes") < twice && number(below, "sharedBytes") > 0, below.toString());
            Run done = Run.hammer2("-m", "1m", "--json", "dedup", root).succeeded();
            // Of what shared a place already, each reference goes to the one that stays.
            assertTrue(number(below, "sharedBytes") + number(done, "sharedBytes") >= twice, done.toString());
            assertTrue(number(done, "freedBytes") >= twice, done.toString());
            String again = Run.hammer2("dedup", root).succeeded().out();
            assertTrue(again.contains("; 0 B stored more than once"), again);
            assertEquals(
                    "", Run.hammer2("-q", "dedup", root + "/f0").succeeded().out());
            requireContents();
            Run.hammer2("dedup").failed(2, "PATH");
            Run.hammer2("dedup", scratch.image().toString()).failed(1, "not mounted");
            Run.hammer2("dedup", root + "/nothing").failed(1, "no such file");
            scratch.unmount();
            scratch.check();
        }
    }

    /** @return whether it ended before anybody has seen it share something */
    private static boolean waitUntilItShares(Scratch scratch, Process client) {
        String root = scratch.root().toString();
        long before = -1;
        while (client.isAlive()) {
            long now = number(Run.hammer2("--json", "dedup", "-n", root).succeeded(), "duplicateBytes");
            if (now < before) {
                return false;
            }
            before = now;
        }
        return true;
    }

    /** kill -9 of the command, and of the daemon below it; in each folder files are stored otherwise. */
    @Test
    void it_may_be_killed_at_any_point_and_run_again() throws Exception {
        long seed = 7;
        Random random = new Random(seed);
        List<String> compressions = new ArrayList<>(List.of("lz4", "zlib", "zstd"));
        Collections.shuffle(compressions, random);
        try (Scratch scratch = Scratch.make(256L << 20)) {
            scratch.mount("dedup=off");
            Path folder = scratch.root();
            for (int i = 0; i < compressions.size(); i++) {
                Run set = Run.hammer2("setcomp", compressions.get(i), folder.toString());
                // Of zstd there is something to be told.
                assertEquals(0, set.status(), set::toString);
                folder = i < 2
                        ? Files.createDirectory(folder.resolve(List.of("a", "b").get(i)))
                        : null;
            }
            write(scratch.root(), seed, BLOCK / 4);
            for (int kill = 0; kill < KILLS; kill++) {
                List<String> command = new ArrayList<>(Scratch.java("Hammer2Command"));
                command.addAll(List.of("-q", "dedup", scratch.root().toString()));
                Process client = new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                        .start();
                boolean ended = waitUntilItShares(scratch, client);
                client.waitFor(random.nextInt(40), TimeUnit.MILLISECONDS);
                boolean both = kill % 2 == 1;
                if (both) {
                    scratch.kill();
                }
                client.destroyForcibly().waitFor();
                System.out.printf(
                        "seed %d, %s, kill %d%s%s%n",
                        seed, compressions, kill, both ? " of both" : "", ended ? ", too late" : "");
                if (both) {
                    scratch.check();
                    scratch.mount("dedup=off");
                }
                requireContents();
            }
            Run.hammer2("dedup", scratch.root().toString()).succeeded();
            Run rest = Run.hammer2("--json", "dedup", "-n", scratch.root().toString())
                    .succeeded();
            assertEquals(0, number(rest, "duplicateBytes"));
            requireContents();
            scratch.unmount();
            scratch.check();
        }
    }
}
