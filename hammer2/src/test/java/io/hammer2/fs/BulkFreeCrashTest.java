package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.CrashState;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.blockdev.testing.RecordingBlockDevice;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.fsck.ProblemCode;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.testing.Borrowed;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.LwktThread;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Power cuts while files are written and deleted and bulkfree gives their space to others: what the newest header leads to is whole,
 * and so is what each older one does.
 */
class BulkFreeCrashTest {
    private static final long ROOT = FileSystem.ROOT_INUM;
    private static final int STATES = 250;

    /** With a single copy of the header, and with four. */
    @ParameterizedTest
    @ValueSource(longs = {64L << 20, 8L << 30})
    void every_header_stays_whole_through_power_cuts(long sizeBytes) throws Exception {
        Random random = new Random(1);
        MemoryBlockDevice initial = new MemoryBlockDevice(sizeBytes);
        Newfs.format(List.of(initial), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
        RecordingBlockDevice device = RecordingBlockDevice.over(initial);
        try (var recording = device.recording()) {
            long freed = work(device);
            assertTrue(freed > 4 << 20, "freed and used again: " + freed);
            assertTrue(!recording.isFull());
            int older = 0;
            for (long seed = 1; seed <= STATES; seed++) {
                CrashState crash = recording.crash(seed);
                try (BlockDevice after = crash.open()) {
                    older += check(after, crash);
                }
            }
            assertTrue(sizeBytes < 2L << 30 || older > STATES, older + " older headers looked at");
        }
        device.close();
        initial.close();
    }

    /** Two writers in the middle of which bulkfree runs, again and again. */
    private static long work(BlockDevice device) throws Exception {
        List<String> log = new ArrayList<>();
        long freed = 0;
        try (Lwkt lwkt = Lwkt.stepped(2, 3);
                Hammer2 volume = Hammer2.open(
                        lwkt,
                        List.of(new Borrowed(device)),
                        MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add))) {
            FileSystem files = volume.mount("DATA");
            boolean[] ended = new boolean[2];
            for (int writer = 0; writer < 2; writer++) {
                int number = writer;
                lwkt.cpu(writer).spawn("writer", () -> {
                    write(files, number);
                    ended[number] = true;
                });
            }
            while (!ended[0] || !ended[1]) {
                freed += volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT).freedBytes();
            }
        }
        assertEquals(List.of(), log);
        return freed;
    }

    private static void write(FileSystem files, int number) {
        Random random = new Random(number);
        for (int i = 0; i < 150; i++) {
            MemorySegment name =
                    MemorySegment.ofArray(("w" + number + random.nextInt(12)).getBytes(StandardCharsets.US_ASCII));
            if (files.lookup(ROOT, name) != null) {
                files.unlink(ROOT, name);
            }
            byte[] content = new byte[1 + random.nextInt(200_000)];
            random.nextBytes(content);
            long inum = files.create(ROOT, name, NewInode.of(FileType.REGULAR, 0644, 0, 0))
                    .inum();
            files.write(inum, 0, MemorySegment.ofArray(content), 0);
            if (random.nextInt(8) == 0) {
                files.sync();
            }
            LwktThread.yieldNow();
        }
    }

    /** @return how many older headers there are */
    private static int check(BlockDevice after, CrashState crash) throws Exception {
        List<String> wrong = new ArrayList<>();
        int[] older = new int[1];
        Fsck.check(List.of(after), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM && finding.code() != ProblemCode.VOLHDR) {
                wrong.add(finding.text());
            }
            if (finding.text().startsWith("older header")) {
                older[0]++;
                if (!finding.text().endsWith("complete")) {
                    wrong.add(finding.text());
                }
            }
        });
        assertEquals(List.of(), wrong, crash::toString);
        return older[0];
    }
}
