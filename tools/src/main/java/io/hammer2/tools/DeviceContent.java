package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.VolumeHeader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/** What a device seems to hold, so that nobody overwrites by mistake. */
final class DeviceContent {
    private static final int HEAD_BYTES = 1 << 20;

    /** A sign of something known. */
    private record Magic(int offset, String bytes, String what) {}

    private static final Magic[] MAGICS = {
        new Magic(0x438, "S\u00ef", "an ext2, ext3 or ext4 file system"),
        new Magic(0x10040, "_BHRfS_M", "a btrfs file system"),
        new Magic(0, "XFSB", "an XFS file system"),
        new Magic(3, "NTFS    ", "an NTFS file system"),
        new Magic(0x52, "FAT32", "a FAT file system"),
        new Magic(0x36, "FAT1", "a FAT file system"),
        new Magic(3, "EXFAT", "an exFAT file system"),
        new Magic(0x8001, "CD001", "an ISO 9660 file system"),
        new Magic(0, "LUKS\u00ba\u00be", "an encrypted volume (LUKS)"),
        new Magic(0x218, "LVM2 001", "an LVM volume"),
        new Magic(4086, "SWAPSPACE2", "swap space"),
        new Magic(0x200, "EFI PART", "a partition table (GPT)"),
        new Magic(0x1fe, "U\u00aa", "a partition table or boot sector"),
    };

    /** @return what it is, as the object of a sentence; null when it looks empty */
    static String of(BlockDevice device) throws IOException {
        try (Arena arena = Arena.ofShared()) {
            for (int copy = 0; copy < Limits.VOLUME_HEADER_COPIES; copy++) {
                long offset = VolumeHeader.copyOffset(copy);
                if (offset + Limits.VOLUME_HEADER_BYTES <= device.sizeBytes()) {
                    VolumeHeader header = new VolumeHeader(read(device, offset, Limits.VOLUME_HEADER_BYTES, arena));
                    if (header.defect() == null) {
                        return "a HAMMER2 file system (fsid " + header.fsid() + ")";
                    }
                }
            }
            MemorySegment head = read(device, 0, Math.min(HEAD_BYTES, device.sizeBytes()), arena);
            for (Magic magic : MAGICS) {
                if (has(head, magic)) {
                    return magic.what;
                }
            }
            boolean empty = head.mismatch(arena.allocate(head.byteSize())) < 0;
            return empty ? null : "data that is not known";
        }
    }

    private static MemorySegment read(BlockDevice device, long offset, long byteCount, Arena arena) throws IOException {
        MemorySegment bytes = arena.allocate(byteCount, 4096);
        device.readFully(offset, bytes);
        return bytes;
    }

    private static boolean has(MemorySegment head, Magic magic) {
        byte[] wanted = magic.bytes.getBytes(StandardCharsets.ISO_8859_1);
        for (int i = 0; i < wanted.length; i++) {
            long at = (long) magic.offset + i;
            if (at >= head.byteSize() || head.get(ValueLayout.JAVA_BYTE, at) != wanted[i]) {
                return false;
            }
        }
        return true;
    }

    private DeviceContent() {}
}
