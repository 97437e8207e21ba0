package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** "When a volume is full" in docs/tools.md, step by step, on one that snapshots have filled. */
class FullVolumeTest {
    private static final int MIB = 1 << 20;

    /** Content that each snapshot holds and no other one does. */
    private static final int CHANGED_BYTES = 4 * MIB;

    private static final Pattern PFS = Pattern.compile(
            "\"label\": \"([^\"]+)\",\\s+\"snapshot\": (true|false),\\s+\"dataBytes\": \\d+,\\s+\"onlyBytes\": (\\d+)");

    @TempDir
    Path work;

    @TempDir
    Path node;

    private final Queue<String> log = new ConcurrentLinkedQueue<>();

    @Test
    void snapshots_that_filled_a_volume_are_found_and_deleted_and_their_space_comes_back() throws Exception {
        String image = work.resolve("full.img").toString();
        Run.newfs("-s", "256M", image).succeeded();
        byte[] kept = random(1);
        MountRequest request = MountRequest.of(image, node, List.of("cpus=2,transport=kernel"));
        try (VolumeServer server = VolumeServer.start(request, List.of(), log::add)) {
            Files.write(node.resolve("kept"), kept);
            int snapshots = fill();
            assertTrue(snapshots >= 20, snapshots + " snapshots");

            // 1. What holds the space: not what waits for bulkfree, but the snapshots.
            String shown =
                    Run.hammer2("--json", "df", node.toString()).succeeded().out();
            List<String> holding = new ArrayList<>();
            Matcher pfs = PFS.matcher(shown);
            while (pfs.find()) {
                if (pfs.group(2).equals("true") && Long.parseLong(pfs.group(3)) >= CHANGED_BYTES / 2) {
                    holding.add(pfs.group(1));
                }
            }
            assertTrue(holding.size() >= snapshots - 2, holding + " of " + shown);

            // 2. and 3. Bulkfree alone gives nothing back; with half of the snapshots deleted it does.
            Run.hammer2("bulkfree", node.toString()).succeeded();
            List<String> deleted = holding.subList(0, holding.size() / 2);
            for (String label : deleted) {
                Run.hammer2("-s", node.toString(), "pfs-delete", label).succeeded();
            }
            Run.hammer2("bulkfree", node.toString()).succeeded();
            long free = Files.getFileStore(node).getUsableSpace();
            assertTrue(free >= (long) deleted.size() * CHANGED_BYTES - 4 * MIB, free + " after " + deleted);
            Files.write(node.resolve("written again"), random(2));
            assertArrayEquals(kept, Files.readAllBytes(node.resolve("kept")));
            server.copyOfMounts().getFirst().mount().unmount();
            server.awaitEnd();
        }
        Run.fsck(image).succeeded();
        assertEquals(List.of(), List.copyOf(log));
    }

    /** Changes a file and takes a snapshot, over and over. @return how many snapshots there are when nothing more can be written */
    private int fill() throws Exception {
        for (int i = 0; ; i++) {
            try {
                Files.write(node.resolve("changing"), random(100 + i));
            } catch (IOException e) {
                assertTrue(e.getMessage().contains("No space left"), e.getMessage());
                // Even so it can be removed, and what it was is in the snapshots.
                Files.delete(node.resolve("changing"));
                return i;
            }
            Run snapshot = Run.hammer2("snapshot", node.toString(), "snap" + i);
            if (snapshot.status() != 0) {
                assertTrue(snapshot.err().contains("space"), snapshot.toString());
                return i;
            }
        }
    }

    private static byte[] random(long seed) {
        byte[] content = new byte[CHANGED_BYTES];
        new Random(seed).nextBytes(content);
        return content;
    }
}
