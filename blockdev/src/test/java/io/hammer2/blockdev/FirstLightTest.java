package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FirstLightTest {
    @TempDir
    Path folder;

    @Test
    void works() throws Exception {
        Path image = folder.resolve("image");
        try (RandomAccessFile f = new RandomAccessFile(image.toFile(), "rw")) {
            f.setLength(5L << 30);
        }
        try (BlockDevice device = BlockDevices.open(image, OpenMode.READ_WRITE)) {
            roundTrip(device, (5L << 30) - 7);
            System.out.println(
                    assertThrows(DeviceBusyException.class, () -> BlockDevices.open(image, OpenMode.READ_ONLY)));
        }
        try (BlockDevice device = new MemoryBlockDevice(1L << 40)) {
            roundTrip(device, (1L << 40) - 7);
            try (BlockDevice over = MemoryBlockDevice.over(device)) {
                roundTrip(over, (1L << 39) - 7);
            }
        }
        try (BlockDevice set = VolumeSet.of(List.of(
                new VolumeSet.Member(new MemoryBlockDevice(100), 0, 99),
                new VolumeSet.Member(new MemoryBlockDevice(100), 99, 100)))) {
            roundTrip(set, 97);
        }
    }

    private static void roundTrip(BlockDevice device, long offset) throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocateFrom("hammer");
            device.writeFully(offset, text);
            device.flushFully();
            MemorySegment back = arena.allocate(7);
            device.readFully(offset, back);
            assertEquals("hammer", back.getString(0));
            System.out.println(
                    assertThrows(java.io.IOException.class, () -> device.readFully(device.sizeBytes() - 1, back)));
        }
    }
}
