package io.hammer2.fs.freemap;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.chain.Topology;
import io.hammer2.fs.io.BlockIo;
import io.hammer2.fs.io.PendingWrites;
import io.hammer2.fs.media.FreemapLeaf;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.InteropImages.Expectation;
import io.hammer2.fs.testing.InteropImages.Image;
import io.hammer2.fs.volume.Volume;
import io.hammer2.lwkt.Lwkt;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What may be promised to writers is what the map has, granule by granule. */
class AvailableSpaceTest {
    static Stream<Image> images() {
        // Blocks newer than the freemap are not in it, until a mount has recovered them.
        return InteropImages.all().stream()
                .filter(image -> image.expectation() == Expectation.MOUNT)
                .filter(image -> !image.name().equals("v21-freemap-lag"));
    }

    @ParameterizedTest
    @MethodSource("images")
    void available_is_what_the_leaves_add_up_to_also_on_volumes_that_were_enlarged(Image image) throws Exception {
        List<BlockDevice> devices = BlockDevices.openAll(image.special(), OpenMode.INSPECT);
        Volume volume = Volume.open(devices);
        try (Lwkt lwkt = Lwkt.stepped(1, 1)) {
            lwkt.run(0, () -> {
                long size = volume.sizeBytes();
                BlockIo io = new BlockIo(lwkt.cpu(0), volume.devices(), size, new PendingWrites(), 16 * 65536);
                Freemap freemap = Freemap.of(new Topology(io), volume.header(), line -> {});
                long sum = 0;
                for (long gib = 0; gib < size; gib += Limits.GIB) {
                    for (int segment = 0; segment < FreemapLeaf.SEGMENT_COUNT; segment++) {
                        sum += freemap.availableBytesOf(gib, segment);
                    }
                }
                assertEquals(sum, freemap.availableBytes());
                io.close();
                return null;
            });
        }
        volume.close();
    }
}
