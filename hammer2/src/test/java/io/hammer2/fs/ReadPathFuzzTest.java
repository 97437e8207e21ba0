package io.hammer2.fs;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.Limits;
import io.hammer2.fs.testing.ImageMutator;
import io.hammer2.fs.testing.InteropImages;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Hostile variants of real images, mounted in process and walked: each operation ends in a result or a named error, in bounded
 * time and memory. The seeds are fixed; {@code -Dfuzz.seed=N} begins elsewhere and {@code -Dfuzz.count=N} goes on for longer.
 */
final class ReadPathFuzzTest {
    /** Small images whose structures differ; those that the project ships are among them. */
    private static final List<String> IMAGES = List.of(
            "v09-version1",
            "v10-labels",
            "v16-metadata",
            "m01-two-volumes",
            "v04-zlib",
            "v06-sha192",
            "v11-snapshots",
            "v13-grown",
            "v15-aged",
            "v17-mixed",
            "v18-boot",
            "v19-hugefile",
            "v20-crash",
            "v21-freemap-lag");

    private static final int COUNT = 2100;
    private static final int PFS_MAX = 6;
    private static final int OBJECTS_MAX = 600;
    private static final int ENTRIES_MAX = 3000;
    private static final int READ_BYTES = 96 << 10;
    private static final int READS_MAX = 6;
    private static final int SEEKS_MAX = 40;
    private static final int PIECE = 100;
    private static final long SECONDS_MAX = 20;
    private static final long ALLOCATED_BYTES_MAX = 1L << 30;
    private static final int LOG_LINES_MAX = 100_000;

    private int refusedCount;
    private int errorCount;
    private int objectCount;

    @Test
    @Timeout(value = 15, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void every_operation_on_a_mutation_of_a_real_image_ends_in_a_result_or_a_named_error() throws Exception {
        long firstSeed = Long.getLong("fuzz.seed", 1);
        int count = Integer.getInteger("fuzz.count", COUNT);
        List<InteropImages.Image> images = IMAGES.stream()
                .flatMap(name -> InteropImages.find(name).stream())
                .toList();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int mutations = 0;
        long slowestMillis = 0;
        long mostBytes = 0;
        for (int i = 0; i < images.size(); i++) {
            int here = count / images.size() + (i < count % images.size() ? 1 : 0);
            try (ImageMutator mutator = ImageMutator.open(images.get(i))) {
                for (long seed = firstSeed; seed < firstSeed + here; seed++) {
                    ImageMutator.Mutation mutation = mutator.mutate(seed);
                    long bytes = threads.getCurrentThreadAllocatedBytes();
                    long start = System.nanoTime();
                    walk(mutation);
                    long millis = (System.nanoTime() - start) / 1_000_000;
                    bytes = threads.getCurrentThreadAllocatedBytes() - bytes;
                    assertTrue(millis < SECONDS_MAX * 1000, () -> mutation + ": took " + millis + " ms");
                    assertTrue(bytes < ALLOCATED_BYTES_MAX, mutation + ": allocated " + bytes + " bytes");
                    mutations++;
                    slowestMillis = Math.max(slowestMillis, millis);
                    mostBytes = Math.max(mostBytes, bytes);
                }
            }
        }
        System.out.printf(
                "read fuzz: %d mutations from seed %d, %d refused, %d objects, %d errors; slowest %d ms, most allocated"
                        + " %d KiB%n",
                mutations, firstSeed, refusedCount, objectCount, errorCount, slowestMillis, mostBytes >> 10);
        assertTrue(mutations >= 2000 || count < 2000, "only " + mutations + " mutations");
        assertTrue(errorCount > 0 && refusedCount > 0, "a fuzzer that meets no error tests nothing");
    }

    private void walk(ImageMutator.Mutation mutation) {
        List<String> log = new ArrayList<>();
        MountOptions options = MountOptions.readOnly(MountOptions.CACHE_BYTES_MIN, log::add);
        try (Lwkt lwkt = Lwkt.stepped(1, mutation.seed());
                Hammer2 volume = Hammer2.open(lwkt, mutation.volumes(), options)) {
            assertNotNull(volume.info());
            int mounted = 0;
            for (PfsInfo pfs : volume.pfsList()) {
                if (mounted++ == PFS_MAX) {
                    break;
                }
                try {
                    FileSystem fs = volume.mount(pfs.label());
                    lwkt.run(0, () -> {
                        new Walk(fs).run();
                        return null;
                    });
                } catch (Hammer2Exception e) {
                    refused(mutation, e);
                }
            }
        } catch (Hammer2Exception e) {
            refused(mutation, e);
        } catch (Exception | Error e) {
            throw new AssertionError("an exception escaped: " + mutation, e);
        }
        assertTrue(log.size() < LOG_LINES_MAX, () -> mutation + ": " + log.size() + " lines in the log");
    }

    private void refused(ImageMutator.Mutation mutation, Hammer2Exception e) {
        refusedCount++;
        assertTrue(e.getMessage() != null && !e.getMessage().isBlank(), () -> mutation + ": refused without a reason");
    }

    /** Everything that FUSE would ask, of every object that can be reached, on one LWKT thread. */
    private final class Walk {
        private final FileSystem fs;
        private final Deque<Long> directories = new ArrayDeque<>();
        private final Set<Long> seen = new HashSet<>();

        Walk(FileSystem fs) {
            this.fs = fs;
        }

        void run() throws IOException {
            try (Arena arena = Arena.ofShared()) {
                MemorySegment buffer = arena.allocate(READ_BYTES);
                attempt(() -> assertNotNull(fs.statfs()));
                attempt(() -> fs.attributes(4711));
                directories.add(FileSystem.ROOT_INUM);
                seen.add(FileSystem.ROOT_INUM);
                while (!directories.isEmpty() && seen.size() < OBJECTS_MAX) {
                    directory(directories.removeFirst(), buffer);
                }
            }
        }

        private void directory(long inum, MemorySegment buffer) {
            List<byte[]> names = new ArrayList<>();
            attempt(() -> list(inum, names));
            attempt(() -> fs.readdir(inum, Long.MAX_VALUE, (target, type, name, next) -> true));
            attempt(() -> fs.lookup(inum, MemorySegment.ofArray(new byte[] {'.', '.'})));
            for (byte[] name : names) {
                attempt(() -> {
                    Attributes attributes = fs.lookup(inum, MemorySegment.ofArray(name));
                    if (attributes != null && seen.size() < OBJECTS_MAX && seen.add(attributes.inum())) {
                        object(attributes, buffer);
                    }
                });
            }
        }

        private void list(long inum, List<byte[]> names) {
            long[] cookie = {0};
            int before;
            do {
                before = names.size();
                int[] taken = {0};
                fs.readdir(inum, cookie[0], (target, type, name, next) -> {
                    assertTrue(name.byteSize() >= 1 && name.byteSize() <= Limits.NAME_BYTES_MAX, "length of a name");
                    if (taken[0]++ == PIECE) {
                        return false;
                    }
                    assertTrue(next > cookie[0], "cookies ascend");
                    cookie[0] = next;
                    names.add(name.toArray(ValueLayout.JAVA_BYTE));
                    return true;
                });
            } while (names.size() > before && names.size() < ENTRIES_MAX);
        }

        private void object(Attributes attributes, MemorySegment buffer) {
            objectCount++;
            long inum = attributes.inum();
            attempt(() -> assertNotNull(fs.inodeInfo(inum)));
            attempt(() -> assertTrue(fs.attributes(inum).size() >= 0, "size"));
            switch (attributes.type()) {
                case DIRECTORY -> directories.add(inum);
                case SYMLINK -> attempt(() -> fs.readlink(inum, buffer));
                case REGULAR -> file(inum, attributes.size(), buffer);
                case CHARACTER_DEVICE, BLOCK_DEVICE, FIFO, SOCKET, WHITEOUT -> attempt(() -> fs.read(inum, 0, buffer));
            }
        }

        private void file(long inum, long size, MemorySegment buffer) {
            for (int i = 0; i < READS_MAX && (long) i * READ_BYTES < size; i++) {
                long offset = (long) i * READ_BYTES;
                attempt(() -> read(inum, size, offset, buffer));
            }
            for (long offset : new long[] {size / 2, Math.max(0, size - 1), size, Long.MAX_VALUE - 5, Long.MAX_VALUE}) {
                attempt(() -> read(inum, size, offset, buffer));
            }
            attempt(() -> {
                long at = 0;
                for (int i = 0; i < SEEKS_MAX; i++) {
                    long hole = fs.seekHole(inum, at);
                    assertTrue(hole >= at && hole <= size, "hole at " + hole);
                    long data = fs.seekData(inum, hole);
                    assertTrue(data >= hole && data < size, "data at " + data);
                    at = data;
                }
            });
        }

        private void read(long inum, long size, long offset, MemorySegment buffer) {
            int count = fs.read(inum, offset, buffer);
            long left = Math.max(0, size - offset);
            assertTrue(count == Math.min(left, buffer.byteSize()), "a short read of " + count + " bytes at " + offset);
        }

        private void attempt(Runnable operation) {
            try {
                operation.run();
            } catch (FsException e) {
                errorCount++;
                assertNotNull(e.errno());
            }
        }
    }
}
