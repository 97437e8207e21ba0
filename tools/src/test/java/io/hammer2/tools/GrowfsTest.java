package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
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
