package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.testing.SteppedVolume;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Writes of which each is below another indirect block, on a volume that is nearly full. */
final class ScatteredWritesTest {
    private static final long VOLUME_BYTES = 96L << 20;
    private static final int BLOCKS = 128 * 300;

    private static long available(FileSystem files) {
        StatFs space = files.statfs();
        return space.blocksAvailable() * space.blockBytes();
    }

    @Test
    void what_was_accepted_is_committed() throws Exception {
        Random random = new Random(1);
        try (SteppedVolume volume = new SteppedVolume(VOLUME_BYTES)) {
            volume.format();
            volume.mount();
            FileSystem files = volume.files();
            long sparse = volume.create("sparse");
            long filler = volume.create("filler");
            volume.on(() -> {
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
            assertEquals(List.of(), volume.log);
        }
    }
}
