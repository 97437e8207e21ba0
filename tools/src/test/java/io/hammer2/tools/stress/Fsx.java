package io.hammer2.tools.stress;

import static io.hammer2.tools.stress.Posix.must;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;

/**
 * Every way to change one file, at random, beside a copy in memory that everything read is compared with. What a host's file
 * system does not know (EOPNOTSUPP) is counted and left out.
 */
public final class Fsx implements AutoCloseable {
    /** Above several logical blocks of a file, and small enough that operations meet. */
    private static final int FILE_BYTES_MAX = 3 << 20;

    private static final int OPERATION_BYTES_MAX = 400_000;
    private static final int REMEMBERED = 40;
    private static final int PAGE_BYTES = 4096;
    private static final int BLOCK_BYTES = 65536;

    /** A difference between the file and the model. */
    public static final class Mismatch extends RuntimeException {
        Mismatch(String text) {
            super(text);
        }
    }

    private enum Operation {
        READ(20),
        WRITE(20),
        APPEND(6),
        TRUNCATE_DOWN(5),
        TRUNCATE_UP(4),
        MAP_READ(8),
        MAP_WRITE(8),
        FSYNC(2),
        FDATASYNC(1),
        REOPEN(2),
        REREAD(2),
        PUNCH(5),
        ZERO(4),
        ZERO_KEEP_SIZE(2),
        ALLOCATE(2),
        ALLOCATE_KEEP_SIZE(2),
        COPY_RANGE(5),
        SEEK(4);

        private final int weight;

        Operation(int weight) {
            this.weight = weight;
        }
    }

    private final String path;
    private final long seed;
    private final Random random;
    private final byte[] model = new byte[FILE_BYTES_MAX];
    private final Deque<String> last = new ArrayDeque<>();
    private final Map<Operation, Integer> unsupported = new EnumMap<>(Operation.class);
    private int size;
    private int count;
    private int fd;

    /**
     * @param path of a file that is made, or emptied
     * @param seed the same one does the same
     */
    public Fsx(Path path, long seed) {
        this.path = path.toString();
        this.seed = seed;
        random = new Random(seed);
        fd = (int) must("open", Posix.open(this.path, Posix.O_RDWR | Posix.O_CREAT | Posix.O_TRUNC));
    }

    /**
     * Does so many operations.
     *
     * @throws Mismatch with the last of them
     */
    public void run(int operations) {
        try {
            for (int end = count + operations; count < end; count++) {
                step();
            }
            compareAll("at the end");
        } catch (Mismatch | Posix.Failed e) {
            throw new Mismatch(e.getMessage() + "\nseed " + seed + ", operation " + count + ", the last ones:\n    "
                    + String.join("\n    ", last));
        }
    }

    /**
     * Opens the file anew.
     *
     * @throws Mismatch unless it is as it was left
     */
    public void reopen() {
        fd = (int) must("open", Posix.open(path, Posix.O_RDWR));
        compareAll("found later");
    }

    @Override
    public void close() {
        must("close", Posix.close(fd));
    }

    /** What was done, in words. */
    public String summary() {
        return count + " operations, file of " + size + " bytes"
                + (unsupported.isEmpty() ? "" : ", not known here: " + unsupported);
    }

    private void step() {
        Operation operation = choose();
        switch (operation) {
            case READ -> read();
            case WRITE -> write();
            case APPEND -> append();
            case TRUNCATE_DOWN -> truncate(random.nextInt(size + 1));
            case TRUNCATE_UP -> truncate(Math.min(FILE_BYTES_MAX, size + length()));
            case MAP_READ -> mapRead();
            case MAP_WRITE -> mapWrite();
            case FSYNC -> {
                note("fsync");
                must("fsync", Posix.fsync(fd));
            }
            case FDATASYNC -> {
                note("fdatasync");
                must("fdatasync", Posix.fdatasync(fd));
            }
            case REOPEN -> {
                note("close and open");
                close();
                fd = (int) must("open", Posix.open(path, Posix.O_RDWR));
            }
            case REREAD -> {
                note("fsync, drop the pages, compare all");
                must("fsync", Posix.fsync(fd));
                Posix.dropPages(fd);
                compareAll("read back");
            }
            case PUNCH -> allocate(operation, Posix.FALLOC_PUNCH_HOLE | Posix.FALLOC_KEEP_SIZE);
            case ZERO -> allocate(operation, Posix.FALLOC_ZERO_RANGE);
            case ZERO_KEEP_SIZE -> allocate(operation, Posix.FALLOC_ZERO_RANGE | Posix.FALLOC_KEEP_SIZE);
            case ALLOCATE -> allocate(operation, 0);
            case ALLOCATE_KEEP_SIZE -> allocate(operation, Posix.FALLOC_KEEP_SIZE);
            case COPY_RANGE -> copyRange();
            case SEEK -> seek();
        }
        long found = must("lseek", Posix.lseek(fd, 0, Posix.SEEK_END));
        if (found != size) {
            throw new Mismatch("size: expected " + size + ", found " + found);
        }
    }

    private Operation choose() {
        int sum = 0;
        for (Operation operation : Operation.values()) {
            sum += operation.weight;
        }
        int at = random.nextInt(sum);
        for (Operation operation : Operation.values()) {
            at -= operation.weight;
            if (at < 0) {
                return operation;
            }
        }
        throw new AssertionError("weights");
    }

    private void read() {
        int offset = offset(Math.max(size, 1));
        int length = length();
        note("read " + range(offset, length));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(length);
            long n = must("pread", Posix.pread(fd, into, offset));
            int expected = Math.min(length, Math.max(0, size - offset));
            if (n != expected) {
                throw new Mismatch("read " + range(offset, length) + ": " + n + " bytes, expected " + expected);
            }
            compare("read", into, offset, expected);
        }
    }

    private void write() {
        int offset = offset(FILE_BYTES_MAX - 1);
        int length = Math.min(length(), FILE_BYTES_MAX - offset);
        note("write " + range(offset, length));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = fresh(arena, offset, length);
            all("pwrite", Posix.pwrite(fd, from, offset), length);
        }
        size = Math.max(size, offset + length);
    }

    private void append() {
        int length = Math.min(length(), FILE_BYTES_MAX - size);
        note("append " + range(size, length));
        int other = (int) must("open to append", Posix.open(path, Posix.O_WRONLY | Posix.O_APPEND));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = fresh(arena, size, length);
            all("append", Posix.write(other, from), length);
        } finally {
            must("close", Posix.close(other));
        }
        size += length;
    }

    private void truncate(int to) {
        note("truncate to 0x" + Integer.toHexString(to) + " from 0x" + Integer.toHexString(size));
        must("ftruncate", Posix.ftruncate(fd, to));
        if (to < size) {
            Arrays.fill(model, to, size, (byte) 0);
        }
        size = to;
    }

    private void mapRead() {
        if (size == 0) {
            return;
        }
        int offset = offset(size) / PAGE_BYTES * PAGE_BYTES;
        int length = Math.min(length(), size - offset);
        boolean isPrivate = random.nextInt(4) == 0;
        note((isPrivate ? "map privately and read " : "map and read ") + range(offset, length));
        MemorySegment mapping =
                Posix.mmap(fd, offset, length, Posix.PROT_READ, isPrivate ? Posix.MAP_PRIVATE : Posix.MAP_SHARED);
        try {
            compare("mapping", mapping, offset, length);
        } finally {
            Posix.munmap(mapping);
        }
    }

    private void mapWrite() {
        int offset = offset(FILE_BYTES_MAX - 1);
        int length = Math.min(length(), FILE_BYTES_MAX - offset);
        if (offset + length > size) {
            truncate(offset + length);
        }
        int start = offset / PAGE_BYTES * PAGE_BYTES;
        boolean sync = random.nextInt(3) == 0;
        note("map and write " + range(offset, length) + (sync ? ", msync" : ""));
        MemorySegment mapping =
                Posix.mmap(fd, start, offset - start + length, Posix.PROT_READ | Posix.PROT_WRITE, Posix.MAP_SHARED);
        try (Arena arena = Arena.ofConfined()) {
            mapping.asSlice(offset - start, length).copyFrom(fresh(arena, offset, length));
            if (sync) {
                must("msync", Posix.msync(mapping));
            }
        } finally {
            Posix.munmap(mapping);
        }
    }

    private void allocate(Operation operation, int mode) {
        boolean keepsSize = (mode & Posix.FALLOC_KEEP_SIZE) != 0;
        int offset = offset(keepsSize ? Math.max(size, 1) : FILE_BYTES_MAX - 1);
        int length = Math.max(1, Math.min(length(), FILE_BYTES_MAX - offset));
        note("fallocate " + operation + " " + range(offset, length));
        int result = Posix.fallocate(fd, mode, offset, length);
        if (result == -Posix.EOPNOTSUPP) {
            unsupported.merge(operation, 1, Integer::sum);
            return;
        }
        must("fallocate " + operation, result);
        if ((mode & (Posix.FALLOC_PUNCH_HOLE | Posix.FALLOC_ZERO_RANGE)) != 0) {
            Arrays.fill(model, offset, offset + length, (byte) 0);
        }
        if (!keepsSize) {
            size = Math.max(size, offset + length);
        }
    }

    private void copyRange() {
        if (size < 2) {
            return;
        }
        int from = offset(size);
        int length = Math.min(length(), size - from);
        int to = offset(FILE_BYTES_MAX - 1);
        // Within one file the ranges must not overlap.
        if (to < from) {
            length = Math.min(length, from - to);
        } else if (to < from + length) {
            to = from + length;
        }
        length = Math.min(length, FILE_BYTES_MAX - to);
        if (length <= 0) {
            return;
        }
        note("copy " + range(from, length) + " to 0x" + Integer.toHexString(to));
        int done = 0;
        while (done < length) {
            long n = Posix.copyFileRange(fd, from + done, fd, to + done, length - done);
            if (n == -Posix.EOPNOTSUPP || n == -Posix.EXDEV) {
                unsupported.merge(Operation.COPY_RANGE, 1, Integer::sum);
                return;
            }
            if (must("copy_file_range", n) == 0) {
                throw new Mismatch("copy_file_range ends after " + done + " of " + length + " bytes");
            }
            done += (int) n;
        }
        System.arraycopy(model, from, model, to, length);
        size = Math.max(size, to + length);
    }

    /** What is said to be a hole must be zeros, synced or not; where holes begin and end is the file system's choice. */
    private void seek() {
        int from = offset(size + 1);
        note("seek data and hole from 0x" + Integer.toHexString(from));
        if (from >= size) {
            long found = Posix.lseek(fd, from, Posix.SEEK_DATA);
            if (found != -Posix.ENXIO) {
                throw new Mismatch("SEEK_DATA at or behind the end: " + found);
            }
            return;
        }
        long data = Posix.lseek(fd, from, Posix.SEEK_DATA);
        if (data == -Posix.ENXIO) {
            zeros(from, size);
            return;
        }
        must("SEEK_DATA", data);
        if (data < from || data >= size) {
            throw new Mismatch("SEEK_DATA from " + from + " of " + size + ": " + data);
        }
        zeros(from, (int) data);
        long hole = must("SEEK_HOLE", Posix.lseek(fd, data, Posix.SEEK_HOLE));
        if (hole <= data || hole > size) {
            throw new Mismatch("SEEK_HOLE from data at " + data + " of " + size + ": " + hole);
        }
    }

    private void zeros(int from, int to) {
        for (int i = from; i < to; i++) {
            if (model[i] != 0) {
                throw new Mismatch("a hole from 0x" + Integer.toHexString(from) + " to 0x" + Integer.toHexString(to)
                        + " where there is data at 0x" + Integer.toHexString(i));
            }
        }
    }

    private void compareAll(String when) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(FILE_BYTES_MAX + 1L);
            long n = 0;
            for (long more = -1; more != 0; n += more) {
                more = must("pread", Posix.pread(fd, into.asSlice(n), n));
            }
            if (n != size) {
                throw new Mismatch(when + ": " + n + " bytes, expected " + size);
            }
            compare(when, into, 0, size);
        }
    }

    private void compare(String when, MemorySegment found, int offset, int length) {
        MemorySegment expected = MemorySegment.ofArray(model).asSlice(offset, length);
        long at = expected.mismatch(found.asSlice(0, length));
        if (at < 0) {
            return;
        }
        int different = 0;
        for (long i = at; i < length; i++) {
            if (expected.get(ValueLayout.JAVA_BYTE, i) != found.get(ValueLayout.JAVA_BYTE, i)) {
                different++;
            }
        }
        throw new Mismatch(String.format(
                "%s: at 0x%x expected %02x, found %02x; %d bytes differ, in a file of 0x%x bytes",
                when,
                offset + at,
                expected.get(ValueLayout.JAVA_BYTE, at),
                found.get(ValueLayout.JAVA_BYTE, at),
                different,
                size));
    }

    /** Bytes that no other operation wrote there, also in the model; now and then zeros, which take another way. */
    private MemorySegment fresh(Arena arena, int offset, int length) {
        byte[] bytes = new byte[length];
        switch (random.nextInt(8)) {
            case 0 -> {} // zeros
            case 1 -> Arrays.fill(bytes, (byte) (count | 1));
            default -> random.nextBytes(bytes);
        }
        System.arraycopy(bytes, 0, model, offset, length);
        return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes);
    }

    private int offset(int bound) {
        int offset = random.nextInt(bound);
        return switch (random.nextInt(6)) {
            case 0 -> offset / BLOCK_BYTES * BLOCK_BYTES;
            case 1 -> offset / PAGE_BYTES * PAGE_BYTES;
            case 2 -> Math.max(0, Math.min(bound - 1, offset / BLOCK_BYTES * BLOCK_BYTES - 1 + random.nextInt(3)));
            case 3 -> Math.min(offset, random.nextInt(2 * BLOCK_BYTES));
            default -> offset;
        };
    }

    private int length() {
        return switch (random.nextInt(6)) {
            case 0 -> 1 + random.nextInt(16);
            case 1 -> PAGE_BYTES * (1 + random.nextInt(4));
            case 2 -> BLOCK_BYTES * (1 + random.nextInt(4));
            case 3 -> 1 + random.nextInt(OPERATION_BYTES_MAX);
            default -> 1 + random.nextInt(BLOCK_BYTES);
        };
    }

    private static void all(String what, long done, int expected) {
        if (must(what, done) != expected) {
            throw new Mismatch(what + ": " + done + " of " + expected + " bytes");
        }
    }

    private static String range(int offset, int length) {
        return "0x" + Integer.toHexString(offset) + " to 0x" + Integer.toHexString(offset + length);
    }

    private void note(String what) {
        if (last.size() == REMEMBERED) {
            last.removeFirst();
        }
        last.addLast(count + " " + what);
    }

    /**
     * Runs on a volume of its own, which is also verified and looked at again after a new mount.
     *
     * @param options more mount options, may be empty
     * @return what was done
     */
    public static String onVolume(long seed, int operations, String options) throws IOException {
        try (Scratch scratch = Scratch.make(2L << 30)) {
            scratch.mount(options);
            Fsx fsx = new Fsx(scratch.root().resolve("fsx"), seed);
            try {
                fsx.run(operations);
            } catch (Mismatch e) {
                throw new Mismatch(e.getMessage() + "\nlog of the mount: " + scratch.log());
            }
            fsx.close();
            scratch.unmount();
            scratch.check();
            scratch.mount(options);
            fsx.reopen();
            fsx.close();
            scratch.unmount();
            return fsx.summary();
        }
    }

    /** Arguments: seed, number of operations, and a directory unless it shall make and mount a volume. */
    public static void main(String[] arguments) throws IOException {
        long seed = Long.parseLong(arguments[0]);
        int operations = Integer.parseInt(arguments[1]);
        System.out.println("seed " + seed + ", " + operations + " operations");
        try {
            if (arguments.length > 2) {
                Path file = Path.of(arguments[2])
                        .resolve("fsx." + ProcessHandle.current().pid());
                try (Fsx fsx = new Fsx(file, seed)) {
                    fsx.run(operations);
                    System.out.println("as expected: " + fsx.summary());
                    Files.delete(file);
                }
            } else {
                System.out.println("as expected: " + onVolume(seed, operations, ""));
            }
        } catch (Mismatch e) {
            System.out.println("MISMATCH: " + e.getMessage());
            System.exit(1);
        }
    }
}
