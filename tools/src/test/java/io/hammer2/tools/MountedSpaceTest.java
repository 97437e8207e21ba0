package io.hammer2.tools;

import static io.hammer2.fuse.bridge.ControlRequests.VOLUMES_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUMES_COUNT;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_BYTES;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_LIST;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_LIST_BY_POINTER;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_OFFSET;
import static io.hammer2.fuse.bridge.ControlRequests.VOLUME_SIZE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is to be done about the space of a mounted volume, by commands as a user gives them. */
class MountedSpaceTest {
    private static final int MIB = 1 << 20;

    @TempDir
    Path work;

    @TempDir
    Path node;

    private final Queue<String> log = new ConcurrentLinkedQueue<>();

    @FunctionalInterface
    private interface Body {
        void run() throws Exception;
    }

    private String volume(String name, long bytes) throws Exception {
        String image = work.resolve(name).toString();
        Run.newfs("-s", bytes / MIB + "M", image).succeeded();
        return image;
    }

    private void mounted(String special, String options, Body body) throws Exception {
        MountRequest request = MountRequest.of(special, node, List.of("cpus=2," + options));
        try (VolumeServer server = VolumeServer.start(request, List.of(), log::add)) {
            body.run();
            server.copyOfMounts().getFirst().mount().unmount();
            server.awaitEnd();
        }
    }

    private static byte[] random(int bytes) {
        byte[] content = new byte[bytes];
        new Random(bytes).nextBytes(content);
        return content;
    }

    private Path file(String name) {
        return node.resolve(name);
    }

    @Test
    void a_volume_in_use_grows_with_its_image() throws Exception {
        String image = volume("grows.img", 64 * MIB);
        byte[] content = random(30 * MIB);
        mounted(image, "transport=kernel", () -> {
            Files.write(file("before"), content);
            assertTrue(Run.hammer2("growfs", node.toString()).succeeded().out().contains("nothing to grow"));
            String grown = Run.hammer2(
                            "growfs", "--size", "512M", file("before").toString())
                    .succeeded()
                    .out();
            assertTrue(grown.endsWith("grown from 64.00 MiB to 512.00 MiB\n"), grown);
            for (int i = 0; i < 5; i++) {
                Files.write(file("after" + i), content);
            }
            try (RandomAccessFile larger = new RandomAccessFile(image, "rw")) {
                larger.setLength(3L << 30);
            }
            String again =
                    Run.hammer2("--json", "growfs", node.toString()).succeeded().out();
            assertTrue(again.contains("\"size\": 3221225472") && again.contains("\"grown\": true"), again);
            assertTrue(Files.getFileStore(node).getTotalSpace() > 2_900L * MIB);
        });
        Run.fsck(image).succeeded();
        mounted(image, "ro", () -> {
            assertEquals(-1, Files.mismatch(file("before"), file("after4")));
            Run.hammer2("growfs", node.toString()).failed(1, "mounted read-only");
            Run.hammer2("emergency-mode-enable", node.toString()).failed(1, "mounted read-only");
            Run.hammer2("destroy", file("before").toString()).failed(1, "mounted read-only");
        });
        assertEquals(List.of(), List.copyOf(log));
    }

    @Test
    void df_shows_what_waits_and_bulkfree_gives_it_back() throws Exception {
        String image = volume("df.img", 512 * MIB);
        mounted(image, "transport=kernel", () -> {
            Files.write(file("kept"), random(20 * MIB));
            Files.write(file("deleted"), random(40 * MIB));
            assertEquals(0, number(Run.hammer2("--json", "df", node.toString()).succeeded(), "waitingBytes") / MIB);
            Files.delete(file("deleted"));
            Run before = Run.hammer2("--json", "df", file("kept").toString()).succeeded();
            assertTrue(number(before, "waitingBytes") >= 40 * MIB, before.toString());
            String shown = Run.hammer2("df", node.toString()).succeeded().out();
            assertTrue(shown.contains("hammer2 bulkfree " + node), shown);
            Run.hammer2("bulkfree", node.toString()).succeeded();
            Run after = Run.hammer2("--json", "df", node.toString()).succeeded();
            assertTrue(number(after, "waitingBytes") < MIB, after.toString());
            assertTrue(number(after, "freeBytes") >= number(before, "freeBytes") + 40 * MIB, after.toString());
        });
        Run.fsck(image).succeeded();
    }

    @Test
    void in_emergency_mode_nothing_but_removing_is_done() throws Exception {
        String image = volume("emergency.img", 512 * MIB);
        mounted(image, "transport=kernel", () -> {
            Files.write(file("one"), random(MIB));
            Files.write(file("two"), random(MIB));
            assertTrue(Run.hammer2("emergency-mode-enable", node.toString())
                    .succeeded()
                    .out()
                    .contains("emergency mode is on"));
            IOException refused = assertThrows(IOException.class, () -> Files.createFile(file("three")));
            assertTrue(refused.getMessage().contains("No space left"), refused.getMessage());
            Files.delete(file("one"));
            assertFalse(Files.exists(file("one")));
            Run.hammer2("emergency-mode-disable", node.toString()).succeeded();
            Files.write(file("three"), random(MIB));
        });
        Run.fsck(image).succeeded();
        Run.hammer2("emergency-mode-enable", image).failed(1, "the mode is one of a mount");
    }

    @Test
    void what_is_damaged_is_destroyed_and_nothing_else() throws Exception {
        Path image = work.resolve("damaged.img");
        Files.copy(InteropImages.get("x06-indirect").volumes().getFirst(), image);
        mounted(image.toString(), "transport=kernel", () -> {
            assertThrows(IOException.class, () -> Files.delete(file("dirs/n00300")));
            Run.hammer2("destroy", file("links").toString()).failed(1, "is not damaged; remove it with rm");
            Run.hammer2("destroy", file("none").toString(), file("dirs/n00300").toString())
                    .failed(1, "there is none");
            assertFalse(Files.exists(file("dirs/n00300")));
            Run.hammer2("destroy", node + "/" + "x".repeat(300)).failed(1, "at most 255 bytes");
            Run.hammer2("destroy", node + "/..").failed(1, "not a name");
            Run.hammer2("destroy").failed(2, "PATH");
            Run.hammer2("-s", node.toString(), "destroy-inum", "1").failed(1, "cannot do that");
            Run.hammer2("-s", node.toString(), "destroy-inum", "123456789012").failed(1, "there is none");
            Run.hammer2("-s", node.toString(), "destroy-inum", "many").failed(2, "many");
        });
        Run.hammer2("destroy", image.toString()).failed(1, "not a file of a mounted HAMMER2");
    }

    /** By the control request that foreign tools use. */
    @Test
    void the_volumes_of_a_mount_can_be_asked_for() throws Exception {
        String special = work.resolve("v0") + ":" + work.resolve("v1");
        for (String one : List.of("v0", "v1")) {
            try (RandomAccessFile file = new RandomAccessFile(work.resolve(one).toFile(), "rw")) {
                file.setLength(1L << 30);
            }
        }
        Run.newfs("--force", work.resolve("v0").toString(), work.resolve("v1").toString())
                .succeeded();
        mounted(special, "transport=kernel", () -> {
            Files.write(file("file"), random(MIB));
            try (MountedFile file = MountedFile.open(node)) {
                // DragonFly's own request leads to the list by a pointer; Linux: ENOTSUP, and not ENOTTY, is 95.
                MemorySegment pointer = file.structure(272);
                assertEquals(95, file.tryRequest(VOLUME_LIST_BY_POINTER, pointer));
                MemorySegment list = file.structure(VOLUMES_BYTES);
                list.set(ValueLayout.JAVA_INT, VOLUMES_COUNT, 64);
                assertTrue(file.request(VOLUME_LIST, list));
                assertEquals(2, list.get(ValueLayout.JAVA_INT, VOLUMES_COUNT));
                assertEquals(1L << 30, list.get(ValueLayout.JAVA_LONG, VOLUME_BYTES + VOLUME_OFFSET));
                assertEquals(1L << 30, list.get(ValueLayout.JAVA_LONG, VOLUME_BYTES + VOLUME_SIZE));
            }
            String shown =
                    Run.hammer2("volume-list", node.toString()).succeeded().out();
            assertTrue(shown.contains("v1"), shown);
            Run.hammer2("growfs", node.toString()).failed(1, "2 volumes cannot grow");
        });
        Run.fsck(special).succeeded();
    }

    private static long number(Run run, String name) {
        return Long.parseLong(run.out().replaceAll("(?s).*\"" + name + "\": (\\d+).*", "$1"));
    }
}
