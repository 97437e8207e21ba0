package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.lwkt.Lwkt;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SpaceReturnTest {
    private static final int FILE_BYTES = 1 << 20;
    private static final int FILES = 20;

    @TempDir
    Path work;

    /** A volume on which half of the files were deleted. */
    private Path volume() throws Exception {
        Path image = work.resolve("volume.img");
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(128L << 20);
        }
        Run.newfs("--force", image.toString()).succeeded();
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        BlockDevices.openAll(image.toString(), OpenMode.READ_WRITE),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
            FileSystem files = volume.mount("DATA");
            lwkt.run(0, () -> {
                byte[] content = new byte[FILE_BYTES];
                for (int i = 0; i < FILES; i++) {
                    new Random(i).nextBytes(content);
                    long inum = files.create(FileSystem.ROOT_INUM, name(i), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                            .inum();
                    files.write(inum, 0, MemorySegment.ofArray(content), 0);
                }
                files.sync();
                for (int i = 0; i < FILES; i += 2) {
                    files.unlink(FileSystem.ROOT_INUM, name(i));
                }
                return null;
            });
        }
        return image;
    }

    private static MemorySegment name(int number) {
        return MemorySegment.ofArray(new byte[] {'f', (byte) ('a' + number)});
    }

    @Test
    void bulkfree_of_an_image_says_what_it_freed_and_leaves_it_clean() throws Exception {
        String image = volume().toString();
        Run freed = Run.hammer2("--json", "bulkfree", image).succeeded();
        String digits = freed.out().replaceAll("(?s).*\"freedBytes\": (\\d+).*", "$1");
        assertTrue(Long.parseLong(digits) >= FILES / 2 * FILE_BYTES, freed.toString());
        Run.fsck(image).succeeded();
        String again = Run.hammer2("-m", "1m", "bulkfree", image).succeeded().out();
        assertTrue(again.endsWith(" freed\n"), again);
        assertEquals("", Run.hammer2("-q", "cleanup", image).succeeded().out());
        Run.fsck(image).succeeded();
    }

    @Test
    void damage_is_told_with_its_pfs_and_is_an_error() throws Exception {
        Path image = work.resolve("damaged.img");
        Files.copy(InteropImages.get("x06-indirect").volumes().getFirst(), image);
        Run run = Run.hammer2("bulkfree", image.toString()).failed(1, "nothing was freed");
        assertTrue(run.err().contains("PFS DATA, /") && run.err().contains(": check code"), run.err());
    }

    @Test
    void what_is_no_volume_or_in_use_is_refused_in_a_line() throws Exception {
        Path image = volume();
        Run.hammer2("bulkfree").failed(2, "PATH");
        Run.hammer2("bulkfree", work.toString()).failed(1, "not on a mounted HAMMER2");
        Run.hammer2("-m", "much", "bulkfree", image.toString()).failed(2, "no size");
        try (var held =
                BlockDevices.openAll(image.toString(), OpenMode.READ_WRITE).getFirst()) {
            Run.hammer2("bulkfree", image.toString()).failed(1, held.name());
        }
        Files.write(image, new byte[1 << 20]);
        Run.hammer2("bulkfree", image.toString()).failed(1, "not a HAMMER2 volume");
    }
}
