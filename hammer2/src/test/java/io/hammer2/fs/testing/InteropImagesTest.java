package io.hammer2.fs.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

final class InteropImagesTest {
    /** Fails, and does not skip, when an image that the index lists is missing. */
    @Test
    void every_image_of_the_index_unpacks_and_has_its_manifest() throws IOException {
        for (InteropImages.Image image : InteropImages.all()) {
            List<Path> volumes = image.volumes();
            for (Path volume : volumes) {
                assertTrue(Files.size(volume) > 0, volume.toString());
            }
            assertEquals(image.expectation() == InteropImages.Expectation.MOUNT_FAILS, image.manifest() == null);
            assertTrue(image.manifest() == null || Files.exists(image.manifest()), image + " has no manifest");
        }
    }

    @Test
    void a_second_request_unpacks_nothing() throws IOException {
        InteropImages.Image image = InteropImages.all().getFirst();
        Object before = Files.getAttribute(image.volumes().getFirst(), "unix:ino");
        assertEquals(before, Files.getAttribute(image.volumes().getFirst(), "unix:ino"));
    }
}
