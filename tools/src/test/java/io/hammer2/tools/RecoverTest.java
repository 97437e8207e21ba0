package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.media.BlockType;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.VolumeHeader;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RecoverTest {
    private static final int VOLUME_BYTES = 128 << 20;

    @TempDir
    private Path work;

    private Path destination() {
        return work.resolve("recovered");
    }

    private Run recover(Path image, String path) {
        return Run.hammer2("recover", image.toString(), path, destination().toString());
    }

    private static byte[] content(long seed, int bytes) {
        byte[] content = new byte[bytes];
        new Random(seed).nextBytes(content);
        return content;
    }

    private static MemorySegment name(String name) {
        return MemorySegment.ofArray(name.getBytes(StandardCharsets.UTF_8));
    }

    /** What is done to a volume. */
    @FunctionalInterface
    private interface Work {
        void on(FileSystem files) throws Exception;
    }

    private Path volume() {
        Path image = work.resolve("volume.img");
        Run.newfs("-s", Integer.toString(VOLUME_BYTES), "-L", "DATA", "-L", "OLD", image.toString())
                .succeeded();
        return image;
    }

    private static void on(Path image, String label, Work body) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        BlockDevices.openAll(image.toString(), OpenMode.READ_WRITE),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
            FileSystem files = volume.mount(label);
            lwkt.run(0, () -> {
                body.on(files);
                return null;
            });
        }
    }

    private static long put(FileSystem files, long parent, String name, byte[] content) {
        long inum = files.create(parent, name(name), NewInode.of(FileType.REGULAR, 0640, 0, 0))
                .inum();
        files.write(inum, 0, MemorySegment.ofArray(content), 0);
        return inum;
    }

    @Test
    void deleted_files_and_their_older_versions_come_back_with_the_newest_first() throws Exception {
        Path image = volume();
        byte[] first = content(1, 200_000);
        byte[] second = content(2, 70_000);
        on(image, "DATA", files -> {
            long dir = files.create(FileSystem.ROOT_INUM, name("dir"), NewInode.of(FileType.DIRECTORY, 0755, 0, 0))
                    .inum();
            long inum = put(files, dir, "file", first);
            put(files, dir, "small", content(3, 100));
            files.sync();
            files.write(inum, 0, MemorySegment.ofArray(second), 0);
            files.setAttributes(inum, new io.hammer2.fs.AttributeChange().size(second.length));
            files.sync();
            files.unlink(dir, name("file"));
            files.unlink(dir, name("small"));
            files.sync();
            files.rmdir(FileSystem.ROOT_INUM, name("dir"));
            files.sync();
        });
        byte[] before = Files.readAllBytes(image);
        Run run = recover(image, "/dir").succeeded();
        Path dir = destination().resolve("DATA/dir");
        assertArrayEquals(second, Files.readAllBytes(dir.resolve("file")));
        assertArrayEquals(first, Files.readAllBytes(dir.resolve("file.00001")));
        assertArrayEquals(content(3, 100), Files.readAllBytes(dir.resolve("small")));
        assertEquals(3, list(dir).size(), run.out());
        assertEquals(
                "rw-r-----",
                java.nio.file.attribute.PosixFilePermissions.toString(
                        Files.getPosixFilePermissions(dir.resolve("file"))));
        assertArrayEquals(before, Files.readAllBytes(image), "nothing is written to it");
    }

    @Test
    void a_deleted_pfs_is_found_and_a_path_without_a_slash_is_found_anywhere() throws Exception {
        Path image = volume();
        on(image, "OLD", files -> put(files, FileSystem.ROOT_INUM, "kept", content(4, 30_000)));
        on(image, "DATA", files -> put(files, FileSystem.ROOT_INUM, "other", content(5, 100)));
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        BlockDevices.openAll(image.toString(), OpenMode.READ_WRITE),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
            lwkt.run(0, () -> volume.pfss().change(List.of(new PfsChange.Delete(Label.of("OLD")))));
        }
        assertFalse(Run.hammer2("pfs-list", image.toString()).succeeded().out().contains("OLD"));
        Run.hammer2("recover-file", image.toString(), "kept", destination().toString())
                .succeeded();
        assertArrayEquals(content(4, 30_000), Files.readAllBytes(destination().resolve("OLD/kept")));
        assertFalse(Files.exists(destination().resolve("DATA")));
    }

    /** The interoperability image whose manifest knows each of its snapshots; and the same without any valid header. */
    @Test
    void everything_of_a_real_volume_is_recovered_also_without_a_header() throws Exception {
        InteropImages.Image image = InteropImages.get("v11-snapshots");
        Path copy = work.resolve("copy.img");
        copySparse(image.volumes().getFirst(), copy);
        try (RandomAccessFile file = new RandomAccessFile(copy.toFile(), "rw")) {
            for (int header = 0; VolumeHeader.copyOffset(header) < file.length(); header++) {
                file.seek(VolumeHeader.copyOffset(header));
                file.write(new byte[4096]);
            }
        }
        Run.hammer2("info", copy.toString()).failed(1, "not a HAMMER2 volume");
        assertEquals(0, recover(copy, "/").status());
        for (String label : image.labels()) {
            assertEquals(List.of(), Manifest.compareContent(destination().resolve(label), image.manifest(), label));
        }
    }

    @Test
    void damaged_data_is_marked_and_the_rest_is_whole() throws Exception {
        InteropImages.Image image = InteropImages.get("x05-data");
        recover(image.volumes().getFirst(), "/").failed(1, "2 of the files are damaged");
        assertTrue(Files.exists(destination().resolve("DATA/big/file.corrupted")));
        assertFalse(Files.exists(destination().resolve("DATA/big/file")));
        List<String> differing =
                Manifest.compareContent(destination().resolve("DATA"), image.manifest(), "DATA").stream()
                        .map(line -> line.substring(0, line.indexOf(": ")))
                        .distinct()
                        .toList();
        assertEquals(List.of("/big/file", "/src/d11/d40/f44.h"), differing);
    }

    @Test
    void of_a_volume_cut_short_comes_what_is_there() throws Exception {
        Run run = recover(InteropImages.get("x07-truncated").volumes().getFirst(), "/");
        assertTrue(run.out().matches("(?s)[1-9]\\d* files.*"), run.toString());
    }

    @Test
    void an_inode_with_a_wrong_check_code_is_taken_by_the_relaxed_form_only() throws Exception {
        Path image = volume();
        on(image, "DATA", files -> put(files, FileSystem.ROOT_INUM, "file", content(6, 300)));
        // One bit of its mode, in every copy.
        long mode = 0x54;
        try (InspectedVolume volume = InspectedVolume.open(image.toString());
                RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            for (InspectedVolume.PfsRoot root : volume.pfsRoots(line -> {})) {
                var table = root.inode().blockSet();
                for (int slot = 0; slot < table.slotCount(); slot++) {
                    if (!table.isEmpty(slot) && table.type(slot) == BlockType.INODE) {
                        file.seek(table.offsetBytes(slot) + mode);
                        int old = file.read();
                        file.seek(table.offsetBytes(slot) + mode);
                        file.write(old ^ 1);
                    }
                }
            }
        }
        recover(image, "/file").failed(1, "nothing of /file was found");
        Path relaxed = work.resolve("relaxed");
        Run.hammer2("recover-relaxed", image.toString(), "/file", relaxed.toString())
                .succeeded();
        assertArrayEquals(content(6, 300), Files.readAllBytes(relaxed.resolve("DATA/file")));
    }

    private RecoveryFolder folder() throws IOException {
        Files.createDirectories(destination());
        Console console = Console.to(new java.io.ByteArrayOutputStream(), new java.io.ByteArrayOutputStream());
        return new RecoveryFolder(destination(), file -> {}, line -> {}, Progress.of(console, true));
    }

    private static InodeBlock inode(FileType type, String content) {
        InodeBlock inode = new InodeBlock(MemorySegment.ofArray(new byte[1024]));
        inode.setVersion(InodeBlock.VERSION);
        inode.setType(type);
        inode.setMode(0777);
        if (type != FileType.DIRECTORY) {
            inode.setOpFlags(InodeBlock.OP_DIRECTDATA);
            inode.setSizeBytes(content.length());
            MemorySegment.copy(name(content), 0, inode.bytes(), 512, content.length());
        }
        return inode;
    }

    private static void file(RecoveryFolder folder, FileType type, String content, String... path) throws IOException {
        List<byte[]> names = new ArrayList<>();
        for (String name : path) {
            names.add(name.getBytes(StandardCharsets.ISO_8859_1));
        }
        InodeBlock inode = inode(type, content);
        folder.file(names, inode, into -> {
            into.bytes(0, inode.directData().asSlice(0, inode.sizeBytes()));
            return 0;
        });
    }

    @Test
    void no_name_and_no_link_of_a_hostile_volume_leads_out_of_the_folder() throws Exception {
        Path outside = Files.createDirectory(work.resolve("outside"));
        RecoveryFolder folder = folder();
        // A directory in one version, a link to anywhere in another.
        file(folder, FileType.SYMLINK, outside.toString(), "DATA", "d");
        file(folder, FileType.REGULAR, "hostile", "DATA", "d", "passwd");
        file(folder, FileType.SYMLINK, outside.toString() + "/made", "DATA", "f");
        file(folder, FileType.REGULAR, "hostile", "DATA", "f");
        file(folder, FileType.REGULAR, "hostile", "..", "..", "outside", "x");
        file(folder, FileType.REGULAR, "hostile", "DATA", "../../outside/x");
        file(folder, FileType.REGULAR, "hostile", "DATA", "..");
        file(folder, FileType.REGULAR, "hostile", "DATA", ".");
        file(folder, FileType.REGULAR, "hostile", "DATA", "a\0b\33[2J\377");
        file(folder, FileType.REGULAR, "hostile", "DATA", "\1".repeat(255));
        assertEquals(List.of(), list(outside));
        assertEquals(List.of("outside", "recovered"), list(work));
        assertTrue(Files.isRegularFile(destination().resolve("DATA/d.00001/passwd"), LinkOption.NOFOLLOW_LINKS));
        assertTrue(Files.isRegularFile(destination().resolve("DATA/f.00001"), LinkOption.NOFOLLOW_LINKS));
        assertTrue(Files.isRegularFile(destination().resolve("DATA/\\x2e\\x2e"), LinkOption.NOFOLLOW_LINKS));
        assertTrue(Files.exists(destination().resolve("DATA/a\\x00b\\x1b[2J\\xff")));
        assertEquals(10, folder.files());
    }

    @Test
    void the_same_version_is_written_once_and_each_other_gets_the_next_number() throws Exception {
        RecoveryFolder folder = folder();
        for (int round = 0; round < 2; round++) {
            for (int version = 0; version < 20; version++) {
                file(folder, FileType.REGULAR, "version " + version, "DATA", "f");
            }
        }
        assertEquals(20, folder.files());
        assertEquals(19, folder.versions());
        assertEquals("version 0", Files.readString(destination().resolve("DATA/f")));
        for (int version = 1; version < 20; version++) {
            assertEquals(
                    "version " + version,
                    Files.readString(destination().resolve(String.format("DATA/f.%05d", version))));
        }
    }

    @Test
    void what_cannot_be_done_is_said_in_a_line() throws Exception {
        Path image = volume();
        Path full = Files.createDirectory(work.resolve("full"));
        Files.createFile(full.resolve("file"));
        Run.hammer2("recover", image.toString(), "/", full.toString()).failed(1, "not empty");
        Run.hammer2("recover", image.toString(), "/", image.toString()).failed(1, "not a directory");
        Run.hammer2("recover", image.toString(), "../x", destination().toString())
                .failed(1, "without . and ..");
        Run.hammer2("recover", image.toString(), "", destination().toString()).failed(1, "a path is wanted");
        Run.hammer2(
                        "recover",
                        work.resolve("none").toString(),
                        "/",
                        destination().toString())
                .failed(1, "no such file");
        Run.hammer2("recover", image.toString(), "/").failed(2, "DESTDIR");
        Path noise = Files.write(work.resolve("noise"), content(9, 9 << 20));
        recover(noise, "/").failed(1, "is it a HAMMER2 volume?");
        Path tiny = Files.write(work.resolve("tiny"), new byte[100]);
        recover(tiny, "/").failed(1, "too small to be a volume");
    }

    private static List<String> list(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private static void copySparse(Path from, Path to) throws Exception {
        assertEquals(
                0,
                new ProcessBuilder("cp", "--sparse=always", from.toString(), to.toString())
                        .inheritIO()
                        .start()
                        .waitFor());
    }
}
