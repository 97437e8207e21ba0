package io.hammer2.fs;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.LwktThread;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What a snapshot costs, in process: for {@code scripts/bench snapshot}. How long it and its deletion keep everything else from being
 * changed, by the number of files; and what writers notice of one each second.
 */
final class SnapshotBenchmark {
    private static final long IMAGE_BYTES = 24L << 30;
    private static final int FILES_PER_DIRECTORY = 10_000;
    private static final int SNAPSHOTS = 200;
    private static final int WARM_UPS = 6;
    private static final int WRITE_BYTES = 4096;
    private static final int WRITERS_SECONDS = 12;
    private static final long WRITER_FILE_BYTES = 64L << 20;
    private static final double NANOS_PER_MICRO = 1e3;
    private static final double NANOS_PER_MILLI = 1e6;

    private final Lwkt lwkt;
    private final Hammer2 volume;
    private final FileSystem files;
    private int made;

    /** What somebody else does each second while there are writers. */
    private enum Beside {
        NOTHING("nothing"),
        SYNC("a commit"),
        SNAPSHOT("a snapshot");

        private final String text;

        Beside(String text) {
            this.text = text;
        }
    }

    private SnapshotBenchmark(Lwkt lwkt, Hammer2 volume) throws Hammer2Exception {
        this.lwkt = lwkt;
        this.volume = volume;
        this.files = volume.mount("DATA");
    }

    /** Arguments: an image file that is made and removed again, then numbers of files, ascending. */
    public static void main(String[] args) throws Exception {
        Path image = Path.of(args[0]);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(IMAGE_BYTES);
        }
        try (Lwkt lwkt = Lwkt.dedicated(2)) {
            List<BlockDevice> devices = BlockDevices.openAll(image.toString(), OpenMode.READ_WRITE);
            Newfs.format(devices, NewfsOptions.defaults(1, UUID::randomUUID));
            MountOptions options = MountOptions.readWrite(MountOptions.CACHE_BYTES_DEFAULT, System.err::println);
            try (Hammer2 volume = Hammer2.open(lwkt, devices, options)) {
                SnapshotBenchmark benchmark = new SnapshotBenchmark(lwkt, volume);
                // Compiled before the first figure counts.
                for (int i = 0; i < WARM_UPS; i++) {
                    benchmark.snapshots();
                }
                System.out.println(
                        "| files | snapshot in core, median us | p99 us | delete in core, median us | p99 us | durable, median ms |");
                System.out.println("|---:|---:|---:|---:|---:|---:|");
                int files = 0;
                for (int i = 1; i < args.length; i++) {
                    int wanted = Integer.parseInt(args[i]);
                    benchmark.create(files, wanted);
                    files = wanted;
                    System.out.printf("| %,d | %s |%n", files, benchmark.snapshots());
                }
                System.out.println();
                System.out.println("| each second | writes | median us | p99 us | p99.9 us | longest ms |");
                System.out.println("|---|---:|---:|---:|---:|---:|");
                for (int round = 0; round < 2; round++) {
                    for (Beside beside : Beside.values()) {
                        System.out.println("| " + beside.text + " | " + benchmark.writers(beside) + " |");
                    }
                }
            }
        } finally {
            Files.delete(image);
        }
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
    }

    private void create(int from, int to) throws Exception {
        lwkt.run(1, () -> {
            long directory = FileSystem.ROOT_INUM;
            for (int i = from; i < to; i++) {
                if (i == from || i % FILES_PER_DIRECTORY == 0) {
                    directory = files.create(
                                    FileSystem.ROOT_INUM, name("d" + i), NewInode.of(FileType.DIRECTORY, 0755, 0, 0))
                            .inum();
                }
                files.create(directory, name("f" + i), NewInode.of(FileType.REGULAR, 0644, 0, 0));
            }
            files.sync();
            return null;
        });
    }

    /** Makes and deletes some, each with a change before it. */
    private String snapshots() throws Exception {
        long[] made = new long[SNAPSHOTS];
        long[] deleted = new long[SNAPSHOTS];
        long[] durable = new long[SNAPSHOTS];
        for (int i = 0; i < SNAPSHOTS; i++) {
            int number = i;
            lwkt.run(
                    1, () -> files.setAttributes(FileSystem.ROOT_INUM, new AttributeChange().mode(0700 + number % 64)));
            Label label = Label.of("s" + this.made++);
            PfsControl.Timing timing = change(snapshot(label));
            made[i] = timing.coreNanos();
            durable[i] = timing.durableNanos();
            deleted[i] = change(new PfsChange.Delete(label)).coreNanos();
        }
        return "%.1f | %.1f | %.1f | %.1f | %.2f"
                .formatted(
                        at(made, 0.5) / NANOS_PER_MICRO,
                        at(made, 0.99) / NANOS_PER_MICRO,
                        at(deleted, 0.5) / NANOS_PER_MICRO,
                        at(deleted, 0.99) / NANOS_PER_MICRO,
                        at(durable, 0.5) / NANOS_PER_MILLI);
    }

    private static PfsChange snapshot(Label label) {
        return new PfsChange.Snapshot(
                Label.of("DATA"), label, false, new PfsChange.Ids(UUID.randomUUID(), UUID.randomUUID()));
    }

    private PfsControl.Timing change(PfsChange change) throws Exception {
        return lwkt.run(0, () -> volume.pfss().change(List.of(change)));
    }

    private static long at(long[] values, double part) {
        long[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[(int) Math.min(sorted.length - 1, (long) (sorted.length * part))];
    }

    /** One writer of 4 KiB at random places, and something beside it each second; all snapshots are kept. */
    private String writers(Beside beside) throws Exception {
        AtomicBoolean over = new AtomicBoolean();
        Thread administrator = new Thread(() -> eachSecond(beside, over), "administrator");
        administrator.start();
        long[] latencies = lwkt.run(1, this::write);
        over.set(true);
        administrator.join();
        volume.sync();
        return "%,d | %.1f | %.1f | %.1f | %.1f"
                .formatted(
                        latencies.length,
                        at(latencies, 0.5) / NANOS_PER_MICRO,
                        at(latencies, 0.99) / NANOS_PER_MICRO,
                        at(latencies, 0.999) / NANOS_PER_MICRO,
                        at(latencies, 1) / NANOS_PER_MILLI);
    }

    private void eachSecond(Beside beside, AtomicBoolean over) {
        try {
            while (!over.get()) {
                TimeUnit.SECONDS.sleep(1);
                switch (beside) {
                    case NOTHING -> {}
                    case SYNC -> volume.sync();
                    case SNAPSHOT -> change(snapshot(Label.of("each" + made++)));
                }
            }
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private long[] write() {
        MemorySegment content = MemorySegment.ofArray(new byte[WRITE_BYTES]);
        SplittableRandom random = new SplittableRandom(1);
        long inum = files.create(FileSystem.ROOT_INUM, name("w" + made++), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                .inum();
        long[] latencies = new long[1 << 22];
        int count = 0;
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WRITERS_SECONDS);
        for (long before = System.nanoTime(); before < end && count < latencies.length; ) {
            content.set(ValueLayout.JAVA_LONG_UNALIGNED, 0, random.nextLong());
            files.write(inum, random.nextLong(WRITER_FILE_BYTES) & -WRITE_BYTES, content, 0);
            long after = System.nanoTime();
            latencies[count++] = after - before;
            // Paced: what is measured is how long one must wait, and not how much there is to be written.
            LwktThread.sleep(100_000);
            before = System.nanoTime();
        }
        return Arrays.copyOf(latencies, count);
    }
}
