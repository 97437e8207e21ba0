package io.hammer2.tools.stress;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.PfsControl;
import io.hammer2.fs.freemap.BulkFreeResult;
import io.hammer2.fs.freemap.SpaceReport;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.fs.pfs.Label;
import io.hammer2.fs.pfs.PfsChange;
import io.hammer2.lwkt.Lwkt;
import io.hammer2.lwkt.LwktThread;
import io.hammer2.lwkt.Message;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.ToDoubleFunction;

/** What PFSs cost: figures of volumes in this process, without FUSE. What scripts/bench pfs runs. */
final class PfsBench {
    private static final long VOLUME_BYTES = 16L << 30;
    private static final int FILES_PER_DIRECTORY = 1000;
    private static final int FILE_BYTES = 100;
    private static final int FILES_PER_COMMIT = 20_000;
    private static final int TIMES = 20;

    /** Snapshots made and deleted before the figures count: a JVM compiles what it runs often. */
    private static final int[] BEFORE = {0, 500, 2000};

    private static final int ROUNDS = 2;
    private static final long PAUSE_NANOS = 100_000;
    private static final int WRITTEN_FILE_BYTES = 64 << 20;
    private static final int WRITE_BYTES = 4096;
    private static final long WRITE_SECONDS = 8;
    private static final int SNAPSHOTS = 100;
    private static final int CHANGED_BYTES = 2 << 20;
    private static final int CPUS = 2;
    private static final Label SOURCE = Label.of(NewfsOptions.DEFAULT_LABEL);

    private PfsBench() {}

    /** Arguments: {@code make IMAGE FILES}, {@code snapshot IMAGE}, {@code writers IMAGE}, {@code bulkfree IMAGE} or {@code df IMAGE}. */
    public static void main(String[] args) throws Exception {
        Path image = Path.of(args[1]);
        switch (args[0]) {
            case "make" -> make(image, Integer.parseInt(args[2]));
            case "snapshot" -> snapshot(image);
            case "writers" -> writers(image);
            case "bulkfree" -> bulkfree(image);
            case "df" -> df(image);
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
            int taken = 0;
            for (int before : BEFORE) {
                for (; taken < before; taken++) {
                    takeAndDelete(volume, taken);
                }
                figures(volume, taken, "after " + taken);
                taken += TIMES;
            }
        }
    }

    private static void figures(Volume volume, int first, String when) {
        double[] core = new double[TIMES];
        double[] durable = new double[TIMES];
        double[] deletedCore = new double[TIMES];
        double[] deletedDurable = new double[TIMES];
        for (int i = 0; i < TIMES; i++) {
            List<PfsControl.Timing> timings = takeAndDelete(volume, first + i);
            core[i] = timings.getFirst().coreNanos() / 1e3;
            durable[i] = timings.getFirst().durableNanos() / 1e6;
            deletedCore[i] = timings.getLast().coreNanos() / 1e3;
            deletedDurable[i] = timings.getLast().durableNanos() / 1e6;
        }
        figure("snapshot, in core, " + when, "us", core);
        figure("snapshot, durable, " + when, "ms", durable);
        figure("delete, in core, " + when, "us", deletedCore);
        figure("delete, durable, " + when, "ms", deletedDurable);
    }

    /** With a change before it, so that there is something to be copied. */
    private static List<PfsControl.Timing> takeAndDelete(Volume volume, int number) {
        return volume.inside(() -> {
            volume.files.setAttributes(FileSystem.ROOT_INUM, new AttributeChange().mode(0700 + number % 64));
            PfsControl.Timing taken = volume.volume.pfss().change(List.of(taking(number)));
            return List.of(taken, volume.volume.pfss().change(List.of(new PfsChange.Delete(label(number)))));
        });
    }

    private static PfsChange taking(int number) {
        return new PfsChange.Snapshot(
                SOURCE, label(number), false, new PfsChange.Ids(UUID.randomUUID(), UUID.randomUUID()));
    }

    private static Label label(int number) {
        return Label.of("bench-" + number);
    }

    /** What somebody does each second beside a writer. */
    private enum Beside {
        NOTHING("nothing"),
        COMMIT("a commit"),
        SNAPSHOT("a snapshot");

        private final String text;

        Beside(String text) {
            this.text = text;
        }
    }

    /** A writer of 4 KiB at random places, in turn beside nothing, a commit and a snapshot every second. */
    private static void writers(Path image) throws Exception {
        try (Volume volume = new Volume(image)) {
            long inum = volume.inside(() -> filled(volume.files, "written", WRITTEN_FILE_BYTES));
            int taken = 1000;
            List<PfsChange> deletions = new ArrayList<>();
            Map<Beside, List<Latencies>> measured = new EnumMap<>(Beside.class);
            for (int round = 0; round < ROUNDS; round++) {
                for (Beside beside : Beside.values()) {
                    Latencies latencies = new Latencies();
                    long end = System.nanoTime() + WRITE_SECONDS * 1_000_000_000L;
                    Thread writing = Thread.ofPlatform()
                            .start(() ->
                                    inParallel(volume, 1, writer -> write(volume.files, inum, writer, end, latencies)));
                    while (System.nanoTime() < end - 1_000_000_000L) {
                        Thread.sleep(1000);
                        int number = taken++;
                        switch (beside) {
                            case NOTHING -> {}
                            case COMMIT -> volume.volume.sync();
                            case SNAPSHOT -> {
                                volume.inside(() -> volume.volume.pfss().change(List.of(taking(number))));
                                deletions.add(new PfsChange.Delete(label(number)));
                            }
                        }
                    }
                    writing.join();
                    measured.computeIfAbsent(beside, each -> new ArrayList<>()).add(latencies);
                }
            }
            volume.inside(() -> volume.volume.pfss().change(deletions));
            measured.forEach((beside, rounds) -> {
                String each = ", each second " + beside.text;
                figure("4 KiB write median" + each, "us", micros(rounds, latencies -> latencies.quantile(0.5)));
                figure("4 KiB write p99" + each, "us", micros(rounds, latencies -> latencies.quantile(0.99)));
                figure("4 KiB write p99.9" + each, "us", micros(rounds, latencies -> latencies.quantile(0.999)));
                figure("4 KiB write max" + each, "us", micros(rounds, latencies -> latencies.max.get()));
            });
        }
    }

    private static double[] micros(List<Latencies> rounds, ToDoubleFunction<Latencies> nanos) {
        return rounds.stream().mapToDouble(nanos).map(value -> value / 1e3).toArray();
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
            // Paced: what is measured is how long one must wait, and not how much there is to be written.
            LwktThread.sleep(PAUSE_NANOS);
            now = System.nanoTime();
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

    /** What hammer2 df asks for, of a volume that is in use. */
    private static void df(Path image) throws Exception {
        long mounting = System.nanoTime();
        try (Volume volume = new Volume(image)) {
            figure("mount", "ms", (System.nanoTime() - mounting) / 1e6);
            double before = peakMib();
            long start = System.nanoTime();
            SpaceReport report = volume.volume.spaceReport(BulkFreeResult.MEMORY_BYTES_DEFAULT, percent -> {});
            figure("df of " + report.pfss().size() + " PFSs", "s", (System.nanoTime() - start) / 1e9);
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
