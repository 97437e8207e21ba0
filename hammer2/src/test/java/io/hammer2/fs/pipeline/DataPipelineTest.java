package io.hammer2.fs.pipeline;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** A stream through the whole pipeline, in worlds with and without other cpus to help. */
final class DataPipelineTest {
    private static final MemorySegment NAME = MemorySegment.ofArray("stream".getBytes(StandardCharsets.UTF_8));

    /** Text, noise, holes and text again, and an end inside a block. */
    private static byte[] stream() {
        Random random = new Random(5);
        byte[] content = new byte[6 * (1 << 20) + 12_345];
        for (int at = 0; at < content.length; at++) {
            int part = at >> 20;
            content[at] = (byte)
                    switch (part) {
                        case 1, 4 -> random.nextInt();
                        case 2 -> 0;
                        default -> random.nextInt(8) == 0 || at == 0 ? random.nextInt(4) : content[at - 1];
                    };
        }
        return content;
    }

    private static MemoryBlockDevice format() throws Exception {
        Random random = new Random(1);
        MemoryBlockDevice device = new MemoryBlockDevice(128L << 20);
        Newfs.format(List.of(device), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
        return device;
    }

    /** @return bytes that the file has on the medium, and how often the last cpu was asked to do anything */
    private static long[] writeAndRead(int cpus, byte[] content) throws Exception {
        List<String> log = new ArrayList<>();
        MemoryBlockDevice device = format();
        MountOptions options = MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add);
        long[] found = new long[2];
        try (Lwkt lwkt = Lwkt.stepped(cpus, cpus);
                Hammer2 volume = Hammer2.open(lwkt, List.of(new Borrowed(device)), options)) {
            FileSystem files = volume.mount("DATA");
            found[0] = lwkt.run(0, () -> {
                long inum = files.create(FileSystem.ROOT_INUM, NAME, NewInode.of(FileType.REGULAR, 0644, 0, 0))
                        .inum();
                for (int at = 0; at < content.length; at += 1 << 20) {
                    int length = Math.min(1 << 20, content.length - at);
                    files.write(inum, at, MemorySegment.ofArray(content).asSlice(at, length), 0);
                }
                files.sync();
                return files.attributes(inum).blocks512() * 512;
            });
            found[1] = lwkt.cpu(cpus - 1).statistics().events();
        }
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(lwkt, List.of(new Borrowed(device)), options)) {
            FileSystem files = volume.mount("DATA");
            byte[] read = lwkt.run(0, () -> {
                MemorySegment into = MemorySegment.ofArray(new byte[content.length]);
                long inum = files.lookup(FileSystem.ROOT_INUM, NAME).inum();
                assertEquals(content.length, files.read(inum, 0, into));
                return into.toArray(ValueLayout.JAVA_BYTE);
            });
            assertArrayEquals(content, read);
        }
        List<String> problems = new ArrayList<>();
        Fsck.check(List.of(device), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        assertEquals(List.of(), problems);
        assertEquals(List.of(), log);
        return found;
    }

    @Test
    void a_stream_is_stored_alike_whether_other_cpus_help_or_not() throws Exception {
        byte[] content = stream();
        long alone = writeAndRead(1, content)[0];
        assertTrue(alone < content.length * 3 / 4, alone + " of " + content.length);
        for (int cpus : new int[] {2, 5}) {
            long[] helped = writeAndRead(cpus, content);
            assertEquals(alone, helped[0], cpus + " cpus");
            assertTrue(helped[1] >= 3, "only " + helped[1] + " events on the last of " + cpus + " cpus");
        }
    }

    /** Overwrites, cuts and extends a file on one cpu while others commit it again and again. */
    @Test
    void what_is_changed_while_it_is_encoded_is_not_lost() throws Exception {
        for (int seed = 1; seed <= 25; seed++) {
            changeWhileCommitting(seed);
        }
    }

    private static void changeWhileCommitting(int seed) throws Exception {
        Random random = new Random(seed);
        MemoryBlockDevice device = format();
        List<String> log = new ArrayList<>();
        MountOptions options = MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add);
        byte[] model = new byte[1 << 20];
        int[] size = {0};
        try (Lwkt lwkt = Lwkt.stepped(3, seed);
                Hammer2 volume = Hammer2.open(lwkt, List.of(new Borrowed(device)), options)) {
            FileSystem files = volume.mount("DATA");
            lwkt.run(1, () -> {
                long inum = files.create(FileSystem.ROOT_INUM, NAME, NewInode.of(FileType.REGULAR, 0644, 0, 0))
                        .inum();
                for (int i = 0; i < 30; i++) {
                    if (i % 5 == 0) {
                        Cpu.current().lwkt().cpu(2).post(files::sync);
                    }
                    change(files, inum, random, model, size);
                    MemorySegment read = MemorySegment.ofArray(new byte[size[0]]);
                    assertEquals(size[0], files.read(inum, 0, read));
                    assertEquals(-1, read.mismatch(MemorySegment.ofArray(model).asSlice(0, size[0])), "seed " + seed);
                }
                return null;
            });
        }
        try (Lwkt lwkt = Lwkt.stepped(1, 1);
                Hammer2 volume = Hammer2.open(lwkt, List.of(new Borrowed(device)), options)) {
            FileSystem files = volume.mount("DATA");
            MemorySegment read = MemorySegment.ofArray(new byte[size[0]]);
            lwkt.run(
                    0, () -> files.read(files.lookup(FileSystem.ROOT_INUM, NAME).inum(), 0, read));
            assertEquals(-1, read.mismatch(MemorySegment.ofArray(model).asSlice(0, size[0])), "seed " + seed);
        }
        assertEquals(List.of(), log);
    }

    private static void change(FileSystem files, long inum, Random random, byte[] model, int[] size) {
        int at = random.nextInt(model.length);
        if (random.nextInt(6) == 0) {
            Arrays.fill(model, Math.min(at, size[0]), model.length, (byte) 0);
            size[0] = at;
            files.setAttributes(inum, new AttributeChange().size(at));
            return;
        }
        byte[] bytes = new byte[1 + random.nextInt(Math.min(400_000, model.length - at))];
        if (random.nextBoolean()) {
            random.nextBytes(bytes);
        } else {
            Arrays.fill(bytes, (byte) random.nextInt());
        }
        System.arraycopy(bytes, 0, model, at, bytes.length);
        size[0] = Math.max(size[0], at + bytes.length);
        files.write(inum, at, MemorySegment.ofArray(bytes), 0);
    }
}
