package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.LoopDevice;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Over real devices of the kernel: loop devices with sectors of both sizes. */
class RawBlockDeviceTest {
    private static final long SIZE = BlockDeviceContract.SIZE_MIN + 3 * 4096;

    abstract static class OverLoop extends OpenModeContract {
        private final int sectorBytes;

        @TempDir
        Path folder;

        private LoopDevice loop;

        OverLoop(int sectorBytes) {
            this.sectorBytes = sectorBytes;
        }

        @Override
        void prepare() throws Exception {
            FileBlockDeviceTest.sparse(backing(), SIZE);
            Command.assumeRoot();
            loop = LoopDevice.over(backing(), "--sector-size", Integer.toString(sectorBytes));
        }

        @Override
        Path path() {
            return loop.node();
        }

        Path backing() {
            return folder.resolve("backing");
        }

        @AfterEach
        void detach() throws IOException {
            if (loop != null) {
                loop.close();
            }
        }

        @Test
        void it_knows_its_geometry() {
            RawBlockDevice raw = assertInstanceOf(RawBlockDevice.class, device());
            assertEquals(SIZE, raw.sizeBytes());
            assertEquals(sectorBytes, raw.alignmentBytes());
            assertTrue(raw.physicalSectorBytes() >= sectorBytes);
        }
    }

    @Nested
    class WithSectorsOf512 extends OverLoop {
        WithSectorsOf512() {
            super(512);
        }

        @Test
        void a_mounted_device_is_not_opened_for_writing() throws Exception {
            device().close();
            Command.run("mkfs.ext4", "-q", path().toString());
            Path mount = Files.createDirectory(folder.resolve("mount"));
            Command.run("mount", path().toString(), mount.toString());
            try {
                DeviceBusyException busy =
                        assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), OpenMode.READ_WRITE));
                assertTrue(busy.holder().contains("mount on " + mount.toRealPath()), busy.getMessage());
                BlockDevices.open(path(), OpenMode.INSPECT).close();
            } finally {
                Command.run("umount", mount.toString());
            }
            BlockDevices.open(path(), OpenMode.READ_WRITE).close();
        }

        @Test
        void what_another_program_has_claimed_is_not_opened_for_writing() throws Exception {
            device().close();
            // A claim without any lock, as other programs make it.
            PosixFile claim = PosixFile.open(path(), Posix.O_RDWR | Posix.O_EXCL);
            try {
                DeviceBusyException busy =
                        assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), OpenMode.READ_WRITE));
                assertTrue(busy.holder().contains("this process"), busy.getMessage());
            } finally {
                claim.close();
            }
            BlockDevices.open(path(), OpenMode.READ_WRITE).close();
        }

        @Test
        void a_write_protected_device_is_opened_for_reading_only() throws Exception {
            Command.assumeRoot();
            try (LoopDevice locked = LoopDevice.over(backing(), "--read-only")) {
                IOException refusal =
                        assertThrows(IOException.class, () -> BlockDevices.open(locked.node(), OpenMode.READ_WRITE));
                assertTrue(refusal.getMessage().startsWith(locked.node() + ": "), refusal.getMessage());
                try (BlockDevice reader = BlockDevices.open(locked.node(), OpenMode.READ_ONLY)) {
                    assertEquals(SIZE, reader.sizeBytes());
                }
            }
        }

        @Test
        void an_error_of_the_medium_names_device_and_offset() throws Exception {
            // What the loop driver has lost under it, it answers as a bad disk does.
            try (RandomAccessFile file = new RandomAccessFile(backing().toFile(), "rw")) {
                file.setLength(1 << 20);
            }
            IOException error = outcome(done -> device().read(4 << 20, filled(4096, 0), done));
            assertTrue(
                    error.getMessage().contains(path() + ": read of 4096 bytes at offset " + (4 << 20)),
                    error.getMessage());
        }
    }

    @Nested
    class WithSectorsOf4096 extends OverLoop {
        WithSectorsOf4096() {
            super(4096);
        }
    }
}
