package io.hammer2.blockdev;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What devices that have a path promise besides: who may open them together with whom. */
abstract class OpenModeContract extends BlockDeviceContract {
    /** Of the device that {@link #create} opens for writing. */
    abstract Path path();

    @Override
    final BlockDevice create() throws Exception {
        prepare();
        return BlockDevices.open(path(), OpenMode.READ_WRITE);
    }

    /** Makes what {@link #path} names. */
    abstract void prepare() throws Exception;

    @Test
    void read_only_refuses_changes_and_allows_the_rest() throws Exception {
        write(0, filled(4096, 3));
        device().close();
        try (Arena arena = Arena.ofShared();
                BlockDevice readOnly = BlockDevices.open(path(), OpenMode.READ_ONLY)) {
            assertTrue(readOnly.readOnly());
            MemorySegment segment = arena.allocate(4096, 4096);
            assertNull(outcome(done -> readOnly.read(0, segment, done)));
            assertArrayEquals(filled(4096, 3).toArray(ValueLayout.JAVA_BYTE), segment.toArray(ValueLayout.JAVA_BYTE));
            segment.fill((byte) 4);
            IOException refusal = outcome(done -> readOnly.write(0, segment, done));
            assertTrue(refusal.getMessage().contains("read-only"), refusal.getMessage());
            assertThrows(IOException.class, () -> readOnly.writeFully(0, segment));
            assertNotNull(outcome(done -> readOnly.discard(0, 4096, done)));
            assertNull(outcome(readOnly::flush));
            readOnly.readFully(0, segment);
            assertArrayEquals(filled(4096, 3).toArray(ValueLayout.JAVA_BYTE), segment.toArray(ValueLayout.JAVA_BYTE));
        }
    }

    @Test
    void a_writer_excludes_readers_and_writers_of_its_own_process() throws Exception {
        for (OpenMode mode : new OpenMode[] {OpenMode.READ_WRITE, OpenMode.READ_ONLY}) {
            DeviceBusyException busy = assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), mode));
            assertEquals(path().toString(), busy.device());
            assertTrue(busy.holder().contains("this process"), busy.getMessage());
        }
        device().close();
        BlockDevices.open(path(), OpenMode.READ_WRITE).close();
    }

    @Test
    void readers_share_and_exclude_writers() throws Exception {
        device().close();
        try (BlockDevice first = BlockDevices.open(path(), OpenMode.READ_ONLY);
                BlockDevice second = BlockDevices.open(path(), OpenMode.READ_ONLY)) {
            assertEquals(first.sizeBytes(), second.sizeBytes());
            assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), OpenMode.READ_WRITE));
        }
        BlockDevices.open(path(), OpenMode.READ_WRITE).close();
    }

    @Test
    void an_inspector_is_always_let_in_and_its_going_frees_nobodys_lock() throws Exception {
        BlockDevices.open(path(), OpenMode.INSPECT).close();
        assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), OpenMode.READ_WRITE));
        try (BlockDevice inspector = BlockDevices.open(path(), OpenMode.INSPECT)) {
            assertTrue(inspector.readOnly());
            device().close();
            BlockDevices.open(path(), OpenMode.READ_WRITE).close();
        }
    }

    @Test
    void a_writer_in_another_process_excludes_and_is_named() throws Exception {
        device().close();
        try (DeviceHolder other = DeviceHolder.start(path(), OpenMode.READ_WRITE)) {
            assertTrue(other.said().startsWith("open"), other.said());
            for (OpenMode mode : new OpenMode[] {OpenMode.READ_WRITE, OpenMode.READ_ONLY}) {
                DeviceBusyException busy =
                        assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), mode));
                assertTrue(busy.holder().contains("process " + other.pid()), busy.getMessage());
            }
            BlockDevices.open(path(), OpenMode.INSPECT).close();
            other.kill();
            // What the dead held is free.
            BlockDevices.open(path(), OpenMode.READ_WRITE).close();
        }
    }

    @Test
    void a_reader_in_another_process_excludes_only_writers() throws Exception {
        device().close();
        try (DeviceHolder other = DeviceHolder.start(path(), OpenMode.READ_ONLY)) {
            assertTrue(other.said().startsWith("open"), other.said());
            assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), OpenMode.READ_WRITE));
            BlockDevices.open(path(), OpenMode.READ_ONLY).close();
        }
        BlockDevices.open(path(), OpenMode.READ_WRITE).close();
    }

    @Test
    void this_writer_excludes_another_process() throws Exception {
        try (DeviceHolder other = DeviceHolder.start(path(), OpenMode.READ_WRITE)) {
            assertTrue(other.said().startsWith("busy"), other.said());
            assertTrue(
                    other.said().contains("process " + ProcessHandle.current().pid()), other.said());
        }
    }

    @Test
    void no_descriptor_is_left_open() throws Exception {
        long before = descriptors();
        assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), OpenMode.READ_WRITE));
        assertThrows(DeviceBusyException.class, () -> BlockDevices.open(path(), OpenMode.READ_ONLY));
        BlockDevices.open(path(), OpenMode.INSPECT).close();
        assertEquals(before, descriptors());
        device().close();
        assertFalse(descriptors() >= before);
    }

    /** Number of this process's descriptors of the device. */
    private long descriptors() throws IOException {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            Path real = path().toRealPath();
            return all.filter(fd -> {
                        try {
                            return Files.readSymbolicLink(fd).equals(real);
                        } catch (IOException e) {
                            return false;
                        }
                    })
                    .count();
        }
    }
}
