package io.hammer2.tools.stress;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.PfsControl;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.Message;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/** What PFSs cost: figures of volumes in this process, without FUSE. What scripts/bench pfs runs. */
final class PfsBench {
    private static final long VOLUME_BYTES = 16L << 30;
    private static final int FILES_PER_DIRECTORY = 1000;
    private static final int FILE_BYTES = 100;
    private static final int FILES_PER_COMMIT = 20_000;
    private static final int TIMES = 20;
    private static final int WRITERS = 2;
    private static final int WRITTEN_FILE_BYTES = 32 << 20;
    private static final int WRITE_BYTES = 4096;
    private static final long WRITE_SECONDS = 8;
    private static final int SNAPSHOTS = 100;
    private static final int CHANGED_BYTES = 2 << 20;
    private static final int CPUS = 2;
    private static final Label SOURCE = Label.of(NewfsOptions.DEFAULT_LABEL);

    private PfsBench() {}

    /** Arguments: {@code make IMAGE FILES}, {@code snapshot IMAGE}, {@code writers IMAGE} or {@code bulkfree IMAGE}. */
    public static void main(String[] args) throws Exception {
        Path image = Path.of(args[1]);
        switch (args[0]) {
            case "make" -> make(image, Integer.parseInt(args[2]));
            case "snapshot" -> snapshot(image);
            case "writers" -> writers(image);
            case "bulkfree" -> bulkfree(image);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void figure(String name, String unit, double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        System.out.printf(
                "%s\t%.3f\t%s\t%.3f\t%.3f%n",
                name, sorted[sorted.length / 2], unit, sorted[0], sorted[sorted.length - 1]);
    }

    private static void make(Path image, int files) throws Exception {
        Files.deleteIfExists(image);
        try (RandomAccessFile file = new RandomAccessFile(image.toFile(), "rw")) {
            file.setLength(VOLUME_BYTES);
        }
        List<BlockDevice> devices = BlockDevices.openAll(image.toString(), OpenMode.READ_WRITE);
        Newfs.format(devices, NewfsOptions.defaults(System.currentTimeMillis() * 1000, UUID::randomUUID));
        for (BlockDevice device : devices) {
            device.close();
        }
        long start = System.nanoTime();
        try (Volume volume = new Volume(image)) {
            inParallel(volume, CPUS, part -> {
                long directory = 0;
                for (int i = part; i < files; i += CPUS) {
                    int own = i / CPUS;
                    if (own % FILES_PER_DIRECTORY == 0) {
                        directory = volume.files
                                .create(
                                        FileSystem.ROOT_INUM,
                                        name("d" + part + "-" + own / FILES_PER_DIRECTORY),
                                        NewInode.of(FileType.DIRECTORY, 0755, 0, 0))
                                .inum();
                    }
                    long inum = volume.files
                            .create(directory, name("f" + i), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                            .inum();
                    volume.files.write(inum, 0, content(i), 0);
                    if (own % FILES_PER_COMMIT == FILES_PER_COMMIT - 1) {
                        volume.files.sync();
                    }
                }
            });
        }
        figure("made " + files + " files", "s", (System.nanoTime() - start) / 1e9);
    }

    private static MemorySegment content(int number) {
        byte[] bytes = new byte[FILE_BYTES];
        Arrays.fill(bytes, (byte) number);
        return MemorySegment.ofArray(bytes);
    }

    /** In core: how long nothing else could be changed; durable: with the commit that it is part of. */
    private static void snapshot(Path image) throws Exception {
        long start = System.nanoTime();
        try (Volume volume = new Volume(image)) {
            figure("mount", "ms", (System.nanoTime() - start) / 1e6);
            double[] core = new double[TIMES];
            double[] durable = new double[TIMES];
            double[] deletedCore = new double[TIMES];
            double[] deletedDurable = new double[TIMES];
            for (int i = 0; i < TIMES; i++) {
                int number = i;
                PfsControl.Timing taken =
                        volume.inside(() -> volume.volume.pfss().change(List.of(taking(number))));
                core[i] = taken.coreNanos() / 1e3;
                durable[i] = taken.durableNanos() / 1e6;
            }
            for (int i = 0; i < TIMES; i++) {
                int number = i;
                PfsControl.Timing deleted =
                        volume.inside(() -> volume.volume.pfss().change(List.of(new PfsChange.Delete(label(number)))));
                deletedCore[i] = deleted.coreNanos() / 1e3;
                deletedDurable[i] = deleted.durableNanos() / 1e6;
            }
            figure("snapshot, in core", "us", core);
            figure("snapshot, durable", "ms", durable);
            figure("delete, in core", "us", deletedCore);
            figure("delete, durable", "ms", deletedDurable);
        }
    }

    private static PfsChange taking(int number) {
        return new PfsChange.Snapshot(
                SOURCE, label(number), false, new PfsChange.Ids(UUID.randomUUID(), UUID.randomUUID()));
    }

    private static Label label(int number) {
        return Label.of("bench-" + number);
    }

    /** Writers of 4 KiB at random places, in turn without snapshots and with one every second. */
    private static void writers(Path image) throws Exception {
        try (Volume volume = new Volume(image)) {
            long[] inums = new long[WRITERS];
            for (int i = 0; i < WRITERS; i++) {
                int number = i;
                inums[i] = volume.inside(() -> filled(volume.files, "written" + number, WRITTEN_FILE_BYTES));
            }
            List<Double> p99Without = new ArrayList<>();
            List<Double> p99With = new ArrayList<>();
            List<Double> maxWithout = new ArrayList<>();
            List<Double> maxWith = new ArrayList<>();
            int taken = 0;
            for (int round = 0; round < 4; round++) {
                boolean with = round % 2 == 1;
                Latencies latencies = new Latencies();
                long end = System.nanoTime() + WRITE_SECONDS * 1_000_000_000L;
                Thread writing = Thread.ofPlatform()
                        .start(() -> inParallel(
                                volume, WRITERS, writer -> write(volume.files, inums[writer], writer, end, latencies)));
                while (with && System.nanoTime() < end - 1_000_000_000L) {
                    Thread.sleep(1000);
                    int number = 1000 + taken++;
                    volume.inside(() -> volume.volume.pfss().change(List.of(taking(number))));
                }
                writing.join();
                (with ? p99With : p99Without).add(latencies.quantile(0.99) / 1e3);
                (with ? maxWith : maxWithout).add(latencies.max.get() / 1e3);
            }
            figure("4 KiB write p99", "us", array(p99Without));
            figure("4 KiB write p99, a snapshot each second", "us", array(p99With));
            figure("4 KiB write max", "us", array(maxWithout));
            figure("4 KiB write max, a snapshot each second", "us", array(maxWith));
            for (int i = 0; i < taken; i++) {
                int number = 1000 + i;
                volume.inside(() -> volume.volume.pfss().change(List.of(new PfsChange.Delete(label(number)))));
            }
        }
    }

    private static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static long filled(FileSystem files, String name, int bytes) {
        var known = files.lookup(FileSystem.ROOT_INUM, name(name));
        long inum = known != null
                ? known.inum()
                : files.create(FileSystem.ROOT_INUM, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                        .inum();
        byte[] mib = new byte[1 << 20];
        new Random(1).nextBytes(mib);
        for (int at = 0; at < bytes; at += mib.length) {
            files.write(inum, at, MemorySegment.ofArray(mib), 0);
        }
        files.sync();
        return inum;
    }

    private static void write(FileSystem files, long inum, int seed, long endNanos, Latencies latencies) {
        SplittableRandom random = new SplittableRandom(seed);
        byte[] block = new byte[WRITE_BYTES];
        random.nextBytes(block);
        MemorySegment from = MemorySegment.ofArray(block);
        for (long now = System.nanoTime(); now < endNanos; ) {
            files.write(inum, (long) random.nextInt(WRITTEN_FILE_BYTES / WRITE_BYTES) * WRITE_BYTES, from, 0);
            long after = System.nanoTime();
            latencies.add(after - now);
            now = after;
        }
    }

    /** Counts of nanoseconds in classes an eighth wide. */
    private static final class Latencies {
        private static final int PARTS = 8;

        private final AtomicLongArray counts = new AtomicLongArray(Long.SIZE * PARTS);
        private final AtomicLong max = new AtomicLong();

        void add(long nanos) {
            int power = Long.SIZE - 1 - Long.numberOfLeadingZeros(Math.max(nanos, PARTS));
            counts.getAndIncrement(power * PARTS + (int) (nanos >>> (power - 3)) % PARTS);
            max.accumulateAndGet(nanos, Math::max);
        }

        double quantile(double part) {
            long all = 0;
            for (int i = 0; i < counts.length(); i++) {
                all += counts.get(i);
            }
            long below = 0;
            for (int i = 0; i < counts.length(); i++) {
                below += counts.get(i);
                if (below >= all * part) {
                    return Math.scalb(1 + (i % PARTS + 1) / (double) PARTS, i / PARTS);
                }
            }
            throw new IllegalStateException("nothing was measured");
        }
    }

    /** Of a volume with 100 snapshots, between which a file has changed and one has gone. */
    private static void bulkfree(Path image) throws Exception {
        try (Volume volume = new Volume(image)) {
            for (int i = 0; i < SNAPSHOTS; i++) {
                int number = 10_000 + i;
                volume.inside(() -> {
                    filled(volume.files, "changing" + number % 4, CHANGED_BYTES);
                    return volume.volume.pfss().change(List.of(taking(number)));
                });
            }
        }
        long mounting = System.nanoTime();
        try (Volume volume = new Volume(image)) {
            figure("mount with " + SNAPSHOTS + " snapshots", "ms", (System.nanoTime() - mounting) / 1e6);
            double before = peakMib();
            long start = System.nanoTime();
            BulkFreeResult result = volume.volume.bulkfree(BulkFreeResult.MEMORY_BYTES_DEFAULT);
            figure("bulkfree of " + result.passes() + " passes", "s", (System.nanoTime() - start) / 1e9);
            figure("freed", "MiB", result.freedBytes() / 1048576.0);
            figure("resident before, at most", "MiB", before);
            figure("resident, at most", "MiB", peakMib());
        }
    }

    /** VmHWM of proc(5). */
    private static double peakMib() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
                .findFirst()
                .orElseThrow();
    }

    private static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.US_ASCII));
    }

    @FunctionalInterface
    private interface Part {
        void run(int number);
    }

    private static void inParallel(Volume volume, int parts, Part body) {
        volume.inside(() -> {
            List<Message<Void>> ends = new ArrayList<>();
            for (int part = 0; part < parts; part++) {
                int number = part;
                Message<Void> end = new Message<>();
                ends.add(end);
                volume.lwkt.cpu(part % CPUS).spawn("part " + part, () -> {
                    try {
                        body.run(number);
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

    /** A volume in use, as the mount daemon would have it. */
    private static final class Volume implements AutoCloseable {
        private final Lwkt lwkt = Lwkt.dedicated(CPUS);
        private final Hammer2 volume;
        private final FileSystem files;

        Volume(Path image) throws Exception {
            volume = Hammer2.open(
                    lwkt,
                    BlockDevices.openAll(image.toString(), OpenMode.READ_WRITE),
                    MountOptions.readWrite(MountOptions.CACHE_BYTES_DEFAULT, line -> System.err.println(line)));
            files = volume.mount(null);
        }

        <T> T inside(Callable<T> body) {
            try {
                return lwkt.run(0, body);
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public void close() throws Hammer2Exception {
            volume.close();
            lwkt.close();
        }
    }
}
