package io.hammer2.fs.volume;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * The second copy of the header of a volume that has room for one only (format section 13.3): the first 64 KiB of the aux area,
 * which the reference reserves and never looks at. What lies there counts only while the copy in place is damaged.
 */
final class SpareCopy {
    /** Places where an aux area can begin: boot areas are multiples of 8 MiB, up to 256 MiB (section 2.1). */
    private static final long FIRST_PLACE = Limits.RESERVED_SEGMENT_BYTES + Limits.VOLUME_ALIGNMENT_BYTES;

    private static final int PLACE_COUNT = 32;
    private static final int DIRECT_IO_ALIGNMENT = 4096;

    private SpareCopy() {}

    /** Whether the volume of {@code header} has one: its header has a single place, and the aux area is large enough. */
    static boolean isFor(VolumeHeader header) {
        long end = header.auxBeg() + Limits.VOLUME_HEADER_BYTES;
        return header.copyCount() == 1
                && header.voluId() == 0
                && isPlace(header.auxBeg())
                && end <= header.auxEnd()
                && end <= header.voluSize();
    }

    /**
     * The spare copy on a device whose copy in place is not valid, or null.
     *
     * <p>While the beginning of the copy in place can be recognised, it says where to look, and of which file system: what
     * moves at a commit is not there. One that is readable and no header at all was overwritten by something else, and what was
     * there before is not brought back. Only when it cannot be read all places are tried.
     *
     * @param inPlace as far as it could be read; null when the device does not give it
     */
    static VolumeHeader find(BlockDevice device, VolumeHeader inPlace) {
        if (inPlace != null) {
            VolumeHeader found = inPlace.magic() == VolumeHeader.MAGIC ? read(device, inPlace.auxBeg()) : null;
            return found != null && found.fsid().equals(inPlace.fsid()) ? found : null;
        }
        List<VolumeHeader> found = new ArrayList<>();
        for (int place = 0; place < PLACE_COUNT; place++) {
            VolumeHeader header = read(device, FIRST_PLACE + place * Limits.VOLUME_ALIGNMENT_BYTES);
            if (header != null) {
                found.add(header);
            }
        }
        // Two: one of them is left over from another file system, and nothing tells which.
        return found.size() == 1 ? found.getFirst() : null;
    }

    private static boolean isPlace(long offset) {
        long fromFirst = offset - FIRST_PLACE;
        return fromFirst >= 0
                && fromFirst < PLACE_COUNT * Limits.VOLUME_ALIGNMENT_BYTES
                && fromFirst % Limits.VOLUME_ALIGNMENT_BYTES == 0;
    }

    /** @return null when it cannot be used */
    private static VolumeHeader read(BlockDevice device, long offset) {
        if (!isPlace(offset) || offset + Limits.VOLUME_HEADER_BYTES > device.sizeBytes()) {
            return null;
        }
        VolumeHeader header =
                new VolumeHeader(Arena.ofAuto().allocate(Limits.VOLUME_HEADER_BYTES, DIRECT_IO_ALIGNMENT));
        try {
            device.readFully(offset, header.bytes());
        } catch (IOException e) {
            return null;
        }
        boolean usable = header.defect() == null
                && header.auxBeg() == offset
                && isFor(header)
                && header.voluSize() <= device.sizeBytes();
        return usable ? header : null;
    }
}
