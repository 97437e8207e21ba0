package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Writes of which each is below another indirect block, on a volume that is nearly full. */
final class ScatteredWritesTest {
    private static final long VOLUME_BYTES = 96L << 20;
    private static final int BLOCKS = 128 * 300;

    private final List<String> log = new ArrayList<>();

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static long available(FileSystem files) {
        StatFs space = files.statfs();
        return space.blocksAvailable() * space.blockBytes();
    }

    private static long create(FileSystem files, String name) {
        return files.create(FileSystem.ROOT_INUM, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                .inum();
    }

    @Test
    void what_was_accepted_is_committed() throws Exception {
        Random random = new Random(1);
        MemoryBlockDevice device = new MemoryBlockDevice(VOLUME_BYTES);
        Newfs.format(List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
        try (Lwkt lwkt = Lwkt.stepped(2, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt, List.of(device), MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
            FileSystem files = volume.mount(null);
            lwkt.run(1, () -> {
                long sparse = create(files, "sparse");
                byte[] block = new byte[65536];
                for (int i = 0; i < BLOCKS; i++) {
                    // Small when compressed, so that there are many tables on a small volume.
                    ByteBuffer.wrap(block).putLong(0, random.nextLong());
                    files.write(sparse, (long) i * block.length, MemorySegment.ofArray(block), 0);
                    if (i % 4096 == 4095) {
                        files.sync();
                        files.bulkfree(64 << 20);
                    }
                }
                files.sync();
                files.bulkfree(64 << 20);
                files.bulkfree(64 << 20);
                long filler = create(files, "filler");
                long at = 0;
                while (available(files) > 21L << 20) {
                    random.nextBytes(block);
                    files.write(filler, at, MemorySegment.ofArray(block), 0);
                    at += block.length;
                }
                files.sync();
                files.bulkfree(64 << 20);
                files.bulkfree(64 << 20);
                int written = 0;
                try {
                    for (; written < 300; written++) {
                        random.nextBytes(block);
                        files.write(sparse, (long) written * 128 * block.length, MemorySegment.ofArray(block), 0);
                    }
                } catch (FsException e) {
                    assertEquals(Errno.ENOSPC, e.errno());
                }
                assertTrue(written > 100, written + "");
                files.sync();
                return null;
            });
        }
        assertEquals(List.of(), log);
    }
}
