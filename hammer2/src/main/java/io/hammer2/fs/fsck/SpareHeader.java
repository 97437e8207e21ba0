package io.hammer2.fs.fsck;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.TreeSet;

/**
 * The copy of the header that this project keeps at the beginning of the aux area of a volume with a single copy, and by which it
 * mounts while that one is torn (format section 13.3).
 */
final class SpareHeader {
    private static final long STEP = 8L * Limits.MIB;
    private static final long FIRST = 12L * Limits.MIB;
    private static final long LAST = FIRST + 31 * STEP;

    private SpareHeader() {}

    /**
     * @param inPlace the damaged copy, or null when the device does not give it
     * @return null when there is none that a mount would use
     */
    static VolumeHeader find(BlockDevice device, VolumeHeader inPlace) {
        TreeSet<Long> places = new TreeSet<>();
        if (inPlace == null) {
            for (long place = FIRST; place <= LAST; place += STEP) {
                places.add(place);
            }
        } else if (inPlace.magic() == VolumeHeader.MAGIC) {
            places.add(inPlace.auxBeg());
        }
        places.removeIf(place -> place < FIRST
                || place > LAST
                || place % STEP != FIRST % STEP
                || place + Limits.VOLUME_HEADER_BYTES > device.sizeBytes());
        VolumeHeader found = null;
        for (long place : places) {
            VolumeHeader header = new VolumeHeader(MemorySegment.ofArray(new byte[Limits.VOLUME_HEADER_BYTES]));
            try {
                device.readFully(place, header.bytes());
            } catch (IOException e) {
                continue;
            }
            boolean usable = header.defect() == null
                    && header.auxBeg() == place
                    && header.auxEnd() >= place + Limits.VOLUME_HEADER_BYTES
                    && header.voluId() == 0
                    && header.voluSize() > place
                    && header.voluSize() <= device.sizeBytes()
                    && header.voluSize() < Limits.ZONE_BYTES + Limits.RESERVED_SEGMENT_BYTES
                    && (inPlace == null || header.fsid().equals(inPlace.fsid()));
            if (usable && found != null) {
                return null;
            }
            found = usable ? header : found;
        }
        return found;
    }
}
