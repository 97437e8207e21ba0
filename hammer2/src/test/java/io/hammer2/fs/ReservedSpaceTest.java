package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Space that operations reserve and then do not need. */
final class ReservedSpaceTest {
    private static final long VOLUME_BYTES = 128L << 20;

    /** Far more than the volume has room for, if each kept what it reserves. */
    private static final int OPERATIONS = 10_000;

    private final List<String> log = new ArrayList<>();

    @FunctionalInterface
    private interface Body {
        void run(FileSystem files, long inum) throws Exception;
    }

    private void mounted(Body body) throws Exception {
        Random random = new Random(1);
        MemoryBlockDevice device = new MemoryBlockDevice(VOLUME_BYTES);
        Newfs.format(List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
        try (Lwkt lwkt = Lwkt.stepped(2, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt, List.of(device), MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
            FileSystem files = volume.mount(null);
            lwkt.run(1, () -> {
                long inum = files.create(FileSystem.ROOT_INUM, name("file"), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                        .inum();
                byte[] content = new byte[100_000];
                random.nextBytes(content);
                files.write(inum, 0, MemorySegment.ofArray(content), 0);
                files.sync();
                body.run(files, inum);
                return null;
            });
        }
        assertEquals(List.of(), log);
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static long available(FileSystem files) {
        StatFs space = files.statfs();
        return space.blocksAvailable() * space.blockBytes();
    }

    private static void stillWritable(FileSystem files, long availableBefore) {
        files.create(FileSystem.ROOT_INUM, name("another"), NewInode.of(FileType.REGULAR, 0644, 0, 0));
        files.sync();
        long after = available(files);
        assertTrue(after > availableBefore - (1 << 20), after + " of " + availableBefore);
    }

    @Test
    void what_finds_nothing_to_do_leaves_the_space_to_others() throws Exception {
        mounted((files, inum) -> {
            long available = available(files);
            for (int i = 0; i < OPERATIONS; i++) {
                assertEquals(0, files.recompress(inum, 0).rewritten().size());
            }
            stillWritable(files, available);
        });
    }

    @Test
    void what_is_refused_leaves_the_space_to_others() throws Exception {
        mounted((files, inum) -> {
            long available = available(files);
            for (int i = 0; i < OPERATIONS; i++) {
                FsException refused = assertThrows(
                        FsException.class,
                        () -> files.create(
                                FileSystem.ROOT_INUM, name("file"), NewInode.of(FileType.REGULAR, 0644, 0, 0)));
                assertEquals(Errno.EEXIST, refused.errno());
            }
            stillWritable(files, available);
        });
    }
}
