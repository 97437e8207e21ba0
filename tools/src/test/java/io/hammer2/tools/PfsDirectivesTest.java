package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.bridge.FuseBridge;
import io.hammer2.fuse.kernel.KernelTransport;
import io.hammer2.lwkt.Lwkt;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The directives for PFSs as a user runs them: on images, and on a volume of which two PFSs are mounted. */
final class PfsDirectivesTest {
    private static final String NO_UUID = "00000000-0000-0000-0000-000000000000";

    @TempDir
    private Path work;

    private String image;
    private Lwkt lwkt;
    private Hammer2 volume;
    private final List<FuseMount> mounts = new ArrayList<>();
    private Path data;
    private Path home;

    @BeforeEach
    void format() throws Exception {
        image = newImage("volume.img");
    }

    private String newImage(String name) throws Exception {
        Path path = work.toRealPath().resolve(name);
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(128L << 20);
        }
        Run.newfs("--force", path.toString()).succeeded();
        return path.toString();
    }

    @AfterEach
    void unmount() throws Exception {
        if (lwkt != null) {
            mounts.forEach(FuseMount::close);
            volume.close();
            lwkt.close();
        }
        Run.fsck(image).succeeded();
    }

    /** DATA and HOME, each in a folder. */
    private void mount() throws Exception {
        Run.hammer2("-s", image, "pfs-create", "HOME").succeeded();
        lwkt = Lwkt.dedicated(1);
        volume = Hammer2.open(
                lwkt,
                BlockDevices.openAll(image, OpenMode.READ_WRITE),
                MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {}));
        data = mount("DATA");
        home = mount("HOME");
    }

    private Path mount(String label) throws Exception {
        Path node = Files.createDirectory(work.toRealPath().resolve("on" + label));
        mounts.add(new KernelTransport()
                .mount(
                        lwkt,
                        node,
                        FuseBridge.of(volume.mount(label), Daemon.uid(), false),
                        FuseMountOptions.builder(image + "@" + label)
                                .readOnly(false)
                                .log(line -> {})
                                .build()));
        return node;
    }

    private static String labels(String path) {
        return Run.hammer2("pfs-list", path)
                .succeeded()
                .out()
                .lines()
                .skip(1)
                .map(line -> line.replaceAll(" +[^ ]+ +", " "))
                .sorted()
                .collect(Collectors.joining(", "));
    }

    @Test
    void pfss_of_an_image_are_made_and_deleted() {
        assertEquals(
                "created HOME on " + image + "\n",
                Run.hammer2("-s", image, "pfs-create", "HOME").succeeded().out());
        Run.hammer2("-t", "soft_slave", "-s", image, "pfs-create", "S").succeeded();
        String clid = "12345678-1234-1234-1234-123456789abc";
        String made = Run.hammer2("-s", image, "--json", "pfs-create", "-u", clid, "U")
                .succeeded()
                .out();
        assertTrue(made.contains(clid) && made.contains("\"SLAVE\""), made);
        assertEquals("MASTER DATA, MASTER HOME, MASTER LOCAL, SLAVE U, SOFT_SLAVE S", labels(image));
        assertEquals(
                clid + "\n",
                Run.hammer2("-s", image, "pfs-clid", "U").succeeded().out());
        String fsid = Run.hammer2("-s", image, "pfs-fsid", "U").succeeded().out();
        assertFalse(fsid.contains(NO_UUID) || fsid.contains(clid), fsid);
        assertEquals(
                "deleted U of " + image + "\ndeleted S of " + image + "\n",
                Run.hammer2("-s", image, "pfs-delete", "U", "S", "U")
                        .succeeded()
                        .out());
        assertEquals("MASTER DATA, MASTER HOME, MASTER LOCAL", labels(image));
    }

    @Test
    void snapshots_of_an_image_are_made_listed_and_rolled_back() {
        Run.hammer2("snapshot", image + "@DATA", "first").succeeded();
        String stamped = Run.hammer2("snapshot", image + "@DATA").succeeded().out();
        assertTrue(stamped.matches("created DATA\\.\\d{8}\\.\\d{6}\n"), stamped);
        assertEquals(
                "MASTER DATA, MASTER LOCAL, SNAPSHOT " + stamped.strip().substring(8) + ", SNAPSHOT first",
                labels(image));
        assertEquals(
                "DATA is as first is\n",
                Run.hammer2("-s", image, "rollback", "--keep", "before", "DATA", "first")
                        .succeeded()
                        .out());
        assertTrue(labels(image).contains("SNAPSHOT before"));
        Run.hammer2("-q", "-s", image, "pfs-delete", "before", "first").succeeded();
    }

    @Test
    void what_cannot_be_done_to_an_image_is_said_in_a_line() throws Exception {
        Run.hammer2("-s", image, "pfs-create", "DATA").failed(1, "there is a PFS named DATA already");
        Run.hammer2("-s", image, "pfs-delete", "NOSUCH").failed(1, "no PFS named NOSUCH");
        Run.hammer2("-s", image, "pfs-clid", "NOSUCH").failed(1, "no PFS named NOSUCH");
        Run.hammer2("-s", image, "pfs-create", "x".repeat(256)).failed(1, "at most 255 bytes, not 256");
        Run.hammer2("-s", image, "pfs-create", "").failed(1, "empty label");
        Run.hammer2("-s", image, "pfs-create", "a/b").failed(1, "no '/'");
        Run.hammer2("-s", image, "-t", "BOSS", "pfs-create", "x").failed(1, "MASTER, SLAVE");
        Run.hammer2("-s", image, "-u", "no", "pfs-create", "x").failed(1, "no UUID");
        Run.hammer2("-s", image, "pfs-create").failed(2, "LABEL");
        Run.hammer2("-s", image, "pfs-delete").failed(2, "LABEL");
        Run.hammer2("snapshot").failed(2, "PATH");
        Run.hammer2("snapshot", image).failed(1, "which PFS? Name it as " + image + "@PFS");
        Run.hammer2("snapshot", image + "@NOSUCH").failed(1, "no PFS named NOSUCH");
        Run.hammer2("snapshot", image + "@DATA", "LOCAL").failed(1, "there is a PFS named LOCAL already");
        Run.hammer2("snapshot", "-a", image + "@DATA").failed(1, "is not mounted");
        Run.hammer2("snapshot", work + "/nothing@DATA").failed(1, "nothing");
        Run.hammer2("-s", image, "rollback", "DATA", "NOSUCH").failed(1, "no PFS named NOSUCH");
        Run.hammer2("-s", image, "rollback", "DATA").failed(2, "SNAPSHOT");
        Run.hammer2("-s", work.toString(), "pfs-create", "x").failed(1, "not on a mounted HAMMER2");
        try (var held = BlockDevices.openAll(image, OpenMode.READ_WRITE).getFirst()) {
            Run.hammer2("-s", image, "pfs-create", "x").failed(1, held.name());
        }
        assertEquals("MASTER DATA, MASTER LOCAL", labels(image));
    }

    @Test
    void names_that_are_not_printable_can_be_typed_as_they_are_shown() {
        Run.hammer2("-s", image, "pfs-create", "a\\x01\\xff b").succeeded();
        String listed = Run.hammer2("pfs-list", image).succeeded().out();
        assertTrue(listed.contains("a\\x01\\xff b"), listed);
        Run.hammer2("-s", image, "pfs-delete", "a\\x01\\xff b").succeeded();
    }

    @Test
    void snapshots_of_mounted_pfss_have_what_was_just_written_and_can_be_mounted() throws Exception {
        mount();
        Files.writeString(data.resolve("f"), "old");
        Files.writeString(home.resolve("h"), "home");
        String out = Run.hammer2("snapshot", "--timing", data.resolve("f").toString(), "one")
                .succeeded()
                .out();
        assertTrue(out.matches("created one\nin core [0-9.]+ us, durable after [0-9.]+ ms\n"), out);
        Files.writeString(data.resolve("f"), "new");
        Path one = mount("one");
        assertEquals("old", Files.readString(one.resolve("f")));
        assertEquals("new", Files.readString(data.resolve("f")));
        out = Run.hammer2("snapshot", data.toString(), home.toString(), "two")
                .succeeded()
                .out();
        assertEquals("created DATA.two\ncreated HOME.two\n", out);
        assertEquals("home", Files.readString(mount("HOME.two").resolve("h")));
        out = Run.hammer2("--json", "snapshot", "-a", data.toString(), "all")
                .succeeded()
                .out();
        for (String label : List.of("DATA.all", "HOME.all", "one.all", "HOME.two.all")) {
            assertTrue(out.contains('"' + label + '"'), out);
        }
        Run.hammer2("snapshot-debug", home.toString(), "last").succeeded();
        assertTrue(labels(data.toString()).contains("SNAPSHOT last"));
        // By the image's name the running mount is asked, too.
        Run.hammer2("-s", image, "pfs-delete", "last", "one.all").succeeded();
        Run.hammer2("-s", image, "pfs-delete", "one").failed(1, "the PFS one is mounted; unmount it first");
        Run.hammer2("-s", image, "pfs-delete", "DATA.all", "one").failed(1, "one of them is mounted");
        assertTrue(labels(data.toString()).contains("DATA.all"));
        Run.hammer2("-s", home.toString(), "rollback", "DATA.all", "DATA.two").succeeded();
        Run.hammer2("-s", home.toString(), "rollback", "DATA", "DATA.two").failed(1, "unmount it first");
        assertEquals("old", Files.readString(one.resolve("f")));
    }

    @Test
    void a_directory_becomes_a_pfs_of_its_own_with_what_the_kernel_still_caches() throws Exception {
        mount();
        Path top = Files.createDirectory(data.resolve("top"));
        Path sub = Files.createDirectory(top.resolve("sub"));
        Files.writeString(sub.resolve("f"), "content");
        Files.createLink(top.resolve("hard"), sub.resolve("f"));
        Files.createLink(data.resolve("outside"), sub.resolve("f"));
        for (int i = 0; i < 3000; i++) {
            Files.createFile(sub.resolve("e" + i));
        }
        try (FileChannel open =
                FileChannel.open(top.resolve("open"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            open.write(ByteBuffer.wrap("not closed".getBytes(StandardCharsets.US_ASCII)));
            String out = Run.hammer2("snapshot", "--subtree", "--timing", top.toString(), "made")
                    .succeeded()
                    .out();
            assertTrue(out.matches("created made\nin core [0-9.]+ us, durable after [0-9.]+ ms\n"), out);
            Run.hammer2("snapshot", data.toString(), "whole").succeeded();
        }
        Path made = mount("made");
        assertEquals("not closed", Files.readString(mount("whole").resolve("top/open")));
        assertEquals("not closed", Files.readString(made.resolve("open")));
        assertEquals("content", Files.readString(made.resolve("sub/f")));
        assertEquals(2, Files.getAttribute(made.resolve("hard"), "unix:nlink"));
        assertEquals(3, Files.getAttribute(data.resolve("outside"), "unix:nlink"));
        try (Stream<Path> list = Files.list(made.resolve("sub"))) {
            assertEquals(3001, list.count());
        }
        Files.writeString(made.resolve("sub/new"), "it can be written");
        String json = Run.hammer2("--json", "snapshot", "--subtree", sub.toString())
                .succeeded()
                .out();
        assertTrue(json.matches("(?s).*\"label\": ?\"DATA\\.sub\\.\\d{8}\\.\\d{6}\".*\"names\": ?3001.*"), json);
    }

    @Test
    void of_what_no_snapshot_of_a_directory_can_be_made_is_said_in_a_line() throws Exception {
        Run.hammer2("snapshot", "--subtree", image + "@DATA", "x").failed(1, "mount it first");
        mount();
        Path top = Files.createDirectory(data.resolve("top"));
        Files.writeString(data.resolve("f"), "x");
        Run.hammer2("snapshot", "--subtree", data.toString(), "x").failed(1, "a snapshot without --subtree has all");
        Run.hammer2("snapshot", "--subtree", data.resolve("f").toString(), "x").failed(1, "of a directory");
        Run.hammer2("snapshot", "--subtree", top + "/nothing", "x").failed(1, "nothing");
        Run.hammer2("snapshot", "--subtree", top.toString(), home.toString()).failed(1, "of one directory");
        Run.hammer2("snapshot", "--subtree", "-a", top.toString()).failed(1, "of one directory");
        Run.hammer2("snapshot", "--subtree", top.toString(), "HOME").failed(1, "there is a PFS named HOME already");
        Run.hammer2("snapshot", "--subtree", top.toString(), "x".repeat(256)).failed(1, "at most 255 bytes");
        Run.hammer2("snapshot-debug", "--subtree", top.toString()).failed(2, "--subtree");
        assertEquals("MASTER DATA, MASTER HOME, MASTER LOCAL", labels(data.toString()));
    }

    @Test
    void labels_are_looked_for_on_all_mounted_volumes_and_must_be_of_one() throws Exception {
        mount();
        Run.hammer2("snapshot", data.toString(), "only-here").succeeded();
        String clid = Run.hammer2("pfs-clid", "only-here").succeeded().out();
        assertEquals(37, clid.length(), clid);
        Run.hammer2("pfs-delete", "only-here").succeeded();
        Run.hammer2("pfs-delete", "only-here").failed(1, "no mounted volume has a PFS named only-here");
        Run.hammer2("snapshot", data.toString(), "DATA").failed(1, "there is a PFS named DATA already");
        Run.hammer2("-s", data.toString(), "pfs-create", "HOME").failed(1, "there is a PFS named HOME already");
        Run.hammer2("-s", data.toString(), "pfs-create", "MORE").succeeded();
        String firstImage = image;
        image = newImage("other.img");
        try (Lwkt lwkt2 = Lwkt.dedicated(1);
                Hammer2 other = Hammer2.open(
                        lwkt2,
                        BlockDevices.openAll(image, OpenMode.READ_ONLY),
                        MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
            Path node = Files.createDirectory(work.toRealPath().resolve("other"));
            FuseMount mount = new KernelTransport()
                    .mount(
                            lwkt2,
                            node,
                            FuseBridge.of(other.mount("DATA"), Daemon.uid(), false),
                            FuseMountOptions.builder(image + "@DATA")
                                    .readOnly(true)
                                    .log(line -> {})
                                    .build());
            try {
                Run.hammer2("pfs-clid", "DATA").failed(1, "DATA is ambiguous, it is on ");
                Run.hammer2("-s", node.toString(), "pfs-delete", "LOCAL").failed(1, "mounted read-only");
                Run.hammer2("snapshot", node.toString()).failed(1, "mounted read-only");
                Run.hammer2("snapshot", data.toString(), node.toString()).failed(1, "on different volumes");
            } finally {
                mount.close();
            }
        }
        image = firstImage;
    }
}
