package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.InspectedDevice;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** All copies of one device's volume header, good and bad, as a dump shows them. */
final class HeaderCopies implements AutoCloseable {
    private final List<Copy> copies = new ArrayList<>();
    private final Arena arena = Arena.ofShared();

    private HeaderCopies() {}

    /**
     * @param header null when the device did not give it
     * @param defect why it cannot be used, or null
     */
    record Copy(int index, VolumeHeader header, String defect) {}

    static HeaderCopies read(Path path) throws IOException {
        try (BlockDevice device = InspectedDevice.open(path)) {
            return of(device);
        }
    }

    /** Those that lie inside the device. */
    static HeaderCopies of(BlockDevice device) {
        HeaderCopies result = new HeaderCopies();
        for (int i = 0; i < Limits.VOLUME_HEADER_COPIES; i++) {
            long offset = VolumeHeader.copyOffset(i);
            if (offset + Limits.VOLUME_HEADER_BYTES > device.sizeBytes()) {
                break;
            }
            VolumeHeader header = new VolumeHeader(result.arena.allocate(Limits.VOLUME_HEADER_BYTES, 4096));
            try {
                device.readFully(offset, header.bytes());
                result.copies.add(new Copy(i, header, header.defect()));
            } catch (IOException e) {
                result.copies.add(new Copy(i, null, "cannot be read: " + e.getMessage()));
            }
        }
        return result;
    }

    List<Copy> copies() {
        return copies;
    }

    /** The copy that a mount would use: valid, highest transaction, lowest number (format section 3); -1 for none. */
    int best() {
        Copy best = null;
        for (Copy copy : copies) {
            if (copy.defect == null
                    && (best == null || Long.compareUnsigned(copy.header.mirrorTid(), best.header.mirrorTid()) > 0)) {
                best = copy;
            }
        }
        return best == null ? -1 : best.index;
    }

    @Override
    public void close() {
        arena.close();
    }
}
