package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.InteropImages.Expectation;
import io.hammer2.fs.testing.InteropImages.Image;
import io.hammer2.fs.testing.ManifestWalk;
import io.hammer2.lwkt.Lwkt;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What other implementations wrote is read, in process, as their manifests say. */
class ReadPathInteropTest {
    private static final long SEED = 42;

    static Stream<Image> images() {
        return InteropImages.all().stream();
    }

    @ParameterizedTest
    @MethodSource("images")
    void every_image_shows_what_its_manifest_says(Image image) throws Exception {
        try (Lwkt lwkt = Lwkt.dedicated(2)) {
            check(lwkt, image);
        }
    }

    @ParameterizedTest
    @MethodSource("images")
    void every_image_shows_what_its_manifest_says_in_the_stepped_world(Image image) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(2, SEED)) {
            check(lwkt, image);
        }
    }

    private static void check(Lwkt lwkt, Image image) throws Exception {
        List<BlockDevice> devices = BlockDevices.openAll(image.special(), OpenMode.READ_ONLY);
        List<String> log = new ArrayList<>();
        MountOptions options = MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, log::add);
        if (image.expectation() == Expectation.MOUNT_FAILS) {
            Hammer2Exception refusal = assertThrows(Hammer2Exception.class, () -> Hammer2.open(lwkt, devices, options));
            assertFalse(refusal.getMessage().isBlank());
            for (BlockDevice device : devices) {
                device.close();
            }
            return;
        }
        try (Hammer2 volume = Hammer2.open(lwkt, devices, options)) {
            int cpu = 0;
            for (String label : image.labels()) {
                FileSystem fs = volume.mount(label);
                List<String> differences =
                        lwkt.run(cpu++ % lwkt.cpuCount(), () -> ManifestWalk.differences(fs, image.manifest(), label));
                assertEquals(List.of(), differences, () -> image + "@" + label + ", log: " + log);
            }
            assertEquals(
                    image.expectation() == Expectation.MOUNT_ERRORS,
                    log.stream().anyMatch(line -> line.contains("PFS")));
        }
    }
}
