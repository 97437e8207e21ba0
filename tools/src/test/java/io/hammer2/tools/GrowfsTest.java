package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.blockdev.testing.LoopDevice;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code hammer2 growfs} as a user runs it. */
class GrowfsTest {
    @TempDir
    Path work;

    private String image(String name, String size, String... options) {
        String image = work.resolve(name).toString();
        String[] arguments = new String[options.length + 3];
        System.arraycopy(options, 0, arguments, 0, options.length);
        arguments[options.length] = "-s";
        arguments[options.length + 1] = size;
        arguments[options.length + 2] = image;
        Run.newfs(arguments).succeeded();
        return image;
    }

    private static void resize(String image, long bytes) throws Exception {
        try (RandomAccessFile file = new RandomAccessFile(image, "rw")) {
            file.setLength(bytes);
        }
    }

    @Test
    void an_enlarged_image_grows_and_is_clean() throws Exception {
        String image = image("a.img", "64M");
        resize(image, 3L << 30);
        Run grown = Run.hammer2("growfs", image).succeeded();
        assertEquals(image + ": grown from 64.00 MiB to 3.00 GiB\n", grown.out());
        Run.fsck(image).succeeded();
        assertTrue(Run.hammer2("growfs", image).succeeded().out().contains("nothing to grow"));
        String json = Run.hammer2("--json", "growfs", image).succeeded().out();
        assertTrue(json.contains("\"size\": 3221225472") && json.contains("\"grown\": false"), json);
        assertEquals("", Run.hammer2("-q", "growfs", image).succeeded().out());
    }

    /** As a disk that was enlarged: a loop device whose file becomes larger, and losetup -c. Not in use, and while it is mounted. */
    @Test
    void an_enlarged_device_grows_offline_and_online() throws Exception {
        assumeTrue(LoopDevice.isPermitted(), "needs root for a loop device");
        Path backing = work.resolve("backing");
        byte[] content = new byte[20 << 20];
        new Random(1).nextBytes(content);
        resize(backing.toString(), 64L << 20);
        try (LoopDevice loop = LoopDevice.over(backing)) {
            String device = loop.node().toString();
            Run.newfs(device).succeeded();
            Run.hammer2("growfs", device).succeeded();
            resize(backing.toString(), 128L << 20);
            // The kernel has not been told.
            assertTrue(Run.hammer2("growfs", device).succeeded().out().contains("nothing to grow"));
            loop.refreshSize();
            assertEquals(
                    device + ": grown from 64.00 MiB to 128.00 MiB\n",
                    Run.hammer2("growfs", device).succeeded().out());
            Run.fsck(device).succeeded();
            Path node = Files.createDirectory(work.resolve("node")).toRealPath();
            try (VolumeServer server =
                    VolumeServer.start(MountRequest.of(device, node, List.of("rw")), List.of(), line -> {})) {
                Files.write(node.resolve("before"), content);
                resize(backing.toString(), 3L << 30);
                assertTrue(
                        Run.hammer2("growfs", node.toString()).succeeded().out().contains("nothing to grow"));
                loop.refreshSize();
                assertEquals(
                        node + ": grown from 128.00 MiB to 3.00 GiB\n",
                        Run.hammer2("growfs", node.toString()).succeeded().out());
                assertTrue(Files.getFileStore(node).getTotalSpace() > 2900L << 20);
                // What it could not have held before.
                for (int i = 0; i < 8; i++) {
                    new Random(100 + i).nextBytes(content);
                    Files.write(node.resolve("after" + i), content);
                }
                Run.hammer2("growfs", "--size", "4G", node.toString()).failed(1, "--size");
                server.copyOfMounts().getFirst().mount().unmount();
                server.awaitEnd();
            }
            Run.fsck(device).succeeded();
            independentlyChecked(device);
        }
    }

    /** By the checker that the environment names, as other tests do. */
    private static void independentlyChecked(String device) throws Exception {
        String checker = System.getenv("H2CHECK");
        if (checker != null && !checker.isEmpty()) {
            Process check = new ProcessBuilder("python3", checker, device)
                    .redirectErrorStream(true)
                    .start();
            String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(0, check.waitFor(), said);
        }
    }

    @Test
    void size_makes_the_image_larger_first() throws Exception {
        String image = image("b.img", "512M", "-V", "1");
        String json = Run.hammer2("--json", "growfs", "--size", "1100M", image)
                .succeeded()
                .out();
        assertTrue(json.contains("\"oldSize\": 536870912") && json.contains("\"grown\": true"), json);
        assertEquals(1100L << 20, Files.size(Path.of(image)));
        Run.fsck(image).succeeded();
        Run.hammer2("growfs", "--size", "1G", image).failed(1, "cannot shrink");
        assertEquals(1100L << 20, Files.size(Path.of(image)));
    }

    @Test
    void what_cannot_grow_is_told_in_a_line() throws Exception {
        String image = image("c.img", "64M");
        Run.hammer2("growfs", "--size", "much", image).failed(2, "no size");
        Run.hammer2("growfs", "--size", "1G", image, image).failed(1, "--size is for one image, not for 2");
        Run.hammer2("growfs", work.toString()).failed(1, "not on a mounted HAMMER2");
        Run.hammer2("growfs", work.resolve("none").toString()).failed(1, "none");
        Path other = work.resolve("other");
        Files.write(other, new byte[1 << 20]);
        Run.hammer2("growfs", "--size", "1G", other.toString()).failed(1, "not a HAMMER2 volume");
        assertEquals(1 << 20, Files.size(other));
        resize(image, 128L << 20);
        try (var held = BlockDevices.open(Path.of(image), OpenMode.READ_WRITE)) {
            Run.hammer2("growfs", image).failed(1, held.name());
        }
        Path first = work.resolve("m0");
        Path second = work.resolve("m1");
        for (Path volume : new Path[] {first, second}) {
            resize(volume.toString(), 1L << 30);
        }
        Run.newfs("--force", first.toString(), second.toString()).succeeded();
        Run.hammer2("growfs", first + ":" + second).failed(1, "2 volumes cannot grow");
    }
}
