package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.LwktThread;
import io.hammer2.lwkt.Message;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Blocks of a file that is written at random places while what is dirty of it goes to the medium ahead of commits. Each block tells which
 * one it is, so that none can stand in for another unnoticed.
 */
final class WriteAheadTest {
    private static final long VOLUME_BYTES = 512L << 20;
    private static final int BLOCKS = 320;
    private static final int WRITES = 3000;
    private static final int COMMITS = 6;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

    private final long[] versions = new long[BLOCKS];

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void what_is_written_while_blocks_are_written_ahead_is_what_is_read(long seed) throws Exception {
        SplittableRandom random = new SplittableRandom(seed);
        MemoryBlockDevice device = new MemoryBlockDevice(VOLUME_BYTES);
        NewfsOptions options = NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong()));
        Newfs.format(List.of(device), options);
        mounted(seed, device, files -> {
            MemorySegment name = MemorySegment.ofArray("file".getBytes(StandardCharsets.US_ASCII));
            long inum = files.create(FileSystem.ROOT_INUM, name, NewInode.of(FileType.REGULAR, 0644, 0, 0))
                    .inum();
            for (int block = 0; block < BLOCKS; block++) {
                write(files, inum, block);
            }
            Message<Void> ends = new Message<>();
            Cpu.current().lwkt().cpu(0).spawn("commits", () -> {
                try {
                    for (int i = 0; i < COMMITS; i++) {
                        files.sync();
                    }
                    ends.reply(null);
                } catch (RuntimeException | Error e) {
                    ends.fail(e);
                }
            });
            for (int i = 0; i < WRITES; i++) {
                write(files, inum, random.nextInt(BLOCKS));
                LwktThread.yieldNow();
            }
            ends.await();
            verify(files, inum, "in use");
        });
        mounted(
                seed,
                device,
                files -> verify(
                        files,
                        files.lookup(
                                        FileSystem.ROOT_INUM,
                                        MemorySegment.ofArray("file".getBytes(StandardCharsets.US_ASCII)))
                                .inum(),
                        "mounted anew"));
    }

    @FunctionalInterface
    private interface Body {
        void run(FileSystem files) throws Exception;
    }

    private static void mounted(long seed, MemoryBlockDevice device, Body body) throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(2, seed);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        List.of(new Borrowed(device)),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, line -> {}))) {
            FileSystem files = volume.mount(null);
            lwkt.run(1, () -> {
                body.run(files);
                return null;
            });
        }
    }

    /** A block begins with its number and version, and has its number at the end, so that a write of its beginning needs the rest. */
    private void write(FileSystem files, long inum, int block) {
        boolean whole = versions[block] == 0;
        MemorySegment bytes = MemorySegment.ofArray(new byte[whole ? Limits.BLOCK_BYTES_MAX : 2 * Long.BYTES]);
        bytes.set(LONG, 0, block);
        bytes.set(LONG, Long.BYTES, ++versions[block]);
        if (whole) {
            bytes.set(LONG, Limits.BLOCK_BYTES_MAX - Long.BYTES, block);
        }
        files.write(inum, (long) block * Limits.BLOCK_BYTES_MAX, bytes, 0);
    }

    private void verify(FileSystem files, long inum, String when) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[Limits.BLOCK_BYTES_MAX]);
        for (int block = 0; block < BLOCKS; block++) {
            assertEquals(bytes.byteSize(), files.read(inum, (long) block * Limits.BLOCK_BYTES_MAX, bytes));
            String which = "block " + block + ", " + when;
            assertEquals(block, bytes.get(LONG, 0), which);
            assertEquals(versions[block], bytes.get(LONG, Long.BYTES), which + ", version");
            assertEquals(block, bytes.get(LONG, Limits.BLOCK_BYTES_MAX - Long.BYTES), which + ", its end");
        }
    }
}
