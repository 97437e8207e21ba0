package io.hammer2.tools;

import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.fuse.bridge.ControlRequests;
import io.hammer2.fuse.kernel.RehearsedKernel;
import io.hammer2.fuse.kernel.RehearsedKernel.Opened;
import io.hammer2.fuse.kernel.RehearsedTransport;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * Has a server of a volume do what the kernel asks of one, often enough that the JVM compiles it: with what it learns by that, a fresh server
 * begins. Nothing is mounted.
 */
final class ServerTraining {
    private static final int DIRECTORIES = 20;
    private static final int FILE_BYTES = 4096;
    private static final int TREE_FILE_BYTES_MAX = 96 << 10;
    private static final int STREAM_BYTES = 16 << 20;
    private static final int FILES_PER_FSYNC = 30;
    private static final int FILES_PER_TREE_DIRECTORY = 4;
    private static final long SECONDS = 1_700_000_000;

    /** On a slow device commits take their time, and fewer must do. */
    private static final long SNAPSHOTS_NANOS_MAX = 8_000_000_000L;

    private final RehearsedKernel kernel;
    private final Random random = new Random(1);
    private final Arena arena = Arena.ofAuto();

    /** Compresses to about half. */
    private final MemorySegment text = arena.allocate(RehearsedKernel.DATA_BYTES_MAX);

    private final MemorySegment noise = arena.allocate(RehearsedKernel.DATA_BYTES_MAX);

    /**
     * How much is done.
     *
     * @param rounds of everything
     * @param files in each
     * @param snapshots made and deleted
     */
    record Amount(int rounds, int files, int snapshots) {
        static final Amount FULL = new Amount(3, 3000, 600);
    }

    private ServerTraining(RehearsedKernel kernel) {
        this.kernel = kernel;
        for (int i = 0; i < noise.byteSize(); i++) {
            noise.set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt());
            text.set(ValueLayout.JAVA_BYTE, i, (byte) ('a' + random.nextInt(i % 64 < 32 ? 26 : 1)));
        }
    }

    /**
     * Uses a volume that is not in use, as a mount of it would be used, and unmounts it.
     *
     * @param folder for what a server keeps beside its mounts
     * @throws ToolException where it cannot be opened
     * @throws IOException what was answered that should not be
     */
    static void run(String special, Path folder, Amount amount) throws IOException {
        serve(special, folder, training -> {
            for (int round = 0; round < amount.rounds; round++) {
                training.empty(round, amount.files);
                training.small(round, amount.files);
                training.tree(round, amount.files / 2);
                training.stream(round);
            }
            training.snapshots(amount.snapshots);
        });
        // Once more, with nothing in memory.
        serve(special, folder, training -> {
            training.readAll(amount.rounds, amount.files);
            training.bulkfree();
        });
    }

    @FunctionalInterface
    private interface Use {
        void of(ServerTraining training) throws IOException;
    }

    private static void serve(String special, Path folder, Use use) throws IOException {
        RehearsedTransport transport = new RehearsedTransport();
        MountRequest request = MountRequest.of(special, folder, List.of());
        VolumeServer server;
        try {
            server = VolumeServer.start(request, words -> transport, List.of(folder), System.err::println);
        } catch (DeviceBusyException e) {
            throw new ToolException(e.getMessage(), e);
        }
        try {
            use.of(new ServerTraining(transport.kernel()));
        } finally {
            server.close();
        }
    }

    private long[] directories(String prefix) throws IOException {
        long[] made = new long[DIRECTORIES];
        for (int i = 0; i < DIRECTORIES; i++) {
            made[i] = directory(RehearsedKernel.ROOT, prefix + i);
        }
        return made;
    }

    private long directory(long parent, String name) throws IOException {
        long present = kernel.lookup(parent, name);
        return present != 0 ? present : kernel.mkdir(parent, name);
    }

    private Opened create(long directory, String name) throws IOException {
        if (kernel.lookup(directory, name) != 0) {
            throw new IOException(name + " is there before it was made");
        }
        Opened made = kernel.create(directory, name);
        kernel.getattr(directory);
        return made;
    }

    private void remove(long directory, String name) throws IOException {
        long node = kernel.lookup(directory, name);
        kernel.getattr(directory);
        kernel.unlink(directory, name);
        kernel.setTimes(node, SECONDS);
        kernel.forget(node);
    }

    private void empty(int round, int files) throws IOException {
        long[] directories = directories("empty" + round + "-");
        for (int i = 0; i < files; i++) {
            kernel.release(create(directories[i % DIRECTORIES], "f" + i));
        }
        for (int i = 0; i < files; i++) {
            remove(directories[i % DIRECTORIES], "f" + i);
        }
        for (int i = 0; i < DIRECTORIES; i++) {
            kernel.rmdir(RehearsedKernel.ROOT, "empty" + round + "-" + i);
        }
    }

    /** Files that stay, but for some; written, renamed, linked and synced. */
    private void small(int round, int files) throws IOException {
        long[] directories = directories("small" + round + "-");
        for (int i = 0; i < files; i++) {
            long directory = directories[i % DIRECTORIES];
            Opened file = create(directory, "f" + i);
            kernel.write(file, 0, data(i).asSlice(random.nextInt(64) * 64L, FILE_BYTES));
            if (i % FILES_PER_FSYNC == 0) {
                kernel.fsync(file);
                kernel.truncate(file.node(), FILE_BYTES / 2);
                kernel.rename(directory, "f" + i, directory, "renamed" + i);
                kernel.link(file.node(), directory, "link" + i);
                kernel.readlink(kernel.symlink(directory, "symlink" + i, "renamed" + i));
                kernel.statfs();
                remove(directory, "renamed" + i);
            }
            kernel.setTimes(file.node(), SECONDS + i);
            kernel.release(file);
        }
        for (long directory : directories) {
            kernel.list(directory);
        }
    }

    private MemorySegment data(int number) {
        return number % 3 == 0 ? noise : text;
    }

    /** What tar does. */
    private void tree(int round, int files) throws IOException {
        long top = directory(RehearsedKernel.ROOT, "tree" + round);
        long directory = top;
        for (int i = 0; i < files; i++) {
            if (i % FILES_PER_TREE_DIRECTORY == 0) {
                directory = directory(top, "d" + i);
            }
            Opened file = create(directory, "source" + i + ".c");
            int bytes = 1 + (random.nextInt(4) == 0 ? random.nextInt(TREE_FILE_BYTES_MAX) : random.nextInt(FILE_BYTES));
            kernel.write(file, 0, data(i).asSlice(0, bytes));
            kernel.setTimes(file.node(), SECONDS);
            kernel.setMode(file.node(), 0644);
            kernel.getattr(file.node());
            kernel.release(file);
        }
    }

    private void stream(int round) throws IOException {
        Opened file = create(RehearsedKernel.ROOT, "stream" + round);
        int step = RehearsedKernel.DATA_BYTES_MAX;
        for (int at = 0; at < STREAM_BYTES; at += step) {
            kernel.write(file, at, data(at / step));
        }
        // And over it, here and there.
        for (int i = 0; i < STREAM_BYTES / step; i++) {
            kernel.write(
                    file, random.nextInt(STREAM_BYTES / FILE_BYTES) * (long) FILE_BYTES, noise.asSlice(0, FILE_BYTES));
        }
        kernel.fsync(file);
        read(file, STREAM_BYTES);
        kernel.release(file);
    }

    private void read(Opened file, long bytesMax) throws IOException {
        long at = 0;
        int got = -1;
        while (at < bytesMax && got != 0) {
            got = kernel.read(file, at, RehearsedKernel.DATA_BYTES_MAX);
            at += got;
        }
    }

    private void readAll(int rounds, int files) throws IOException {
        for (int round = 0; round < rounds; round++) {
            for (int i = 0; i < DIRECTORIES; i++) {
                long directory = kernel.lookup(RehearsedKernel.ROOT, "small" + round + "-" + i);
                kernel.list(directory);
                for (int number = i; number < files; number += DIRECTORIES) {
                    readIfThere(kernel.lookup(directory, "f" + number));
                }
            }
            Opened stream = kernel.open(kernel.lookup(RehearsedKernel.ROOT, "stream" + round));
            read(stream, STREAM_BYTES);
            kernel.release(stream);
        }
    }

    private void readIfThere(long node) throws IOException {
        if (node != 0) {
            Opened file = kernel.open(node);
            read(file, FILE_BYTES);
            kernel.release(file);
        }
    }

    private void snapshots(int count) throws IOException {
        Opened file = create(RehearsedKernel.ROOT, "changing");
        long end = System.nanoTime() + SNAPSHOTS_NANOS_MAX;
        for (int i = 0; i < count && System.nanoTime() < end; i++) {
            kernel.write(file, 0, text.asSlice(i, 64));
            pfs(ControlRequests.PFS_SNAPSHOT, "snapshot" + i);
            pfs(ControlRequests.PFS_LOOKUP, "snapshot" + i);
            pfs(ControlRequests.PFS_DELETE, "snapshot" + i);
        }
        kernel.release(file);
    }

    private void pfs(int command, String label) throws IOException {
        try (Arena request = Arena.ofConfined()) {
            MemorySegment pfs = request.allocate(ControlRequests.PFS_BYTES, Long.BYTES);
            byte[] name = label.getBytes(StandardCharsets.US_ASCII);
            MemorySegment.copy(name, 0, pfs, ValueLayout.JAVA_BYTE, ControlRequests.PFS_NAME, name.length);
            kernel.ioctl(RehearsedKernel.ROOT, command, pfs);
        }
    }

    private void bulkfree() throws IOException {
        try (Arena request = Arena.ofConfined()) {
            MemorySegment all = request.allocate(ControlRequests.BULKFREE_BYTES, Long.BYTES);
            kernel.ioctl(RehearsedKernel.ROOT, ControlRequests.BULKFREE_SCAN, all);
        }
    }
}
