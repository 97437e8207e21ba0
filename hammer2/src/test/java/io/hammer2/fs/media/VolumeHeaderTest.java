package io.hammer2.fs.media;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class VolumeHeaderTest {
    private static VolumeHeader real() throws IOException {
        InteropImages.Image image = InteropImages.all().stream()
                .filter(i -> i.expectation() == InteropImages.Expectation.MOUNT)
                .findFirst()
                .orElseThrow();
        byte[] bytes = new byte[Limits.VOLUME_HEADER_BYTES];
        try (FileChannel file = FileChannel.open(image.volumes().getFirst(), StandardOpenOption.READ)) {
            assertEquals(bytes.length, file.read(ByteBuffer.wrap(bytes), 0));
        }
        return new VolumeHeader(MemorySegment.ofArray(bytes));
    }

    @Test
    void any_flipped_bit_of_a_real_header_is_noticed() throws IOException {
        VolumeHeader header = real();
        assertNull(header.defect());
        Random random = new Random(11);
        for (int i = 0; i < 2000; i++) {
            int bit = i < 64 ? i : random.nextInt(Limits.VOLUME_HEADER_BYTES * 8);
            flip(header, bit);
            assertNotNull(header.defect(), "bit " + bit);
            flip(header, bit);
        }
    }

    @Test
    void recomputed_crcs_of_a_real_header_are_the_ones_it_has() throws IOException {
        VolumeHeader header = real();
        byte[] before = Fields.bytes(header.bytes(), 0, Limits.VOLUME_HEADER_BYTES);
        header.updateCrcs();
        assertEquals(-1, MemorySegment.ofArray(before).mismatch(header.bytes()));
    }

    @Test
    void what_is_no_header_is_told_apart() {
        VolumeHeader header = new VolumeHeader(MemorySegment.ofArray(new byte[Limits.VOLUME_HEADER_BYTES]));
        assertEquals(VolumeHeader.ALL_ZERO, header.defect());
        Fields.putLong(header.bytes(), 0, VolumeHeader.MAGIC_SWAPPED);
        assertTrue(header.defect().contains("byte order"));
        Fields.putLong(header.bytes(), 0, 12345);
        assertTrue(header.defect().contains("no HAMMER2 magic"));
    }

    @Test
    void uuids_keep_their_media_form() throws IOException {
        VolumeHeader header = real();
        assertEquals(MediaUuid.FSTYPE_HAMMER2, header.fstype());
        MemorySegment segment = MemorySegment.ofArray(new byte[MediaUuid.BYTES]);
        UUID uuid = UUID.fromString("00112233-4455-6677-8899-aabbccddeeff");
        MediaUuid.write(segment, 0, uuid);
        assertEquals(0x33, Fields.u8(segment, 0));
        assertEquals(uuid, MediaUuid.read(segment, 0));
    }

    @Test
    void unknown_codes_are_damage() {
        for (int code : new int[] {-1, 0, 3, 8, 11, 255}) {
            assertThrows(CorruptBlockException.class, () -> FileType.of(code), "object type " + code);
        }
        for (int code : new int[] {2, 7, 10, 15}) {
            assertThrows(CorruptBlockException.class, () -> PfsType.of(code), "pfs_type " + code);
        }
    }

    private static void flip(VolumeHeader header, int bit) {
        Fields.putByte(header.bytes(), bit / 8, Fields.u8(header.bytes(), bit / 8) ^ (1 << (bit % 8)));
    }
}
