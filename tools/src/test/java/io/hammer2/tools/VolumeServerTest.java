package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.fs.pfs.Label;
import io.hammer2.tools.stress.Scratch;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several PFSs of one volume, mounted by commands that find the server of the first. */
@Timeout(value = 120, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class VolumeServerTest {
    private static final int GARBAGE_QUESTIONS = 200;

    @TempDir
    private Path work;

    private final Queue<String> log = new ConcurrentLinkedQueue<>();
    private final List<VolumeServer> servers = new ArrayList<>();
    private Path image;
    private List<Path> places;

    @BeforeEach
    void make() {
        image = work.resolve("volume.img");
        places = List.of(work.resolve("run"));
        Run.newfs("-s", "128M", "-L", "A", "-L", "B", image.toString()).succeeded();
    }

    @AfterEach
    void end() {
        servers.forEach(VolumeServer::close);
        assertEquals(List.of(), List.copyOf(log));
        Run.fsck("-q", image.toString()).succeeded();
    }

    private Path node(String name) throws IOException {
        return Files.createDirectories(work.resolve(name)).toRealPath();
    }

    private MountRequest request(String label, String node, String options) throws IOException {
        return MountRequest.of(image + (label.isEmpty() ? "" : "@" + label), node(node), List.of(options));
    }

    private VolumeServer start(String label, String node, String options) throws IOException {
        VolumeServer server = VolumeServer.start(request(label, node, options), places, log::add);
        servers.add(server);
        return server;
    }

    private JoinedMount join(String label, String node, String options, boolean isForeground) throws IOException {
        return JoinedMount.ask(request(label, node, options), places, isForeground, log::add)
                .orElseThrow();
    }

    private static ServedMount at(VolumeServer server, Path node) {
        return server.copyOfMounts().stream()
                .filter(served -> served.mount().mountPoint().equals(node))
                .findFirst()
                .orElseThrow();
    }

    private static boolean isMounted(Path node) throws IOException {
        return MountedVolume.deviceNumberAt(node).isPresent();
    }

    @Test
    void each_is_unmounted_by_itself_and_on_the_media_then_and_the_last_one_ends_the_server() throws Exception {
        VolumeServer server = start("A", "a", "rw");
        join("B", "b", "rw", false);
        Files.writeString(node("a").resolve("file"), "of A");
        Files.writeString(node("b").resolve("file"), "of B");
        ServedMount a = at(server, node("a"));
        assertTrue(Files.exists(a.mark()));
        a.mount().unmount();
        assertNull(a.ended().get(), "its last commit");
        assertFalse(Files.exists(a.mark()));
        // As after a crash right now.
        Path copy = Files.copy(image, work.resolve("copy.img"));
        try (VolumeServer other =
                VolumeServer.start(MountRequest.of(copy + "@A", node("c"), List.of("ro")), List.of(), log::add)) {
            assertEquals("of A", Files.readString(node("c").resolve("file")));
            assertEquals(1, other.copyOfMounts().size());
        }
        assertEquals("of B", Files.readString(node("b").resolve("file")));
        // The same again, which is a mount of its own.
        join("A", "a", "rw", false);
        assertEquals("of A", Files.readString(node("a").resolve("file")));
        at(server, node("a")).mount().unmount();
        at(server, node("b")).mount().unmount();
        server.awaitEnd();
        assertTrue(RuntimeFolder.existing(places).stream().allMatch(VolumeServerTest::isEmpty));
        assertTrue(JoinedMount.ask(request("B", "b", "rw"), places, false, log::add)
                .isEmpty());
    }

    private static boolean isEmpty(RuntimeFolder folder) {
        try (var files = Files.list(folder.path())) {
            return files.findAny().isEmpty();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void who_stays_in_the_foreground_unmounts_at_his_end_and_hears_of_that_of_the_mount() throws Exception {
        VolumeServer server = start("A", "a", "rw");
        JoinedMount first = join("B", "b", "rw", true);
        Files.writeString(node("b").resolve("file"), "content");
        first.close();
        first.awaitEnd();
        assertFalse(isMounted(node("b")));
        JoinedMount joined = join("B", "b", "rw", true);
        assertEquals("content", Files.readString(node("b").resolve("file")));
        at(server, node("b")).mount().unmount();
        joined.awaitEnd();
        assertTrue(isMounted(node("a")));
        JoinedMount further = join("B", "b", "rw", true);
        server.close();
        further.awaitEnd();
        assertFalse(isMounted(node("a")) || isMounted(node("b")));
    }

    @Test
    void a_mount_to_read_only_of_what_others_write() throws Exception {
        start("A", "a", "rw");
        join("B", "b", "ro", false);
        assertThrows(
                FileSystemException.class, () -> Files.writeString(node("b").resolve("file"), "x"));
        try (MountedFile file = MountedFile.open(node("b"))) {
            ToolException refused = assertThrows(
                    ToolException.class,
                    () -> file.request(
                            io.hammer2.fuse.bridge.ControlRequests.PFS_DELETE,
                            file.structure(io.hammer2.fuse.bridge.ControlRequests.PFS_BYTES)));
            assertTrue(refused.getMessage().contains("read-only"), refused.getMessage());
        }
    }

    /** As at boot, from /etc/fstab: nobody serves the volume when they begin. */
    @Test
    void of_commands_that_begin_at_once_one_serves_and_the_others_find_it() throws Exception {
        for (int round = 0; round < 5; round++) {
            List<CompletableFuture<Mounted>> begun = new ArrayList<>();
            for (String label : List.of("A", "B", "LOCAL")) {
                MountRequest request = request(label, label, "rw");
                begun.add(CompletableFuture.supplyAsync(() -> Mounting.begin(request, places, true, log::add)));
            }
            int served = 0;
            for (CompletableFuture<Mounted> one : begun) {
                served += one.get() instanceof VolumeServer ? 1 : 0;
            }
            assertEquals(1, served, "round " + round);
            for (String label : List.of("A", "B", "LOCAL")) {
                assertTrue(isMounted(node(label)), label);
            }
            for (CompletableFuture<Mounted> one : begun) {
                one.get().close();
            }
        }
    }

    /** The last commit may take minutes; a mount that is asked for meanwhile waits, and comes. */
    @Test
    void who_asks_a_server_that_is_at_its_last_commit_serves_the_volume_after_it() throws Exception {
        Random random = new Random(8);
        for (int round = 0; round < 5; round++) {
            VolumeServer ending = start("A", "a", "rw,dirty=64M");
            byte[] much = new byte[24 << 20];
            random.nextBytes(much);
            Files.write(node("a").resolve("file"), much);
            at(ending, node("a")).mount().unmount();
            try (Mounted next = Mounting.begin(request("B", "b", "rw"), places, true, log::add)) {
                assertTrue(next instanceof VolumeServer, "round " + round);
                assertTrue(isMounted(node("b")));
            }
            ending.awaitEnd();
        }
    }

    /** umount(2) and mount(2) by a script: the server hears of the first when the second is asked for. */
    @Test
    void what_was_just_unmounted_is_mounted_again_and_what_is_still_in_use_is_refused() throws Exception {
        VolumeServer server = start("A", "a", "rw");
        join("B", "b", "rw", false);
        for (int round = 0; round < 20; round++) {
            Files.writeString(node("b").resolve("round" + round), "content");
            fusermount("-u", node("b"));
            join("B", "b", "rw", false);
            assertEquals("content", Files.readString(node("b").resolve("round" + round)));
        }
        try (var held = Files.newInputStream(node("b").resolve("round0"))) {
            fusermount("-uz", node("b"));
            assertRefused("unmounted lazily, and in use still", "B", "b", "rw");
            assertEquals('c', held.read());
        }
        join("B", "b", "rw", false);
        assertEquals(2, server.copyOfMounts().size());
    }

    private static void fusermount(String how, Path node) throws Exception {
        Process process = new ProcessBuilder("fusermount3", how, node.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }

    /** kill -9 at moments of any kind, and two commands at once. */
    @Test
    void a_volume_whose_server_was_killed_is_mounted_again_at_once() throws Exception {
        Random random = new Random(9);
        // Where a dead mount is, nothing can be looked at.
        Path killed = node("killed");
        for (int round = 0; round < 4; round++) {
            Process server = mountInProcess("A", killed, random.nextBoolean() ? "rw" : "rw,sync_interval=1");
            Files.write(killed.resolve("file" + round), new byte[random.nextInt(4 << 20)]);
            server.destroyForcibly();
            List<CompletableFuture<Mounted>> again = new ArrayList<>();
            for (String label : List.of("A", "B")) {
                MountRequest request =
                        MountRequest.of(image + "@" + label, label.equals("A") ? killed : node("b"), List.of("rw"));
                again.add(CompletableFuture.supplyAsync(() -> Mounting.begin(request, places, true, log::add)));
            }
            for (CompletableFuture<Mounted> one : again) {
                one.get();
            }
            Files.writeString(killed.resolve("after"), "round " + round);
            for (CompletableFuture<Mounted> one : again) {
                one.get().close();
            }
            server.waitFor();
            // Where the kernel was done with the dead one only after we had looked, the mount lies above what is left
            // of it.
            while (isMounted(killed)) {
                assertEquals(
                        0,
                        new ProcessBuilder("umount", "-l", killed.toString())
                                .start()
                                .waitFor());
            }
            log.removeIf(line -> line.startsWith("fuse: detaching what a dead server left at "));
        }
    }

    @Test
    void the_socket_of_a_server_that_was_killed_is_removed_by_the_next_one() throws Exception {
        Path killed = node("killed");
        Process server = mountInProcess("A", killed, "rw");
        // It is made after the mount.
        while (sockets().isEmpty()) {
            assertFalse(server.waitFor(20, TimeUnit.MILLISECONDS), "it ended by itself");
        }
        server.destroyForcibly().waitFor();
        fusermount("-uz", killed);
        Path left = sockets().getFirst();
        try (Mounted next = Mounting.begin(request("A", "a", "rw"), RuntimeFolder.places(), true, log::add)) {
            assertTrue(next instanceof VolumeServer);
            assertFalse(Files.exists(left));
            assertEquals(1, sockets().size());
        }
        assertEquals(List.of(), sockets());
    }

    /** Where a command looks. */
    private List<Path> sockets() {
        return RuntimeFolder.sockets(RuntimeFolder.places(), image.toString());
    }

    /** Whoever runs the command in a JVM of his own keeps the end of that to himself. */
    @Test
    void when_a_mount_in_the_foreground_is_over_the_jvm_goes_on() throws Exception {
        Process process = mountInProcess("A", node("own"), "rw");
        assertEquals(
                0, new ProcessBuilder("umount", node("own").toString()).start().waitFor());
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(EmbeddedMount.STATUS, process.exitValue());
    }

    /** By a JVM of its own, which finds no other server and is found by none. */
    private Process mountInProcess(String label, Path node, String options) throws Exception {
        List<String> command = Scratch.java("EmbeddedMount");
        command.addAll(List.of("-f", "-o", options, image + "@" + label, node.toString()));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(
                        ProcessBuilder.Redirect.appendTo(work.resolve("said").toFile()))
                .start();
        while (!isMounted(node)) {
            assertFalse(process.waitFor(20, TimeUnit.MILLISECONDS), () -> "it ended by itself: " + log);
        }
        return process;
    }

    @Test
    void what_cannot_be_mounted_is_refused_with_what_is() throws Exception {
        start("A", "a", "rw");
        assertRefused("mounted already; mounted are A on " + node("a"), "A", "b", "rw");
        assertRefused("no PFS named NONE; it has LOCAL, A, B", "NONE", "b", "rw");
        assertRefused("known are: ro, rw", "B", "b", "frobnicate");
        Path nowhere = work.resolve("nowhere");
        ToolException refused = assertThrows(
                ToolException.class,
                () -> JoinedMount.ask(MountRequest.of(image + "@B", nowhere, List.of()), places, false, log::add));
        assertTrue(refused.getMessage().contains("no such directory"), refused.getMessage());
        // A refusal holds nothing.
        join("B", "b", "rw", false);
    }

    private void assertRefused(String why, String label, String node, String options) throws IOException {
        MountRequest request = request(label, node, options);
        ToolException refused =
                assertThrows(ToolException.class, () -> JoinedMount.ask(request, places, false, log::add));
        assertTrue(refused.getMessage().contains(why), refused.getMessage());
    }

    @Test
    void of_what_is_only_read_nothing_is_written_and_the_same_pfs_is_read_by_two_servers() throws Exception {
        start("A", "a", "ro");
        assertRefused("only reads it (A on " + node("a"), "B", "b", "rw");
        join("B", "b", "ro", false);
        assertTrue(JoinedMount.ask(request("A", "c", "ro"), places, false, log::add)
                .isEmpty());
        start("A", "c", "ro");
        // Either of them can be asked.
        join("B", "d", "ro", false);
        assertEquals(2, RuntimeFolder.sockets(places, image.toString()).size());
    }

    private long rollback(String label, String source, String keep) {
        return MountedRollback.of(MountedVolume.resolve(image.toString()), Label.of(label))
                .orElseThrow()
                .run(Label.of(source), keep == null ? null : Label.of(keep), places);
    }

    @Test
    void what_is_rolled_back_while_it_is_mounted_is_mounted_anew_and_stale_to_who_has_it_open() throws Exception {
        VolumeServer server = start("A", "a", "rw");
        JoinedMount joined = join("B", "b", "rw", true);
        Path a = node("a");
        Files.writeString(a.resolve("file"), "old");
        Files.createDirectory(a.resolve("dir"));
        Run.hammer2("snapshot", a.toString(), "then").succeeded();
        Files.writeString(a.resolve("file"), "new content");
        Files.writeString(a.resolve("later"), "x");
        Process inside = new ProcessBuilder("sh", "-c", "read line; cat later; ls .; echo x > other")
                .directory(a.toFile())
                .redirectErrorStream(true)
                .start();
        try (FileChannel open =
                FileChannel.open(a.resolve("later"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            open.write(ByteBuffer.wrap("cached".getBytes(StandardCharsets.US_ASCII)));
            assertTrue(rollback("A", "then", "kept") > 0);
            assertEquals("old", Files.readString(a.resolve("file")));
            assertFalse(Files.exists(a.resolve("later")));
            IOException stale = assertThrows(IOException.class, () -> {
                open.position(100_000);
                open.write(ByteBuffer.wrap(new byte[10]));
                open.force(true);
            });
            assertTrue(stale.getMessage().contains("Stale"), stale.getMessage());
            inside.getOutputStream().write('\n');
            inside.getOutputStream().close();
            String said = new String(inside.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertEquals(3, said.split("Stale", -1).length - 1, said);
            Files.writeString(a.resolve("after"), "it can be written");
            // Again, while something of the first is open still.
            rollback("A", "then", null);
            assertFalse(Files.exists(a.resolve("after")));
        }
        rollback("B", "then", null);
        assertEquals("old", Files.readString(node("b").resolve("file")));
        joined.close();
        assertFalse(isMounted(node("b")));
        join("kept", "b", "rw", false);
        assertEquals("new content", Files.readString(node("b").resolve("file")));
        assertEquals("cached", Files.readString(node("b").resolve("later")));
        at(server, node("b")).mount().unmount();
        FileChannel left = FileChannel.open(a.resolve("file"), StandardOpenOption.READ);
        rollback("A", "then", null);
        at(server, a).mount().unmount();
        // Who has a file of before still open keeps nothing from ending.
        server.awaitEnd();
        assertThrows(IOException.class, left::close);
        assertTrue(RuntimeFolder.existing(places).stream().allMatch(VolumeServerTest::isEmpty));
    }

    @Test
    void what_is_mounted_and_cannot_be_rolled_back_stays_as_it_is() throws Exception {
        start("A", "a", "rw");
        join("B", "b", "ro", false);
        Files.writeString(node("a").resolve("file"), "x");
        Run.hammer2("snapshot", node("a").toString(), "then").succeeded();
        assertRollbackRefused("no PFS named NONE", "A", "NONE", null);
        assertRollbackRefused("there is a PFS named B already", "A", "then", "B");
        assertRollbackRefused("B is mounted read-only; unmount it first", "B", "then", null);
        assertEquals("x", Files.readString(node("a").resolve("file")));
        assertTrue(MountedRollback.of(MountedVolume.resolve(image.toString()), Label.of("then"))
                .isEmpty());
        ToolException unknown = assertThrows(
                ToolException.class,
                () -> MountedRollback.of(MountedVolume.resolve(image.toString()), Label.of("A"))
                        .orElseThrow()
                        .run(Label.of("then"), null, List.of(work.resolve("nobody"))));
        assertTrue(unknown.getMessage().contains("cannot be asked from here"), unknown.getMessage());
    }

    private void assertRollbackRefused(String why, String label, String source, String keep) {
        ToolException refused = assertThrows(ToolException.class, () -> rollback(label, source, keep));
        assertTrue(refused.getMessage().contains(why), refused.getMessage());
    }

    @Test
    void garbage_on_the_socket_harms_nobody() throws Exception {
        start("A", "a", "rw");
        Path socket = RuntimeFolder.sockets(places, image.toString()).getFirst();
        Random random = new Random(7);
        for (int i = 0; i < GARBAGE_QUESTIONS; i++) {
            byte[] garbage = new byte[random.nextInt(300)];
            random.nextBytes(garbage);
            ByteBuffer question = ByteBuffer.allocate(4 + garbage.length);
            // A length that is right, wild, or one too long.
            question.putInt(
                    switch (i % 3) {
                        case 0 -> garbage.length;
                        case 1 -> random.nextInt();
                        default -> garbage.length + 1;
                    });
            try (SocketChannel connection = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                connection.write(question.put(garbage).flip());
                connection.shutdownOutput();
                String answer = MountMessages.readLine(connection);
                assertNull(answer, "of garbage " + i);
            } catch (IOException e) {
                // It hung up before all was said.
            }
        }
        join("B", "b", "rw", false);
    }

    @Test
    void who_starts_removes_what_the_dead_have_left_and_nothing_else() throws Exception {
        start("A", "a", "rw");
        Path live = RuntimeFolder.sockets(places, image.toString()).getFirst();
        Path folder = live.getParent();
        String alive = Long.toString(ProcessHandle.current().pid());
        Set<Path> dead = Set.of(
                Files.createFile(folder.resolve("mount-0:99-999999999-1")),
                unheard(folder.resolve("volume-0123456789abcdef-999999999-1.sock")),
                // Of this very volume: who asks must not stop at it.
                unheard(folder.resolve(live.getFileName().toString().replace("-" + alive + "-", "-999999999-"))));
        join("B", "b", "rw", false);
        // One that has made its socket and does not yet listen; one of a process that cannot be seen from here; nothing
        // of ours.
        Set<Path> kept = new TreeSet<>(Set.of(
                live,
                unheard(folder.resolve("volume-0123456789abcdef-" + alive + "-1.sock")),
                Files.createFile(folder.resolve("mount-0:98-" + alive + "-1")),
                Files.createFile(folder.resolve("mount-odd")),
                Files.createFile(folder.resolve("volume-0123456789abcdef-99999999999999-1.sock"))));
        Path elsewhere = folder.resolve("volume-0123456789abcdef-999999998-1.sock");
        try (ServerSocketChannel listening = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listening.bind(UnixDomainSocketAddress.of(elsewhere));
            assertTrue(dead.stream().allMatch(Files::exists));
            assertTrue(RuntimeFolder.open(places).isPresent());
            assertTrue(dead.stream().noneMatch(Files::exists));
            assertTrue(kept.stream().allMatch(Files::exists), kept::toString);
            assertTrue(Files.exists(elsewhere));
        }
        assertTrue(RuntimeFolder.open(places).isPresent());
        assertFalse(Files.exists(elsewhere), "nobody listens there now");
    }

    /** A socket at which nobody listens. */
    private static Path unheard(Path path) throws IOException {
        try (ServerSocketChannel stale = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            stale.bind(UnixDomainSocketAddress.of(path));
        }
        return path;
    }

    @Test
    void a_folder_that_others_may_enter_or_that_is_a_link_is_not_used() throws Exception {
        Path open = Files.createDirectory(work.resolve("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path own = Files.createDirectory(
                work.resolve("own"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Path link = Files.createSymbolicLink(work.resolve("link"), own);
        assertTrue(RuntimeFolder.open(List.of(open)).isEmpty());
        assertTrue(RuntimeFolder.open(List.of(link)).isEmpty());
        assertEquals(List.of(), RuntimeFolder.existing(List.of(open, link, work.resolve("none"))));
        assertEquals(
                own, RuntimeFolder.open(List.of(open, link, own)).orElseThrow().path());
    }
}
