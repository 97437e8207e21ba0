package io.hammer2.fs.volume;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * The newest valid of a device's header copies (format section 3: highest mirror_tid, the lowest copy on a tie). Where there
 * is room for one only, and it is damaged, the spare copy in the aux area.
 *
 * @param header a copy of its bytes
 * @param copy which one it is, 0..3: the next commit goes to the one that follows; 0 of the spare copy
 * @param isSpare whether it is the spare copy, which is then the only one
 * @param warnings about copies that should be valid and are not, one line each
 */
public record HeaderChoice(VolumeHeader header, int copy, boolean isSpare, List<String> warnings) {
    /**
     * Reads all copies of {@code device}.
     *
     * @throws VolumeException when none is valid, with the reason for each
     */
    public static HeaderChoice of(BlockDevice device) throws VolumeException {
        VolumeHeader[] headers = new VolumeHeader[Limits.VOLUME_HEADER_COPIES];
        String[] defects = new String[Limits.VOLUME_HEADER_COPIES];
        int best = -1;
        for (int copy = 0; copy < headers.length; copy++) {
            defects[copy] = read(device, copy, headers);
            if (defects[copy] == null && best >= 0 && !headers[copy].fsid().equals(headers[best].fsid())) {
                // Left over from an older, larger file system of the same device: its number says nothing about this
                // one.
                defects[copy] = "belongs to another file system, " + headers[copy].fsid();
            }
            if (defects[copy] == null
                    && (best < 0 || Long.compareUnsigned(headers[copy].mirrorTid(), headers[best].mirrorTid()) > 0)) {
                best = copy;
            }
        }
        VolumeHeader spare = best < 0 ? SpareCopy.find(device, headers[0]) : null;
        if (spare != null) {
            String warning = device.name() + ": volume header copy 0 is not usable (" + defects[0]
                    + "); using the spare copy in the aux area, of transaction "
                    + Long.toUnsignedString(spare.mirrorTid());
            return new HeaderChoice(spare, 0, true, List.of(warning));
        }
        if (best < 0) {
            throw new VolumeException(noneValid(device, headers, defects));
        }
        return new HeaderChoice(headers[best], best, false, warnings(device, headers[best], best, defects));
    }

    /** @return why the copy cannot be used, or null */
    private static String read(BlockDevice device, int copy, VolumeHeader[] headers) {
        long offset = VolumeHeader.copyOffset(copy);
        if (offset + Limits.VOLUME_HEADER_BYTES > device.sizeBytes()) {
            return "beyond the end of the device";
        }
        MemorySegment bytes = Arena.ofAuto().allocate(Limits.VOLUME_HEADER_BYTES, 4096);
        try {
            device.readFully(offset, bytes);
        } catch (IOException e) {
            return "cannot be read: " + e.getMessage();
        }
        headers[copy] = new VolumeHeader(bytes);
        return headers[copy].defect();
    }

    private static String noneValid(BlockDevice device, VolumeHeader[] headers, String[] defects) {
        boolean anyMagic = false;
        for (VolumeHeader header : headers) {
            anyMagic |= header != null
                    && (header.magic() == VolumeHeader.MAGIC || header.magic() == VolumeHeader.MAGIC_SWAPPED);
        }
        StringBuilder message = new StringBuilder(device.name())
                .append(anyMagic ? ": no valid HAMMER2 volume header" : ": not a HAMMER2 volume");
        for (int copy = 0; copy < defects.length; copy++) {
            message.append(
                    String.format("%n  copy %d at offset %#x: %s", copy, VolumeHeader.copyOffset(copy), defects[copy]));
        }
        return message.toString();
    }

    private static List<String> warnings(BlockDevice device, VolumeHeader best, int chosen, String[] defects) {
        List<String> warnings = new ArrayList<>();
        for (int copy = 0; copy < defects.length; copy++) {
            if (defects[copy] != null && VolumeHeader.copyOffset(copy) < best.voluSize() && !grown(defects[copy])) {
                warnings.add(device.name() + ": volume header copy " + copy + " is not usable (" + defects[copy]
                        + "); using copy " + chosen + " of transaction " + Long.toUnsignedString(best.mirrorTid()));
            }
        }
        return warnings;
    }

    /** A copy that is all zero is what growing a volume leaves until the rotation reaches it (section 3). */
    private static boolean grown(String defect) {
        return defect.equals(VolumeHeader.ALL_ZERO);
    }

    UUID fsid() {
        return header.fsid();
    }
}
