package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What is damaged is taken out, on volumes of the reference in which bits were flipped; and nothing else can be. */
class DestructionTest {
    private static final long ROOT = FileSystem.ROOT_INUM;

    @FunctionalInterface
    private interface Body {
        void run(FileSystem files) throws Exception;
    }

    /** A name and where it is. */
    private record Place(long parent, MemorySegment name, long inum) {}

    private static void mounted(BlockDevice device, Body body) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(2, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        List.of(new Borrowed(device)),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
            FileSystem files = volume.mount("DATA");
            lwkt.run(1, () -> {
                body.run(files);
                return null;
            });
        }
    }

    private static MemoryBlockDevice copyOf(String image) throws Exception {
        return MemoryBlockDevice.over(
                BlockDevices.open(InteropImages.get(image).volumes().getFirst(), OpenMode.INSPECT));
    }

    @Test
    void a_name_whose_inode_cannot_be_read_goes_and_then_the_inode() throws Exception {
        try (MemoryBlockDevice device = copyOf("x04-inode")) {
            long before = problems(device);
            assertTrue(before > 0);
            List<Place> damaged = new ArrayList<>();
            mounted(device, files -> {
                collectUnreadable(files, ROOT, damaged);
                assertEquals(2, damaged.size());
                for (Place place : damaged) {
                    refused(Errno.EIO, () -> files.unlink(place.parent, place.name));
                    files.destroyName(place.parent, place.name);
                    assertNull(files.lookup(place.parent, place.name));
                    refused(Errno.ENOENT, () -> files.destroyName(place.parent, place.name));
                }
                for (Place place : damaged) {
                    files.destroyInode(place.inum);
                }
                files.sync();
                for (Place place : damaged) {
                    refused(Errno.ENOENT, () -> files.destroyInode(place.inum));
                }
            });
            // What was below the directory has no names any more; what cannot be read is gone.
            List<Place> left = new ArrayList<>();
            mounted(device, files -> collectUnreadable(files, ROOT, left));
            assertEquals(List.of(), left);
            List<String> codes = codes(device);
            assertTrue(!codes.contains("inode-check") && !codes.contains("check"), codes.toString());
        }
    }

    @Test
    void a_directory_whose_entries_cannot_be_read_goes() throws Exception {
        try (MemoryBlockDevice device = copyOf("x06-indirect")) {
            mounted(device, files -> {
                long dirs = files.lookup(ROOT, name("dirs")).inum();
                long inum = files.lookup(dirs, name("n00300")).inum();
                refused(Errno.EIO, () -> files.rmdir(dirs, name("n00300")));
                files.destroyName(dirs, name("n00300"));
                assertNull(files.lookup(dirs, name("n00300")));
                files.sync();
                refused(Errno.ESTALE, () -> files.attributes(inum));
                files.rmdir(ROOT, name("dirs"));
                // A file of which a part cannot be read is removed as others are.
                long big = files.lookup(ROOT, name("big")).inum();
                refused(Errno.EEXIST, () -> files.destroyName(big, name("file")));
                files.unlink(big, name("file"));
            });
            mounted(device, files -> assertNull(files.lookup(ROOT, name("dirs"))));
        }
    }

    @Test
    void what_is_not_damaged_is_refused() throws Exception {
        try (MemoryBlockDevice device = copyOf("x04-inode")) {
            mounted(device, files -> {
                long links = files.lookup(ROOT, name("links")).inum();
                refused(Errno.EEXIST, () -> files.destroyName(ROOT, name("links")));
                refused(Errno.EEXIST, () -> files.destroyInode(links));
                refused(Errno.EINVAL, () -> files.destroyInode(ROOT));
                refused(Errno.EINVAL, () -> files.destroyInode(-1));
                refused(Errno.ENOENT, () -> files.destroyInode(1L << 40));
                refused(Errno.ENOENT, () -> files.destroyName(ROOT, name("no such name")));
                assertNotNull(files.lookup(ROOT, name("links")));
            });
        }
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    private static void refused(Errno errno, Executable operation) {
        assertEquals(errno, assertThrows(FsException.class, operation).errno());
    }

    /** Names of which lookup says EIO. */
    private static void collectUnreadable(FileSystem files, long directory, List<Place> damaged) {
        List<Place> entries = new ArrayList<>();
        files.readdir(directory, 0, (inum, type, name, next) -> {
            byte[] bytes = name.toArray(ValueLayout.JAVA_BYTE);
            boolean isDot = bytes[0] == '.' && (bytes.length == 1 || (bytes.length == 2 && bytes[1] == '.'));
            if (!isDot) {
                entries.add(new Place(directory, MemorySegment.ofArray(bytes), inum));
            }
            return true;
        });
        for (Place entry : entries) {
            try {
                boolean isDirectory = files.attributes(entry.inum).type() == io.hammer2.fs.media.FileType.DIRECTORY;
                if (isDirectory) {
                    collectUnreadable(files, entry.inum, damaged);
                }
            } catch (FsException e) {
                assertEquals(Errno.EIO, e.errno());
                damaged.add(entry);
            }
        }
    }

    private static long problems(BlockDevice device) {
        return codes(device).size();
    }

    private static List<String> codes(BlockDevice device) {
        List<String> codes = new ArrayList<>();
        Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                codes.add(finding.code().word());
            }
        });
        return codes;
    }
}
