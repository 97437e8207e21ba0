package io.hammer2.fuse.bridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.Errno;
import io.hammer2.fs.FsException;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.fs.testing.InteropImages.Expectation;
import io.hammer2.fs.testing.InteropImages.Image;
import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseTransport;
import io.hammer2.fuse.Shell;
import io.hammer2.fuse.jnr.JnrTransport;
import io.hammer2.fuse.kernel.KernelTransport;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What other implementations wrote, seen through the kernel of this host. */
@Timeout(value = 300, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InteropMountTest {
    @TempDir
    static Path work;

    /** Two names beside each other that are not UTF-8 and differ in nothing else: the documented limit of jnr-fuse. */
    private static final String AMBIGUOUS_IN_JAVA = "\\S*/(%[89A-F][0-9A-F])+: .*No such file or directory";

    private interface Check {
        void of(Path root, String label) throws Exception;
    }

    static Stream<Image> mountable() {
        return InteropImages.all().stream().filter(image -> image.expectation() != Expectation.MOUNT_FAILS);
    }

    private static void mounted(Image image, Check check, FuseTransport... transports) throws Exception {
        List<BlockDevice> devices = BlockDevices.openAll(image.special(), OpenMode.READ_ONLY);
        List<String> log = Collections.synchronizedList(new ArrayList<>());
        try (Lwkt lwkt = Lwkt.dedicated(2);
                Hammer2 volume =
                        Hammer2.open(lwkt, devices, MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, log::add))) {
            for (String label : image.labels()) {
                FuseBridge bridge = FuseBridge.of(volume.mount(label), 0, true);
                FuseMountOptions options = FuseMountOptions.builder(image.name() + "@" + label)
                        .allowOther(true)
                        .defaultPermissions(true)
                        .log(log::add)
                        .build();
                List<CompletableFuture<Void>> checks = new ArrayList<>();
                for (FuseTransport transport : transports) {
                    checks.add(CompletableFuture.runAsync(() -> run(lwkt, transport, bridge, options, label, check)));
                }
                checks.forEach(CompletableFuture::join);
            }
        }
        assertTrue(log.stream().noneMatch(line -> line.contains("failed inside")), log.toString());
        assertEquals(
                image.expectation() == Expectation.MOUNT_ERRORS, log.stream().anyMatch(l -> l.contains("PFS")));
    }

    private static void run(
            Lwkt lwkt,
            FuseTransport transport,
            FuseBridge bridge,
            FuseMountOptions options,
            String label,
            Check check) {
        try {
            Path at = Files.createTempDirectory(work, transport.name());
            try (FuseMount mount = transport.mount(lwkt, at, bridge, options)) {
                check.of(mount.mountPoint(), label);
            } finally {
                Shell.unmountByForce(at);
            }
        } catch (Exception e) {
            throw new CompletionException(transport.name() + ": " + e.getMessage(), e);
        }
    }

    private static Path ownChecker() throws IOException {
        Path script = work.resolve("compare_manifest.py");
        if (!Files.exists(script)) {
            try (InputStream in = InteropMountTest.class.getResourceAsStream("/compare_manifest.py")) {
                Files.copy(in, script);
            }
        }
        return script;
    }

    private static void assertSame(Path checker, Path root, Image image, String label) {
        Shell.Result result = Shell.run(
                "python3", checker.toString(), root.toString(), image.manifest().toString(), label);
        if (result.status() != 0) {
            List<String> differences = result.output()
                    .lines()
                    .filter(line -> !line.matches("\\d+ objects, \\d+ differences"))
                    .filter(line -> !(root.toString().contains("jnr") && line.matches(AMBIGUOUS_IN_JAVA)))
                    .toList();
            assertEquals(List.of(), differences, () -> image + "@" + label);
        }
    }

    private static Path checker() throws IOException {
        Path beside =
                InteropImages.folder().resolve("../tools/verify_manifest.py").normalize();
        return Files.exists(beside) ? beside : ownChecker();
    }

    /** Both at once, as two mounts of one volume on the same cpus. */
    @ParameterizedTest
    @MethodSource("mountable")
    void every_image_shows_what_its_manifest_says_by_both_transports(Image image) throws Exception {
        Path checker = checker();
        mounted(
                image,
                (root, label) -> assertSame(checker, root, image, label),
                new KernelTransport(),
                new JnrTransport());
    }

    @Test
    void the_checker_of_a_lone_clone_finds_no_difference_and_sees_one() throws Exception {
        Image image = InteropImages.get("v16-metadata");
        mounted(
                image,
                (root, label) -> {
                    assertSame(ownChecker(), root, image, label);
                    Shell.Result elsewhere = Shell.run(
                            "python3",
                            ownChecker().toString(),
                            work.toString(),
                            image.manifest().toString(),
                            label);
                    assertEquals(1, elsewhere.status());
                },
                new KernelTransport());
    }

    @Test
    void foreign_tools_find_DragonFlys_ioctls() throws Exception {
        Image image = InteropImages.get("v10-labels");
        boolean[] first = {true};
        mounted(
                image,
                (root, label) -> {
                    if (!first[0]) {
                        return;
                    }
                    first[0] = false;
                    String[] words = Stream.concat(Stream.of(root.toString(), label), image.labels().stream())
                            .toArray(String[]::new);
                    assertEquals("good", Shell.python(IOCTLS, words).succeeded().trim());
                },
                new KernelTransport());
    }

    private static final String IOCTLS = """
            import errno, fcntl, os, struct, sys
            root, label, labels = sys.argv[1], sys.argv[2], set(sys.argv[3:])
            fd = os.open(root, os.O_RDONLY)
            def iowr(number, size):
                return 0xc0000000 | size << 16 | ord('h') << 8 | number
            def ask(number, data, error=0):
                try: fcntl.ioctl(fd, iowr(number, len(data)), data, True)
                except OSError as e: assert e.errno == error, (number, e)
                else: assert not error, number
                return data
            def name(pfs): return bytes(pfs[64:320]).split(b"\\0")[0].decode()
            version = struct.unpack_from("=i", ask(64, bytearray(256)))[0]
            assert version in (1, 2), version
            seen, key = set(), 0
            while key != 2 ** 64 - 1:
                pfs = bytearray(320)
                struct.pack_into("=Q", pfs, 0, key)
                ask(80, pfs)
                at, key = struct.unpack_from("=QQ", pfs)
                assert pfs[16] == 6 or name(pfs) != label, pfs[16]
                assert bytes(pfs[32:48]) != bytes(16) and name(pfs) not in seen
                seen.add(name(pfs))
                again = bytearray(320)
                again[64:64 + len(name(pfs))] = name(pfs).encode()
                ask(83, again)
                assert again[0:8] == pfs[0:8] and again[32:64] == pfs[32:64]
            assert labels <= seen, (labels, seen)
            mine = bytearray(320)
            mine[0:8] = b"\\xff" * 8
            assert name(ask(80, mine)) == label
            unknown = bytearray(320)
            unknown[64:68] = b"none"
            ask(83, unknown, errno.ENOENT)
            inode = ask(86, bytearray(1056))
            assert struct.unpack_from("=Q", inode, 32 + 0x58)[0] == 1, "inum of the root"
            for number, size in (81, 320), (82, 320), (84, 320), (87, 1056), (94, 272), (95, 4), (96, 72):
                ask(number, bytearray(size), errno.EROFS)
            ask(92, bytearray(64), errno.EROFS)
            ask(65, bytearray(256), errno.ENOTTY)
            ask(91, bytearray(4), errno.ENOTTY)
            flags = bytearray(8)
            fcntl.ioctl(fd, 0x80086601, flags, True)
            print("good")
            """;

    @Test
    void every_error_of_the_file_system_has_a_number() {
        for (Errno errno : Errno.values()) {
            assertEquals(
                    errno.name(),
                    FuseBridge.translate(new FsException(errno, "test")).errno().name());
        }
    }
}
