package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.blockdev.RawBlockDevice;
import io.hammer2.blockdev.testing.CrashRecording;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.LoopDevice;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.RenameMode;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.fsck.ProblemCode;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.Message;
import io.hammer2.tools.stress.Scratch;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Volumes on a block device of the kernel, with O_DIRECT and the kernel's own order of requests: power cuts, kill -9, a device that fails. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class RawDeviceTest {
    private static final long DEVICE_BYTES = 64L << 20;
    private static final int SECTOR_BYTES = 4096;
    private static final long SEED = 20261126;
    private static final int CLIENTS = 3;
    private static final int FILES_EACH = 25;
    private static final long STATES = 400;

    @TempDir
    private Path folder;

    @BeforeEach
    void root_only() throws IOException {
        assumeTrue(LoopDevice.isPermitted(), "needs root for a loop device");
    }

    private LoopDevice device(Path backing, long sizeBytes) throws IOException {
        try (RandomAccessFile file = new RandomAccessFile(backing.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        return LoopDevice.over(backing, "--sector-size", Integer.toString(SECTOR_BYTES));
    }

    /** Mark of the recording: this file is durable, its fsync says. */
    private record Durable(String name) {}

    private static byte[] content(String name) {
        Random random = new Random(name.hashCode());
        byte[] content = new byte[1 + random.nextInt(300_000)];
        random.nextBytes(content);
        return content;
    }

    private static MemorySegment bytes(String name) {
        return MemorySegment.ofArray(name.getBytes(StandardCharsets.US_ASCII));
    }

    /** The contract of crashes, with the completions of a real device: nothing here is stepped, so the seed chooses the states alone. */
    @Test
    void after_a_power_cut_all_that_fsync_promised_is_on_a_raw_device() throws Exception {
        try (LoopDevice loop = device(folder.resolve("backing"), DEVICE_BYTES);
                MemoryBlockDevice initial = new MemoryBlockDevice(DEVICE_BYTES);
                CrashRecording recording = new CrashRecording(initial, SECTOR_BYTES, 128L << 20)) {
            format(initial);
            try (RawBlockDevice raw = RawBlockDevice.open(loop.node(), OpenMode.READ_WRITE)) {
                format(raw);
                work(new RecordingBlockDevice(new Borrowed(raw), recording), recording);
            }
            assertFalse(recording.isFull());
            System.out.printf("seed %d: %d crash points of a raw device%n", SEED, recording.points());
            assertTrue(recording.points() > 300, recording.points() + " points");
            long durables = 0;
            try (Lwkt lwkt = Lwkt.stepped(1, SEED)) {
                for (long state = 0; state < STATES; state++) {
                    durables += inspect(lwkt, recording.crash(SEED + state));
                }
            }
            assertTrue(durables > STATES, "files looked for: " + durables);
        }
    }

    private static void format(BlockDevice device) throws Exception {
        SplittableRandom random = new SplittableRandom(SEED);
        Newfs.format(List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
    }

    private static void work(BlockDevice device, CrashRecording recording) throws Exception {
        List<String> log = new ArrayList<>();
        try (Lwkt lwkt = Lwkt.dedicated(2);
                Hammer2 volume = Hammer2.open(
                        lwkt, List.of(device), MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
            FileSystem files = volume.mount(null);
            lwkt.run(0, () -> {
                List<Message<Void>> ends = new ArrayList<>();
                for (int client = 0; client < CLIENTS; client++) {
                    String prefix = "client" + client + "-";
                    Message<Void> end = new Message<>();
                    ends.add(end);
                    lwkt.cpu(client % 2).spawn(prefix, () -> {
                        try {
                            for (int i = 0; i < FILES_EACH; i++) {
                                write(files, prefix + i, recording);
                            }
                            end.reply(null);
                        } catch (RuntimeException | Error e) {
                            end.fail(e);
                        }
                    });
                }
                ends.forEach(Message::await);
                return null;
            });
        }
        assertEquals(List.of(), log);
    }

    /** Under another name first, as an editor does. */
    private static void write(FileSystem files, String name, CrashRecording recording) {
        MemorySegment temporary = bytes(name + ".new");
        long inum = files.create(FileSystem.ROOT_INUM, temporary, NewInode.of(FileType.REGULAR, 0644, 0, 0))
                .inum();
        files.write(inum, 0, MemorySegment.ofArray(content(name)), 0);
        files.rename(FileSystem.ROOT_INUM, temporary, FileSystem.ROOT_INUM, bytes(name), RenameMode.REPLACE);
        files.fsync(inum);
        recording.mark(new Durable(name));
    }

    /** @return how many files had to be there */
    private static long inspect(Lwkt lwkt, CrashState crash) throws Exception {
        try (BlockDevice device = crash.open()) {
            List<String> wrong = new ArrayList<>();
            Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
                if (finding.severity() == Finding.Severity.PROBLEM && finding.code() != ProblemCode.VOLHDR) {
                    wrong.add(finding.text());
                }
            });
            assertEquals(List.of(), wrong, crash::toString);
            List<Object> marks = crash.marks();
            try (Hammer2 volume = Hammer2.open(
                    lwkt,
                    List.of(new Borrowed(device)),
                    MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
                FileSystem files = volume.mount(null);
                return lwkt.run(0, () -> {
                    for (Object mark : marks) {
                        requireWhole(files, ((Durable) mark).name, crash);
                    }
                    return (long) marks.size();
                });
            }
        }
    }

    private static void requireWhole(FileSystem files, String name, CrashState crash) {
        Attributes found = files.lookup(FileSystem.ROOT_INUM, bytes(name));
        assertTrue(found != null, () -> name + " is gone: " + crash);
        MemorySegment into = MemorySegment.ofArray(new byte[(int) found.size()]);
        files.read(found.inum(), 0, into);
        assertArrayEquals(content(name), into.toArray(ValueLayout.JAVA_BYTE), () -> name + " of " + crash);
    }

    @Test
    void what_was_synced_is_on_a_raw_device_after_the_server_was_killed() throws Exception {
        try (LoopDevice loop = device(folder.resolve("backing"), 1L << 30);
                Scratch scratch = Scratch.on(loop.node())) {
            for (int round = 0; round < 3; round++) {
                scratch.mount("");
                IOException refused = assertThrows(
                        IOException.class,
                        () -> BlockDevices.openAll(loop.node().toString(), OpenMode.READ_WRITE));
                assertTrue(refused.getMessage().contains("in use by"), refused.getMessage());
                List<Path> synced = new ArrayList<>();
                for (int i = 0; i < 20; i++) {
                    Path file = scratch.root().resolve(round + "-" + i);
                    writeAndSync(file, content(file.toString()));
                    synced.add(file);
                }
                Files.write(scratch.root().resolve("not synced" + round), new byte[1 << 20]);
                scratch.kill();
                scratch.check();
                scratch.mount("");
                for (Path file : synced) {
                    assertArrayEquals(content(file.toString()), Files.readAllBytes(file), file.toString());
                }
                scratch.unmount();
                scratch.check();
            }
            assertEquals("", scratch.log());
        }
    }

    private static void writeAndSync(Path file, byte[] content) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(content));
            channel.force(true);
        }
    }

    /** The device takes no more writes under way; its medium is what fills up here. */
    @Test
    void a_device_that_fails_makes_the_volume_read_only_and_keeps_the_last_commit() throws Exception {
        Path medium = Files.createDirectory(folder.resolve("medium"));
        command("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", medium.toString());
        try {
            try (LoopDevice loop = device(medium.resolve("backing"), 1L << 30);
                    Scratch scratch = Scratch.on(loop.node())) {
                scratch.mount("");
                byte[] kept = content("kept");
                Path first = scratch.root().resolve("kept");
                writeAndSync(first, kept);
                byte[] much = new byte[8 << 20];
                // Other content each time: what comes again would be shared, and takes no space.
                Random random = new Random(SEED);
                IOException failed = assertThrows(IOException.class, () -> {
                    for (int i = 0; i < 8; i++) {
                        random.nextBytes(much);
                        writeAndSync(scratch.root().resolve("much" + i), much);
                    }
                });
                assertTrue(failed.getMessage().contains("Input/output error"), failed.getMessage());
                FileSystemException readOnly = assertThrows(
                        FileSystemException.class,
                        () -> Files.createFile(scratch.root().resolve("new")));
                assertTrue(readOnly.getReason().contains("Read-only"), readOnly.getMessage());
                assertArrayEquals(kept, Files.readAllBytes(first));
                scratch.kill();
                assertTrue(scratch.log().contains(loop.node().toString()), scratch.log());
                command("mount", "-o", "remount,size=512m", medium.toString());
                scratch.check();
                scratch.mount("");
                assertArrayEquals(kept, Files.readAllBytes(first));
                scratch.unmount();
            }
        } finally {
            command("umount", medium.toString());
        }
    }

    private static void command(String... words) throws Exception {
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
    }
}
