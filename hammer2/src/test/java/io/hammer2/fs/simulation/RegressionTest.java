package io.hammer2.fs.simulation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Fault;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.Errno;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What the simulation has found, in as few operations as it takes. */
final class RegressionTest {
    private static final long VOLUME_BYTES = 256L << 20;
    private static final int BLOCK_BYTES = Limits.BLOCK_BYTES_MAX;

    @Test
    void a_read_behind_what_was_written_of_a_block_gives_zeros() throws Exception {
        try (Mount mount = new Mount()) {
            long inum = mount.file(new byte[0]);
            mount.write(inum, 0, new byte[1000]);
            mount.write(inum, BLOCK_BYTES, new byte[1000]);
            assertArrayEquals(new byte[20_000], mount.read(inum, 40_000, 20_000));
        }
    }

    @Test
    void a_write_that_cannot_read_what_stays_of_its_last_block_changes_nothing() throws Exception {
        try (Mount mount = new Mount()) {
            byte[] old = filled(3 * BLOCK_BYTES, 1);
            long inum = mount.file(old);
            mount.remount();
            mount.device.faults(Faults.NONE.with(Fault.READ_ERROR, 1));
            FsException error =
                    assertThrows(FsException.class, () -> mount.write(inum, 0, filled(2 * BLOCK_BYTES + 10, 2)));
            assertEquals(Errno.EIO, error.errno());
            mount.device.faults(Faults.NONE);
            assertArrayEquals(old, mount.read(inum, 0, old.length));
        }
    }

    /** It was EIO, and a line in the log that spoke of damage. */
    @Test
    void a_removed_directory_that_is_open_loses_its_parent_when_that_is_removed_too() throws Exception {
        try (Mount mount = new Mount()) {
            long parent = mount.directory(FileSystem.ROOT_INUM, "parent");
            long child = mount.directory(parent, "child");
            assertEquals(parent, mount.lookup(child, ".."));
            mount.world.inside(() -> {
                mount.world.fs().open(child);
                mount.world.fs().rmdir(parent, "child");
                return null;
            });
            assertEquals(parent, mount.lookup(child, ".."));
            mount.world.inside(() -> {
                mount.world.fs().rmdir(FileSystem.ROOT_INUM, "parent");
                return null;
            });
            assertNull(mount.lookup(child, ".."));
        }
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    /** A volume that nobody else uses. */
    private static final class Mount implements AutoCloseable {
        private final MemoryBlockDevice disk = Volumes.formatted(VOLUME_BYTES, 1);
        private final FaultyBlockDevice device = new FaultyBlockDevice(disk, 1, Faults.NONE);
        private final World world = new World(1, 1);

        private Mount() throws Exception {
            mount();
        }

        private void mount() throws Exception {
            world.mountReordered(
                    device, UnaryOperator.identity(), MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {}));
        }

        private void remount() throws Exception {
            world.unmount();
            mount();
        }

        private long file(byte[] content) {
            long inum = world.inside(() -> world.fs()
                    .create(FileSystem.ROOT_INUM, "file", NewInode.of(FileType.REGULAR, 0644, 0, 0))
                    .inum());
            write(inum, 0, content);
            return inum;
        }

        private long directory(long parent, String name) {
            return world.inside(() -> world.fs()
                    .create(parent, name, NewInode.of(FileType.DIRECTORY, 0755, 0, 0))
                    .inum());
        }

        private Long lookup(long parent, String name) {
            return world.inside(() -> world.fs().lookup(parent, name));
        }

        private void write(long inum, long offset, byte[] bytes) {
            world.inside(() -> world.fs().write(inum, offset, bytes, 0));
        }

        private byte[] read(long inum, long offset, int length) {
            return world.inside(() -> world.fs().read(inum, offset, length));
        }

        @Override
        public void close() throws Hammer2Exception {
            world.close();
            disk.close();
        }
    }
}
