package io.hammer2.fs.testing;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.testing.MemoryBlockDevice;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.Hammer2;
import io.hammer2.fs.Hammer2Exception;
import io.hammer2.fs.MountOptions;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.fsck.FsckResult;
import io.hammer2.fs.fsck.ProblemCode;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsOptions;
import io.hammer2.lwkt.Cpu;
import io.hammer2.lwkt.Lwkt;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.function.UnaryOperator;

/** A file system in memory and its PFS DATA, mounted by two stepped cpus, with what a test of file contents does all the time. */
public final class SteppedVolume implements AutoCloseable {
    private static final long ROOT = FileSystem.ROOT_INUM;

    /** What the mount has logged. */
    public final List<String> log = new ArrayList<>();

    private final MemoryBlockDevice disk;
    private Lwkt lwkt;
    private Hammer2 volume;
    private FileSystem files;

    /** @param sizeBytes of the disk */
    public SteppedVolume(long sizeBytes) {
        disk = new MemoryBlockDevice(sizeBytes);
    }

    public MemoryBlockDevice disk() {
        return disk;
    }

    public void format() throws Exception {
        Random random = new Random(1);
        Newfs.format(List.of(disk), NewfsOptions.defaults(1, () -> new UUID(random.nextLong(), random.nextLong())));
    }

    public void mount() throws Exception {
        mount(disk, 1, options -> options);
    }

    /**
     * Mounts it, without commits by time.
     *
     * @param device the disk, or what records it or was made of it
     * @param seed of the order in which cpus do things
     */
    public void mount(BlockDevice device, long seed, UnaryOperator<MountOptions> options) throws Exception {
        lwkt = Lwkt.stepped(2, seed);
        volume = Hammer2.open(
                lwkt,
                List.of(new Borrowed(device)),
                options.apply(MountOptions.readWrite(MountOptions.CACHE_BYTES_MIN, log::add)
                        .withSyncIntervalNanos(3_600_000_000_000L)));
        files = volume.mount("DATA");
    }

    public void unmount() throws Hammer2Exception {
        volume.close();
        volume = null;
        lwkt.close();
    }

    @Override
    public void close() throws Hammer2Exception {
        if (volume != null) {
            unmount();
        }
        disk.close();
    }

    public Lwkt lwkt() {
        return lwkt;
    }

    public Hammer2 volume() {
        return volume;
    }

    public FileSystem files() {
        return files;
    }

    /** One of the two. */
    public Cpu cpu(int number) {
        return lwkt.cpu(number);
    }

    /** Runs on a cpu that is not the volume's. */
    public <T> T on(Callable<T> body) throws Exception {
        return lwkt.run(1, body);
    }

    public void sync() throws Exception {
        on(() -> {
            files.sync();
            return null;
        });
    }

    public static MemorySegment name(String text) {
        return MemorySegment.ofArray(text.getBytes(StandardCharsets.UTF_8));
    }

    /** @return the number of a new, empty file in the root */
    public long create(String name) throws Exception {
        return on(() -> files.create(ROOT, name(name), NewInode.of(FileType.REGULAR, 0644, 0, 0))
                .inum());
    }

    /** @return the number of a new file with this content */
    public long create(String name, byte[] content) throws Exception {
        long inum = create(name);
        write(inum, content);
        return inum;
    }

    /** Writes from the beginning of a file on. */
    public void write(long inum, byte[] content) throws Exception {
        on(() -> {
            MemorySegment all = MemorySegment.ofArray(content);
            for (long at = 0; at < content.length; at += 1 << 20) {
                files.write(inum, at, all.asSlice(at, Math.min(1 << 20, content.length - at)), 0);
            }
            return null;
        });
    }

    public byte[] content(long inum) throws Exception {
        return on(() -> {
            byte[] bytes = new byte[(int) files.attributes(inum).size()];
            files.read(inum, 0, MemorySegment.ofArray(bytes));
            return bytes;
        });
    }

    /** {@code data_off} of each different block of a file in the last commit. */
    public Set<Long> places(long inum) throws Exception {
        Set<Long> places = new TreeSet<>();
        on(() -> files.storedBlocks(inum, 0, (offset, dataOff, methods, check) -> {
            places.add(dataOff);
            return true;
        }));
        return places;
    }

    /** Codes of the compression methods of the blocks of a file in the last commit. */
    public Set<Integer> encodings(long inum) throws Exception {
        Set<Integer> encodings = new TreeSet<>();
        on(() -> files.storedBlocks(inum, 0, (offset, dataOff, methods, check) -> {
            encodings.add(methods & 0xF);
            return true;
        }));
        return encodings;
    }

    /**
     * Verifies the disk.
     *
     * @return what fsck has counted; it has found nothing
     */
    public FsckResult checked() {
        List<String> problems = new ArrayList<>();
        FsckResult result = Fsck.check(List.of(disk), FsckOptions.DEFAULT, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM) {
                problems.add(finding.text());
            }
        });
        if (!problems.isEmpty()) {
            throw new AssertionError(problems);
        }
        return result;
    }

    /** What fsck finds, but for torn copies of headers, of which a power cut may leave one. */
    public static List<String> problems(BlockDevice device) {
        return problems(device, FsckOptions.DEFAULT);
    }

    /** As {@link #problems(BlockDevice)}, with other options of the checker. */
    public static List<String> problems(BlockDevice device, FsckOptions options) {
        List<String> problems = new ArrayList<>();
        Fsck.check(List.of(device), options, finding -> {
            if (finding.severity() == Finding.Severity.PROBLEM && finding.code() != ProblemCode.VOLHDR) {
                problems.add(finding.text());
            }
        });
        return problems;
    }
}
