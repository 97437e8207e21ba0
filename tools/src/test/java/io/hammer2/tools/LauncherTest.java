package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.testing.InteropImages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launchers as a user runs them, in a copy of the project that was never built. */
final class LauncherTest {
    private static final String BUILDING = "Building the tools";

    /** That no other volume has which may be mounted here. */
    private static final String LABEL = "OF-LAUNCHER-TEST";

    @TempDir
    private static Path clone;

    private static String image;

    @TempDir
    private Path folder;

    private final List<Path> mountPoints = new ArrayList<>();

    /** What a command left behind. */
    private record Ended(int status, String out, String err) {}

    @BeforeAll
    static void clone_and_first_run() throws Exception {
        copySources();
        image = InteropImages.get("v10-labels").special();
        Ended first = run("hammer2", "hash", "DATA");
        assertEquals("c78fff92381d8000 DATA\n", first.out, first.err);
        assertTrue(first.err.contains(BUILDING), first.err);
    }

    @AfterEach
    void nothing_stays_mounted() throws Exception {
        for (Path mountPoint : mountPoints) {
            if (isMounted(mountPoint)) {
                execute(List.of("umount", "-l", mountPoint.toString()));
            }
        }
        // JUnit warns of links that lead out of the folder.
        Files.deleteIfExists(folder.resolve("mount.fuse.hammer2"));
        Files.deleteIfExists(folder.resolve("hammer2"));
    }

    @Test
    void a_second_run_of_any_launcher_compiles_nothing() throws Exception {
        Path stamp = clone.resolve("tools/target/dist/built");
        Object before = Files.getAttribute(stamp, "unix:ino");
        for (String launcher : List.of("hammer2", "newfs_hammer2", "mount_hammer2", "fsck_hammer2")) {
            Ended second = run(launcher, "--version");
            assertEquals(0, second.status, second.err);
            assertEquals("", second.err);
            assertTrue(second.out.startsWith(launcher + " "), second.out);
        }
        assertEquals(before, Files.getAttribute(stamp, "unix:ino"));
    }

    @Test
    void programs_of_stress_start_from_a_clone() throws Exception {
        Ended fsx = run("fsx", "1", "200");
        assertEquals(0, fsx.status, fsx.out + fsx.err);
        Ended stress = run("stress", "1", "1");
        assertEquals(0, stress.status, stress.out + stress.err);
    }

    @Test
    void a_changed_source_is_built_before_the_next_run() throws Exception {
        Path stamp = clone.resolve("tools/target/dist/built");
        Object before = Files.getAttribute(stamp, "unix:ino");
        Files.setLastModifiedTime(
                clone.resolve("tools/src/main/java/io/hammer2/tools/Tool.java"), FileTime.from(Instant.now()));
        assertTrue(run("hammer2", "--version").err.contains(BUILDING));
        assertNotEquals(before, Files.getAttribute(stamp, "unix:ino"));
    }

    @Test
    void exit_codes_reach_the_shell() throws Exception {
        assertEquals(2, run("hammer2", "frobnicate").status);
        assertEquals(1, run("hammer2", "volhdr", "/nonexistent").status);
        assertEquals(16, run("fsck_hammer2").status);
        assertEquals(8, run("fsck_hammer2", "/nonexistent").status);
        assertEquals(16, run("newfs_hammer2").status);
        assertEquals(32, run("mount_hammer2").status);
    }

    @Test
    void without_a_jdk_it_says_what_to_install() throws Exception {
        // A root of its own would be needed to hide every JDK; what is tested is what JAVA_HOME of another version
        // gives.
        Path old = Files.createDirectories(folder.resolve("old/bin"));
        Files.writeString(old.getParent().resolve("release"), "JAVA_VERSION=\"25.0.2\"\n");
        for (String name : List.of("java", "javac")) {
            Files.writeString(old.resolve(name), "#!/bin/sh\nexit 1\n");
            assertTrue(old.resolve(name).toFile().setExecutable(true));
        }
        Ended ended = execute(List.of(
                "sh",
                "-c",
                "here=" + clone.resolve("scripts") + "; . $here/lib.sh; h2_jdk_fits " + old.getParent()
                        + " && echo fits || echo too old"));
        assertEquals("too old\n", ended.out);
    }

    @Test
    void mounts_in_the_background_and_umount_ends_it() throws Exception {
        Path node = node("mnt");
        Ended ended = run("mount_hammer2", "-o", "ro,log=" + folder.resolve("log"), image + "@HOME", node.toString());
        assertEquals(0, ended.status, ended.err);
        assertTrue(mountLine(node).contains(" fuse.hammer2 ro,"), mountLine(node));
        assertTrue(mountLine(node).startsWith(Path.of(image).toRealPath() + "@HOME "), mountLine(node));
        assertTrue(Run.hammer2("pfs-list", node.toString()).succeeded().out().contains("HOME"));
        assertTrue(Run.hammer2("info", image).succeeded().out().contains(node.toString()));
        assertTrue(Run.hammer2("stat", node.toString()).succeeded().out().contains("lz4"));
        assertTrue(Run.hammer2("printinode", node.toString()).succeeded().out().contains("pfs_type       MASTER"));
        assertTrue(Run.hammer2("volume-list", node.toString()).succeeded().out().contains("1 volume"));
        assertEquals(0, execute(List.of("umount", node.toString())).status);
        assertFalse(isMounted(node));
    }

    @Test
    void fusermount_ends_it_too() throws Exception {
        Path node = node("mnt");
        assertEquals(0, run("mount_hammer2", "-o", "ro,log=" + folder.resolve("log"), image, node.toString()).status);
        assertEquals(0, execute(List.of("fusermount3", "-u", node.toString())).status);
        assertFalse(isMounted(node));
    }

    @Test
    void a_second_mount_is_shared_for_reading_and_refused_for_writing() throws Exception {
        Path first = node("first");
        Path second = node("second");
        String log = ",log=" + folder.resolve("log");
        assertEquals(0, run("mount_hammer2", "-o", "ro" + log, image, first.toString()).status);
        Ended refused = run("mount_hammer2", "-o", "rw" + log, image, second.toString());
        assertEquals(32, refused.status);
        assertTrue(refused.err.contains("in use by"), refused.err);
        assertFalse(isMounted(second));
        assertEquals(0, run("mount_hammer2", "-o", "ro" + log, image + "@HOME", second.toString()).status);
        assertTrue(isMounted(second));
    }

    @Test
    void several_pfss_are_served_by_one_process_and_each_is_on_the_media_when_its_umount_hammer2_returns()
            throws Exception {
        Path volume = folder.resolve("several.img");
        assertEquals(0, run("newfs_hammer2", "-s", "128M", "-L", "A", "-L", LABEL, volume.toString()).status);
        Path a = node("a");
        Path b = node("b");
        String log = "log=" + folder.resolve("log");
        assertEquals(0, run("mount_hammer2", "-o", log, volume + "@A", a.toString()).status);
        Ended second = run("mount_hammer2", volume + "@" + LABEL, b.toString());
        assertEquals(0, second.status, second.err);
        assertEquals("", second.err);
        Ended twice = run("mount_hammer2", "@" + LABEL, node("c").toString());
        assertEquals(32, twice.status);
        assertTrue(twice.err.contains("mounted already; mounted are A on " + a), twice.err);
        Process foreground = new ProcessBuilder(
                        clone.resolve("scripts/mount_hammer2").toString(),
                        "-f",
                        volume + "@LOCAL",
                        mountPoints.getLast().toString())
                .start();
        awaitMounted(mountPoints.getLast(), foreground);
        foreground.destroy();
        assertTrue(foreground.waitFor(20, TimeUnit.SECONDS), "it does not end");
        assertEquals(0, foreground.exitValue());
        assertFalse(isMounted(mountPoints.getLast()));
        Files.writeString(a.resolve("file"), "of A");
        assertEquals(0, run("umount_hammer2", a.toString()).status);
        // As after a crash right now.
        Path copy = Files.copy(volume, folder.resolve("copy.img"));
        assertEquals(0, run("mount_hammer2", "-o", "ro," + log, copy + "@A", a.toString()).status);
        assertEquals("of A", Files.readString(a.resolve("file")));
        assertEquals(0, run("umount_hammer2", a.toString()).status);
        assertTrue(isMounted(b));
        assertEquals(0, run("umount_hammer2", b.toString()).status);
        assertEquals(0, execute(List.of("flock", "-n", "-x", volume.toString(), "true")).status, "it is let go of");
        assertWhole(volume);
    }

    @Test
    void what_is_installed_works_without_the_sources_and_uninstall_leaves_nothing() throws Exception {
        Path prefix = folder.resolve("prefix");
        Ended installed = run("install", "--prefix", prefix.toString());
        assertEquals(0, installed.status, installed.err);
        assertEquals("", installed.err);
        assertTrue(Files.size(prefix.resolve("lib/hammer2/hammer2.aot")) > 0);
        Path cache = prefix.resolve("lib/hammer2/server.aot");
        // Away from the sources, and as a user calls them.
        Ended hash = execute(List.of(prefix.resolve("bin/hammer2").toString(), "hash", "DATA"));
        assertEquals("c78fff92381d8000 DATA\n", hash.out, hash.err);
        assertEquals("", hash.err);
        Path volume = folder.resolve("installed.img");
        Path sbin = prefix.resolve("sbin");
        assertEquals(
                0, execute(List.of(sbin.resolve("newfs_hammer2").toString(), "-s", "128M", volume.toString())).status);
        Path node = node("mnt");
        Ended helped = execute(List.of(
                sbin.resolve("mount.fuse.hammer2").toString(),
                volume.toString(),
                node.toString(),
                "-o",
                "rw,log=" + folder.resolve("log")));
        assertEquals(0, helped.status, helped.err);
        assertEquals("", helped.out + helped.err);
        // Of what mount(8) has as defaults for root it passes nothing on.
        String mounted = mountLine(node);
        boolean root = mounted.contains("user_id=0,");
        assertEquals(!root, mounted.contains("nosuid"), mounted);
        assertEquals(!root, mounted.contains("nodev"), mounted);
        Files.writeString(node.resolve("file"), "content");
        assertTrue(serverMaps(volume, cache), "it serves without its cache");
        assertEquals(0, execute(List.of(sbin.resolve("umount.fuse.hammer2").toString(), node.toString())).status);
        assertEquals(0, execute(List.of(sbin.resolve("fsck_hammer2").toString(), "-q", volume.toString())).status);
        for (String page : List.of("hammer2", "newfs_hammer2", "mount_hammer2", "umount_hammer2", "fsck_hammer2")) {
            String source = Files.readString(prefix.resolve("share/man/man8/" + page + ".8"));
            assertTrue(source.startsWith(".TH "), source);
            assertTrue(source.contains("\n.SH SYNOPSIS\n"), source);
        }
        assertTrue(Files.readString(prefix.resolve("share/man/man8/hammer2.8")).contains("\n.SS \"bulkfree\"\n"));
        Ended completed = execute(List.of(
                "bash",
                "-c",
                ". " + prefix.resolve("share/bash-completion/completions/hammer2")
                        + "; COMP_WORDS=(hammer2 bul) COMP_CWORD=1 COMP_LINE='hammer2 bul'; _complete_hammer2;"
                        + " echo \"${COMPREPLY[@]}\""));
        assertEquals("bulkfree\n", completed.out, completed.err);
        // Again, over what is there; and with a cache of another JDK, or a broken one.
        assertEquals(0, run("install", "--prefix", prefix.toString()).status);
        Files.writeString(prefix.resolve("lib/hammer2/hammer2.aot"), "no cache");
        Ended without = execute(List.of(prefix.resolve("bin/hammer2").toString(), "hash", "DATA"));
        assertEquals("c78fff92381d8000 DATA\n", without.out, without.err);
        assertEquals("", without.err);
        Files.writeString(cache, "no cache");
        String words = "log=" + folder.resolve("log");
        Ended served = execute(
                List.of(sbin.resolve("mount_hammer2").toString(), "-o", words, volume.toString(), node.toString()));
        assertEquals(0, served.status, served.err);
        assertTrue(served.err.startsWith("mount_hammer2: mounted;"), served.err);
        assertFalse(serverMaps(volume, cache), "the control: what is no cache is not used");
        assertEquals("content", Files.readString(node.resolve("file")));
        assertEquals(0, execute(List.of(sbin.resolve("umount_hammer2").toString(), node.toString())).status);
        assertEquals(0, run("uninstall", "--prefix", prefix.toString()).status);
        assertFalse(Files.exists(prefix), "something is left");
        assertEquals(1, run("uninstall", "--prefix", prefix.toString()).status);
        assertEquals(2, run("install", "--prefix").status);
    }

    /** Whether the process that serves a volume has a file in its memory. */
    private static boolean serverMaps(Path volume, Path file) throws IOException {
        ProcessHandle server = ProcessHandle.allProcesses()
                .filter(process -> process.info()
                        .arguments()
                        .filter(words ->
                                List.of(words).containsAll(List.of("-Dhammer2.background=true", volume.toString())))
                        .isPresent())
                .findFirst()
                .orElseThrow(() -> new AssertionError("nobody serves " + volume));
        return Files.readString(Path.of("/proc", Long.toString(server.pid()), "maps"))
                .contains(file.toRealPath().toString());
    }

    /** mount(8) looks for helpers in /sbin: in a mount namespace of its own that is a folder over it. */
    @Test
    void mount_finds_the_installed_helper() throws Exception {
        Path stage = folder.resolve("stage");
        String pre = folder.resolve("pre").toString();
        Ended installed = run("install", "--no-training", "--prefix", pre, "--destdir", stage.toString());
        assertEquals(0, installed.status, installed.err);
        assertEquals(0, run("install", "--no-training", "--prefix", pre).status);
        Path volume = fresh();
        Path node = node("mnt");
        String script = String.join(
                " && ",
                "mount -t tmpfs none " + stage,
                "mkdir " + stage + "/upper " + stage + "/work",
                "mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=" + stage + "/upper,workdir=" + stage
                        + "/work /usr/sbin",
                "cp -P " + folder.resolve("pre/sbin") + "/*mount.*hammer2 /usr/sbin",
                "mount -t fuse.hammer2 -o rw,log=" + folder.resolve("log") + " " + volume + "@DATA " + node,
                "echo content > " + node + "/file",
                "umount " + node,
                "mount -t fuse.hammer2 -o ro,log=" + folder.resolve("log") + " " + volume + "@DATA " + node,
                "cat " + node + "/file",
                "umount " + node);
        Ended ended = execute(List.of("unshare", "-m", "sh", "-c", script));
        assertEquals("content\n", ended.out, ended.err);
        assertEquals(0, ended.status, ended.err);
        assertEquals(
                0,
                run("uninstall", "--prefix", folder.resolve("pre").toString(), "--destdir", stage.toString()).status);
        try (var left = Files.list(stage)) {
            // The folders above the prefix were there for it alone, too.
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void sigterm_in_the_foreground_unmounts_and_is_no_failure() throws Exception {
        Path node = node("mnt");
        Path said = folder.resolve("said");
        Process process = new ProcessBuilder(
                        clone.resolve("scripts/mount_hammer2").toString(), "-f", "-o", "ro", image, node.toString())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        awaitMounted(node, process);
        process.destroy();
        assertTrue(process.waitFor(20, TimeUnit.SECONDS), "it does not end");
        assertEquals(0, process.exitValue(), Files.readString(said));
        assertEquals("", Files.readString(said));
        assertFalse(isMounted(node));
    }

    /** mount(8) finds /sbin/mount.fuse.hammer2, which is a link to the launcher, and passes its own options. */
    @Test
    void as_the_helper_of_mount_through_a_link() throws Exception {
        Path helper =
                Files.createSymbolicLink(folder.resolve("mount.fuse.hammer2"), clone.resolve("scripts/mount_hammer2"));
        Path node = node("mnt");
        String options = "ro,nodev,nosuid,noatime,x-systemd.automount,_netdev,nofail,log=" + folder.resolve("log");
        Ended ended = execute(List.of(helper.toString(), image + "@HOME", node.toString(), "-n", "-o", options));
        assertEquals(0, ended.status, ended.err);
        assertTrue(mountLine(node).contains("nosuid,nodev"), mountLine(node));
        if (mountLine(node).contains("user_id=0,")) {
            // mount -o remount,noexec: it passes on what is in fstab, too.
            String again = "remount,ro,nodev,nosuid,noexec,nofail,log=" + folder.resolve("log");
            Ended remounted = execute(List.of(helper.toString(), image + "@HOME", node.toString(), "-n", "-o", again));
            assertEquals(0, remounted.status, remounted.err);
            assertTrue(mountLine(node).contains("ro,nosuid,nodev,noexec"), mountLine(node));
        }
        assertEquals(0, execute(List.of("umount", node.toString())).status);
        // mount -f: everything but the mounting.
        assertEquals(0, execute(List.of(helper.toString(), image, node.toString(), "-f", "-o", "ro")).status);
        assertFalse(isMounted(node));
    }

    /** Without that link mount.fuse3 runs the program of the subtype's name. */
    @Test
    void as_the_program_that_mount_fuse_looks_for() throws Exception {
        Path program = Files.createSymbolicLink(folder.resolve("hammer2"), clone.resolve("scripts/hammer2"));
        Path node = node("mnt");
        Ended ended = execute(List.of(
                program.toString(),
                fresh().toString(),
                node.toString(),
                "-o",
                "rw,dev,suid,log=" + folder.resolve("log")));
        assertEquals(0, ended.status, ended.err);
        assertTrue(mountLine(node).contains(" rw,"), mountLine(node));
        assertTrue(mountLine(node).contains("default_permissions"), mountLine(node));
    }

    /** An image with an empty file system. */
    private Path fresh() throws Exception {
        Path made = folder.resolve("fresh.img");
        Ended ended = run("newfs_hammer2", "-s", "128M", made.toString());
        assertEquals(0, ended.status, ended.err);
        return made;
    }

    private static void assertWhole(Path volume) throws Exception {
        Ended checked = run("fsck_hammer2", volume.toString());
        assertEquals(0, checked.status, checked.out + checked.err);
    }

    @Test
    void what_was_written_is_on_the_media_when_umount_hammer2_returns() throws Exception {
        Path node = node("m n:t");
        Path volume = fresh();
        String log = "log=" + folder.resolve("log");
        byte[] content = new byte[5 << 20];
        new java.util.Random(1).nextBytes(content);
        for (int round = 0; round < 3; round++) {
            Ended mounted = run("mount_hammer2", "-o", log, volume + "@DATA", node.toString());
            assertEquals(0, mounted.status, mounted.err);
            Files.write(node.resolve("file" + round), content);
            Ended ended = run("umount_hammer2", node.toString());
            assertEquals(0, ended.status, ended.err);
            assertFalse(Files.exists(node.resolve("file0")));
            assertEquals(0, execute(List.of("flock", "-n", "-x", volume.toString(), "true")).status, "it is let go of");
            assertWhole(volume);
        }
        assertEquals(0, run("mount_hammer2", "-o", "ro," + log, volume.toString(), node.toString()).status);
        for (int round = 0; round < 3; round++) {
            assertArrayEquals(content, Files.readAllBytes(node.resolve("file" + round)));
        }
        assertEquals(0, run("umount_hammer2", node.toString()).status);
    }

    /** Another process has the volume by then, and there would be nothing to wait for. */
    @Test
    void umount_hammer2_of_a_mount_whose_server_was_killed_says_so_at_once() throws Exception {
        Path node = node("mnt");
        Path other = node("other");
        Path volume = fresh();
        Process server = new ProcessBuilder(
                        clone.resolve("scripts/mount_hammer2").toString(), "-f", volume + "@DATA", node.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("said").toFile())
                .start();
        awaitMounted(node, server);
        server.destroyForcibly().waitFor();
        String log = "log=" + folder.resolve("log");
        assertEquals(0, run("mount_hammer2", "-o", log, volume + "@LOCAL", other.toString()).status);
        Ended ended = run("umount_hammer2", node.toString());
        assertEquals(1, ended.status, ended.err);
        assertTrue(ended.err.contains("had been killed"), ended.err);
        assertFalse(isMounted(node));
        assertEquals(0, run("umount_hammer2", other.toString()).status);
    }

    @Test
    void umount_hammer2_says_what_keeps_it() throws Exception {
        Path node = node("mnt");
        assertEquals(0, run("mount_hammer2", "-o", "ro,log=" + folder.resolve("log"), image, node.toString()).status);
        Process user =
                new ProcessBuilder("sleep", "60").directory(node.toFile()).start();
        try {
            Ended refused = run("umount_hammer2", node.toString());
            assertEquals(32, refused.status);
            assertTrue(refused.err.contains("busy"), refused.err);
            assertTrue(refused.err.contains("it is in use by process " + user.pid() + " (sleep)"), refused.err);
            assertTrue(isMounted(node));
        } finally {
            user.destroyForcibly().waitFor();
        }
        assertEquals(1, run("umount_hammer2").status);
    }

    @Test
    void umount_hammer2_tells_of_what_is_mounted_below() throws Exception {
        Path node = node("m n");
        assertEquals(
                0,
                run("mount_hammer2", "-o", "log=" + folder.resolve("log"), fresh().toString(), node.toString()).status);
        Path below = Files.createDirectory(node.resolve("b w"));
        assertEquals(0, execute(List.of("mount", "--bind", folder.toString(), below.toString())).status);
        try {
            Ended refused = run("umount_hammer2", node.toString());
            assertEquals(32, refused.status);
            assertTrue(refused.err.contains("below it is mounted " + below), refused.err);
        } finally {
            assertEquals(0, execute(List.of("umount", below.toString())).status);
        }
        assertEquals(0, run("umount_hammer2", node.toString()).status);
    }

    /** As df does that looks at all mounts, or the server itself that has the kernel write back. */
    @Test
    void what_holds_a_mount_for_a_moment_does_not_keep_umount_hammer2() throws Exception {
        Path node = node("mnt");
        assertEquals(0, run("mount_hammer2", "-o", "ro,log=" + folder.resolve("log"), image, node.toString()).status);
        Path holding = Files.createDirectory(folder.resolve("holding"));
        Path umount = holding.resolve("umount");
        Files.writeString(umount, """
                #!/bin/sh
                echo once >>"$0.tries"
                [ "$(wc -l <"$0.tries")" -gt 2 ] || { echo "umount: target is busy." >&2; exit 32; }
                PATH=${PATH#*:} exec umount "$@"
                """);
        assertTrue(umount.toFile().setExecutable(true));
        Ended ended = execute(List.of(
                "env",
                "PATH=" + holding + ":" + System.getenv("PATH"),
                clone.resolve("scripts/umount_hammer2").toString(),
                node.toString()));
        assertEquals(0, ended.status, ended.err);
        assertEquals("", ended.err);
        assertEquals(3, Files.readAllLines(holding.resolve("umount.tries")).size());
        assertFalse(isMounted(node));
    }

    @Test
    void sigterm_commits_what_a_program_has_written_and_not_closed() throws Exception {
        Path node = node("mnt");
        Path volume = fresh();
        Path said = folder.resolve("said");
        Process process = new ProcessBuilder(
                        clone.resolve("scripts/mount_hammer2").toString(), "-f", volume.toString(), node.toString())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        awaitMounted(node, process);
        try (var open = Files.newOutputStream(node.resolve("open"))) {
            open.write(new byte[100_000]);
            process.destroy();
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "it does not end");
        } catch (IOException e) {
            // Closing what has lost its mount.
        }
        assertEquals(0, process.exitValue(), Files.readString(said));
        assertWhole(volume);
        assertEquals(0, run("mount_hammer2", "-o", "ro,log=" + said, volume.toString(), node.toString()).status);
        assertEquals(100_000, Files.size(node.resolve("open")));
    }

    @Test
    void what_cannot_be_written_is_refused_with_the_way_out() throws Exception {
        Path node = node("mnt");
        Path sealed = Files.createDirectory(folder.resolve("sealed"));
        Path volume = Files.move(fresh(), sealed.resolve("image"));
        mountPoints.add(sealed.toRealPath());
        assertEquals(0, execute(List.of("mount", "--bind", sealed.toString(), sealed.toString())).status);
        assertEquals(0, execute(List.of("mount", "-o", "remount,ro,bind", sealed.toString())).status);
        assertRefused("-o ro", volume.toString(), node.toString());
        assertEquals(
                0,
                run("mount_hammer2", "-o", "ro,log=" + folder.resolve("log"), volume.toString(), node.toString())
                        .status);
        assertEquals(0, run("umount_hammer2", node.toString()).status);
    }

    @Test
    void what_cannot_be_mounted_says_why_in_words() throws Exception {
        Path node = node("mnt");
        String at = node.toString();
        assertRefused("it has ", "-o", "ro", image + "@NOSUCH", at);
        assertRefused("HOME", "-o", "ro", image + "@NOSUCH", at);
        assertRefused("no such file or device", folder.resolve("missing").toString(), at);
        assertRefused("neither an image file nor a block device", folder.toString(), at);
        Path noise = Files.write(folder.resolve("noise"), new byte[1 << 20]);
        assertRefused("not a HAMMER2 volume", noise.toString(), at);
        assertRefused(
                "cut short", "-o", "ro", InteropImages.get("x07-truncated").special(), at);
        assertRefused(
                "no such directory",
                "-o",
                "ro",
                image,
                folder.resolve("nowhere").toString());
        assertRefused("not a directory", "-o", "ro", image, noise.toString());
        assertRefused("known are: ro, rw", "-o", "frobnicate", image, at);
        assertRefused("kernel or jnr", "-o", "transport=pigeon", image, at);
        assertRefused("8.00 MiB", "-o", "dirty=1M", image, at);
        assertRefused("from 1 to", "-o", "sync_interval=0", image, at);
        assertRefused("Missing required parameter", image);
    }

    @Test
    void damage_is_logged_with_pfs_blockref_expected_and_found() throws Exception {
        Path node = node("mnt");
        Path log = folder.resolve("log");
        String damaged = InteropImages.get("x04-inode").special();
        assertEquals(0, run("mount_hammer2", "-o", "ro,log=" + log, damaged, node.toString()).status);
        assertNotEquals(0, execute(List.of("ls", "-lR", node.toString())).status);
        assertEquals(0, execute(List.of("umount", node.toString())).status);
        String lines = awaitContent(log, "data_off");
        assertTrue(lines.contains("DATA") && lines.contains("expected") && lines.contains("found"), lines);
    }

    private void assertRefused(String why, String... arguments) throws Exception {
        String[] command = new String[arguments.length + 1];
        command[0] = "mount_hammer2";
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Ended ended = run(command);
        assertEquals(32, ended.status, ended.toString());
        assertTrue(ended.err.contains(why), ended.toString());
        assertTrue(ended.err.startsWith("mount_hammer2: "), ended.err);
        assertFalse(ended.err.contains("\tat "), ended.err);
    }

    private Path node(String name) throws IOException {
        Path node = Files.createDirectory(folder.resolve(name)).toRealPath();
        mountPoints.add(node);
        return node;
    }

    private static boolean isMounted(Path node) throws IOException {
        return !mountLine(node).isEmpty();
    }

    private static String mountLine(Path node) throws IOException {
        return Files.readAllLines(Path.of("/proc/mounts")).stream()
                .filter(line -> line.contains(" " + node + " "))
                .findFirst()
                .orElse("");
    }

    private static void awaitMounted(Path node, Process process) throws Exception {
        // Nothing tells when: in the foreground the command is silent. Bounded, and ends at once if the process does.
        for (int i = 0; i < 400 && !isMounted(node); i++) {
            assertFalse(process.waitFor(50, TimeUnit.MILLISECONDS), "it ended by itself");
        }
        assertTrue(isMounted(node));
    }

    /** The process that wrote it may still be ending. */
    private static String awaitContent(Path file, String text) throws Exception {
        for (int i = 0; i < 100; i++) {
            String content = Files.exists(file) ? Files.readString(file) : "";
            if (content.contains(text)) {
                return content;
            }
            execute(List.of("sleep", "0.05"));
        }
        return Files.exists(file) ? Files.readString(file) : "no " + file;
    }

    private static Ended run(String... command) throws Exception {
        List<String> all = new ArrayList<>(List.of(command));
        all.set(0, clone.resolve("scripts").resolve(command[0]).toString());
        return execute(all);
    }

    private static Ended execute(List<String> command) throws Exception {
        Path out = Files.createTempFile(clone, "out", null);
        Path err = Files.createTempFile(clone, "err", null);
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
        // Maven sets what is meant for itself.
        builder.environment().remove("MAVEN_OPTS");
        Process process = builder.start();
        assertTrue(process.waitFor(5, TimeUnit.MINUTES), "hangs: " + command);
        return new Ended(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** Everything but what a build makes. */
    private static void copySources() throws Exception {
        Path root = Path.of(System.getProperty("project.root"));
        Process copy = new ProcessBuilder(
                        "sh",
                        "-c",
                        "cd '" + root + "' && tar -cf - --exclude=./target --exclude='./*/target' --exclude=./.git"
                                + " --exclude=./testdata . | tar -xf - -C '" + clone + "'")
                .redirectErrorStream(true)
                .start();
        String said = new String(copy.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, copy.waitFor(), said);
    }
}
