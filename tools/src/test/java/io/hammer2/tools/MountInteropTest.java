package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.InteropImages.Image;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every image, mounted by mount_hammer2's own code through each transport and compared with its manifest. */
final class MountInteropTest {
    @TempDir
    private Path mountPoint;

    static Stream<Arguments> imagesAndTransports() {
        return InteropImages.all().stream()
                .flatMap(image -> Stream.of("kernel", "jnr").map(transport -> Arguments.of(image, transport)));
    }

    @ParameterizedTest(name = "{0} by {1}")
    @MethodSource("imagesAndTransports")
    void each_image_shows_what_its_manifest_says(Image image, String transport) throws Exception {
        Queue<String> log = new ConcurrentLinkedQueue<>();
        switch (image.expectation()) {
            case MOUNT -> {
                for (String label : image.labels()) {
                    compare(image, label, transport, log);
                }
                assertNoDamage(image, log);
            }
            case MOUNT_ERRORS -> {
                for (String label : image.labels()) {
                    compare(image, label, transport, log);
                }
                assertTrue(
                        log.stream().anyMatch(line -> line.contains("DATA") && line.contains("expected")),
                        log::toString);
            }
            case MOUNT_FAILS -> {
                MountRequest request = request(image.special(), transport);
                ToolException refused =
                        assertThrows(ToolException.class, () -> VolumeServer.start(request, List.of(), log::add));
                assertTrue(refused.getMessage().contains(image.name()), refused.getMessage());
                assertFalse(isMounted());
            }
        }
    }

    private void compare(Image image, String label, String transport, Queue<String> log) throws Exception {
        try (VolumeServer server =
                VolumeServer.start(request(image.special() + "@" + label, transport), List.of(), log::add)) {
            Manifest found = Manifest.compare(mountPoint, image.manifest(), label);
            assertTrue(found.summary().contains(" objects, "), found.summary());
            // jnr-fuse hands names over as Java strings.
            List<String> differences = transport.equals("jnr") ? found.differencesOfUtf8Names() : found.differences();
            assertEquals(List.of(), differences, image + "@" + label + " by " + transport);
            server.copyOfMounts().getFirst().mount().unmount();
            server.awaitEnd();
            assertFalse(isMounted());
        }
    }

    /** What is sound gives no word, other than of header copies that are not. */
    private static void assertNoDamage(Image image, Queue<String> log) {
        log.removeIf(line -> line.contains("volume header copy"));
        assertEquals(List.of(), List.copyOf(log), image.toString());
    }

    private MountRequest request(String special, String transport) {
        return MountRequest.of(special, mountPoint, List.of("ro,cpus=2,transport=" + transport));
    }

    private boolean isMounted() throws IOException {
        return Files.readString(Path.of("/proc/self/mountinfo")).contains(mountPoint.toString());
    }
}
