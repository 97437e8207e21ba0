package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Fault;
import io.hammer2.blockdev.testing.FaultyBlockDevice.Faults;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.fs.volume.HeaderChoice;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** File systems of several volumes, written to; the first has little room. */
class SeveralVolumesTest {
    private static final long MIB = 1 << 20;
    private static final int FILE_BYTES = 1 << 20;

    private final List<MemoryBlockDevice> disks = new ArrayList<>();
    private final List<String> log = new ArrayList<>();
    private final Random random = new Random(1);

    private void format(long... sizesMib) throws Exception {
        for (long size : sizesMib) {
            disks.add(new MemoryBlockDevice(size * MIB));
        }
        // The areas take most of the first volume.
        Newfs.format(
                List.copyOf(disks),
                new NewfsOptions(
                        2,
                        8 * MIB,
                        1000 * MIB,
                        List.of("DATA"),
                        1,
                        () -> new UUID(random.nextLong(), random.nextLong())));
    }

    @AfterEach
    void close() {
        disks.forEach(MemoryBlockDevice::close);
    }

    @Test
    void all_volumes_are_filled_and_their_space_comes_back() throws Exception {
        format(1024, 64);
        List<byte[]> contents = new ArrayList<>();
        try (Lwkt lwkt = Lwkt.stepped(2, 1);
                Hammer2 volume = open(lwkt, borrowed())) {
            FileSystem files = volume.mount("DATA");
            lwkt.run(1, () -> {
                fill(files, contents);
                return null;
            });
        }
        // 8 MiB of the first, 60 MiB of the second, less what is kept back for deleting.
        assertTrue(contents.size() >= 60, contents.size() + " MiB");
        assertEquals(List.of(), problems());
        try (Lwkt lwkt = Lwkt.stepped(2, 2);
                Hammer2 volume = open(lwkt, borrowed())) {
            FileSystem files = volume.mount("DATA");
            lwkt.run(1, () -> {
                for (int i = 0; i < contents.size(); i += 7) {
                    assertArrayEquals(contents.get(i), read(files, i));
                }
                for (int i = 0; i < contents.size(); i++) {
                    files.unlink(FileSystem.ROOT_INUM, name(i));
                }
                return null;
            });
            BulkFreeResult ignored = volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            assertEquals(0, ignored.damageCount());
            StatFs free = lwkt.run(1, files::statfs);
            assertTrue(free.blocksFree() * free.blockBytes() >= 64 * MIB, free.toString());
        }
        assertEquals(List.of(), problems());
        assertEquals(List.of(), log);
    }

    /** A commit needs all devices; without one there is none, and the last one stays, on all of them. */
    @ParameterizedTest
    @CsvSource({"0, WRITE_ERROR", "1, WRITE_ERROR", "0, FLUSH_ERROR", "1, FLUSH_ERROR", "2, FLUSH_ERROR"})
    void when_one_device_fails_the_last_commit_stays(int failing, Fault fault) throws Exception {
        format(1024, 1024, 32);
        byte[] content = new byte[12 * FILE_BYTES];
        random.nextBytes(content);
        List<BlockDevice> devices = new ArrayList<>(borrowed());
        FaultyBlockDevice faulty = new FaultyBlockDevice(devices.get(failing), 1, Faults.NONE);
        devices.set(failing, faulty);
        long committed;
        try (Lwkt lwkt = Lwkt.stepped(2, 1)) {
            Hammer2 volume = open(lwkt, devices);
            FileSystem files = volume.mount("DATA");
            lwkt.run(1, () -> {
                write(files, 0, content);
                files.sync();
                return null;
            });
            committed = volume.info().mirrorTid();
            faulty.alwaysAt(fault, 0, Long.MAX_VALUE);
            FsException failure = assertThrows(
                    FsException.class,
                    () -> lwkt.run(1, () -> {
                        write(files, 1, content);
                        files.sync();
                        return null;
                    }));
            assertEquals(Errno.EIO, failure.errno());
            FsException refusal = assertThrows(
                    FsException.class,
                    () -> lwkt.run(1, () -> {
                        files.unlink(FileSystem.ROOT_INUM, name(0));
                        return null;
                    }));
            assertEquals(Errno.EROFS, refusal.errno());
            assertThrows(Hammer2Exception.class, volume::close);
        }
        // That of the device that failed may be torn, and is not needed.
        assertEquals(committed, HeaderChoice.of(disks.getFirst()).header().mirrorTid());
        assertEquals(List.of(), problems());
        try (Lwkt lwkt = Lwkt.stepped(2, 2);
                Hammer2 volume = open(lwkt, borrowed())) {
            FileSystem files = volume.mount("DATA");
            assertArrayEquals(content, lwkt.run(1, () -> read(files, 0)));
            lwkt.run(1, () -> {
                write(files, 2, content);
                return null;
            });
        }
        assertEquals(List.of(), problems());
    }

    private List<BlockDevice> borrowed() {
        return disks.stream().map(disk -> (BlockDevice) new Borrowed(disk)).toList();
    }

    private Hammer2 open(Lwkt lwkt, List<BlockDevice> devices) throws Hammer2Exception {
        return Hammer2.open(lwkt, devices, MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add));
    }

    private void fill(FileSystem files, List<byte[]> contents) {
        while (true) {
            byte[] content = new byte[FILE_BYTES];
            random.nextBytes(content);
            try {
                write(files, contents.size(), content);
                contents.add(content);
            } catch (FsException e) {
                assertEquals(Errno.ENOSPC, e.errno());
                files.unlink(FileSystem.ROOT_INUM, name(contents.size()));
                return;
            }
        }
    }

    private static MemorySegment name(int number) {
        return MemorySegment.ofArray(("file " + number).getBytes(StandardCharsets.UTF_8));
    }

    private static void write(FileSystem files, int number, byte[] content) {
        long inum = files.create(FileSystem.ROOT_INUM, name(number), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                .inum();
        for (int at = 0; at < content.length; at += FILE_BYTES) {
            files.write(inum, at, MemorySegment.ofArray(content).asSlice(at, FILE_BYTES), 0);
        }
    }

    private static byte[] read(FileSystem files, int number) {
        long inum = files.lookup(FileSystem.ROOT_INUM, name(number)).inum();
        MemorySegment into =
                MemorySegment.ofArray(new byte[(int) files.attributes(inum).size()]);
        files.read(inum, 0, into);
        return into.toArray(ValueLayout.JAVA_BYTE);
    }

    private List<String> problems() {
        List<String> problems = new ArrayList<>();
        Fsck.check(List.copyOf(disks), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        return problems;
    }
}
