package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.media.FileType;
import io.hammer2.fs.testing.SteppedVolume;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Space that operations reserve and then do not need. */
final class ReservedSpaceTest {
    private static final long VOLUME_BYTES = 128L << 20;

    /** Far more than the volume has room for, if each kept what it reserves. */
    private static final int OPERATIONS = 10_000;

    @FunctionalInterface
    private interface Body {
        void run(FileSystem files, long inum) throws Exception;
    }

    private void mounted(Body body) throws Exception {
        try (SteppedVolume volume = new SteppedVolume(VOLUME_BYTES)) {
            volume.format();
            volume.mount();
            byte[] content = new byte[100_000];
            new Random(1).nextBytes(content);
            long inum = volume.create("file", content);
            volume.sync();
            volume.on(() -> {
                body.run(volume.files(), inum);
                return null;
            });
            assertEquals(List.of(), volume.log);
        }
    }

    private static long available(FileSystem files) {
        StatFs space = files.statfs();
        return space.blocksAvailable() * space.blockBytes();
    }

    private static void stillWritable(FileSystem files, long availableBefore) {
        files.create(FileSystem.ROOT_INUM, SteppedVolume.name("another"), NewInode.of(FileType.REGULAR, 0644, 0, 0));
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
                                FileSystem.ROOT_INUM,
                                SteppedVolume.name("file"),
                                NewInode.of(FileType.REGULAR, 0644, 0, 0)));
                assertEquals(Errno.EEXIST, refused.errno());
            }
            stillWritable(files, available);
        });
    }
}
