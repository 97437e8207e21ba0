package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.hammer2.fuse.FuseMount;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.MemoryOperations;
import io.hammer2.fuse.Shell;
import io.hammer2.lwkt.Lwkt;
import java.io.RandomAccessFile;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A request that does not block makes no garbage: what the serving thread has allocated is counted by the JVM itself. */
@Timeout(value = 80, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class AllocationTest {
    private static final int ROUNDS_MAX = 40;
    private static final int CALLS = 5_000;

    /** For the loop around the requests, now and then; a request that allocated one object would take 100 times that. */
    private static final double BYTES_PER_CALL_MAX = 0.5;

    @TempDir
    Path work;

    private interface Call {
        void make(int i) throws Exception;
    }

    @Test
    void lookups_attributes_reads_and_listings_allocate_nothing() throws Exception {
        MemoryOperations files = new MemoryOperations(true);
        files.file(1, "hello", new byte[10]);
        files.sparseFile(1, "large", 1L << 40, 1L << 40);
        files.fillDirectory(files.directory(1, "dir"), 300);
        FuseMountOptions options = FuseMountOptions.builder("memory")
                .valid(Duration.ZERO, Duration.ZERO, Duration.ZERO)
                .keepCache(false)
                .build();
        try (Lwkt lwkt = Lwkt.dedicated(1);
                FuseMount mount = new KernelTransport().mount(lwkt, work, files, options)) {
            long carrier = lwkt.run(0, () -> Thread.currentThread().threadId());
            Path hello = mount.mountPoint().resolve("hello");
            Random random = new Random(1);
            assertAllocatesNothing("attributes", carrier, i -> Files.getLastModifiedTime(hello));
            try (RandomAccessFile file =
                    new RandomAccessFile(work.resolve("large").toFile(), "r")) {
                byte[] page = new byte[4096];
                assertAllocatesNothing("read", carrier, i -> {
                    file.seek(random.nextLong(1L << 28) << 12);
                    file.readFully(page);
                });
            }
            assertAllocatesNothing("listing", carrier, i -> {
                if (i % 20 == 0) {
                    try (Stream<Path> listed = Files.list(work.resolve("dir"))) {
                        assertTrue(listed.count() == 300);
                    }
                }
            });
        } finally {
            Shell.unmountByForce(work);
        }
    }

    @Test
    void writes_and_changes_of_attributes_allocate_nothing() throws Exception {
        MemoryOperations files = new MemoryOperations(false);
        files.file(1, "file", new byte[1 << 20]);
        FuseMountOptions options =
                FuseMountOptions.builder("memory").readOnly(false).build();
        try (Lwkt lwkt = Lwkt.dedicated(1);
                FuseMount mount = new KernelTransport().mount(lwkt, work, files, options)) {
            long carrier = lwkt.run(0, () -> Thread.currentThread().threadId());
            Path file = mount.mountPoint().resolve("file");
            // Each is passed on at once.
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE, StandardOpenOption.DSYNC)) {
                ByteBuffer page = ByteBuffer.allocateDirect(4096);
                assertAllocatesNothing("write", carrier, i -> channel.write(page.clear(), (i % 256) * 4096L));
            }
            assertAllocatesNothing(
                    "setattr", carrier, i -> Files.setLastModifiedTime(file, FileTime.fromMillis(i * 1000L)));
        } finally {
            Shell.unmountByForce(work);
        }
    }

    /** Measures until a round is clean, since what is not compiled yet allocates; fails if none ever is. */
    private static void assertAllocatesNothing(String what, long carrier, Call call) throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        double least = Double.MAX_VALUE;
        for (int round = 0; round < ROUNDS_MAX && least > BYTES_PER_CALL_MAX; round++) {
            long before = threads.getThreadAllocatedBytes(carrier);
            for (int i = 0; i < CALLS; i++) {
                call.make(i);
            }
            least = Math.min(least, (threads.getThreadAllocatedBytes(carrier) - before) / (double) CALLS);
        }
        System.out.println(what + ": " + least + " bytes per call");
        assertTrue(least <= BYTES_PER_CALL_MAX, what + " allocates " + least + " bytes per call");
    }
}
