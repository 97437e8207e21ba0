package io.hammer2.tools;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Changes of all kinds to a mounted tree, chosen by a seed, with what has to be there afterwards. */
final class SeededChanges {
    private static final int CHANGED_FILES_MAX = 24;
    private static final long CHANGED_BYTES_MAX = 2 << 20;
    private static final int ROWS_BELOW_MAX = 60;

    /** Around what is kept in the inode, and around one block. */
    private static final int[] SIZES = {0, 1, 511, 512, 513, 65_535, 65_536, 65_537, 200_000, (1 << 20) + 7};

    private final Random random;
    private final Path root;
    private final ExpectedTree expected;

    SeededChanges(Random random, Path root, ExpectedTree expected) {
        this.random = random;
        this.root = root;
        this.expected = expected;
    }

    /** A new directory with files of many sizes, a link, and names that need care. */
    void make(String directory) throws IOException {
        Files.createDirectory(on(directory));
        expected.made(directory, "d", "-");
        for (int size : SIZES) {
            writeNew(directory + "/of " + size, content(size));
        }
        writeNew(directory + "/grün", content(100));
        String longest = directory + "/" + "n".repeat(255);
        Files.createSymbolicLink(on(longest), Path.of("../none"));
        expected.made(longest, "l", "../none");
    }

    /** Files that were there, at most half of them, in turns by each of the kinds of change. */
    void changeFiles(String into) throws IOException {
        List<String> files = expected.files(CHANGED_BYTES_MAX);
        Collections.shuffle(files, random);
        int count = Math.min(CHANGED_FILES_MAX, files.size() / 2);
        for (int i = 0; i < count; i++) {
            String file = files.get(i);
            switch (i % 6) {
                case 0 -> remove(file);
                case 1 -> overwrite(file);
                case 2 -> truncate(file);
                case 3 -> append(file);
                case 4 -> rename(file, into + "/renamed" + i);
                default -> link(file, into + "/linked" + i);
            }
        }
    }

    /** Two directories that were there, if there are two: one goes elsewhere, the other one goes. */
    void changeDirectories(String into) throws IOException {
        List<String> directories = expected.directories(ROWS_BELOW_MAX);
        if (!directories.isEmpty()) {
            rename(directories.get(random.nextInt(directories.size())), into + "/moved");
        }
        List<String> others = expected.directories(ROWS_BELOW_MAX).stream()
                .filter(path -> !path.startsWith(into))
                .toList();
        if (!others.isEmpty()) {
            removeAll(others.get(random.nextInt(others.size())));
        }
    }

    private void writeNew(String path, byte[] content) throws IOException {
        Files.write(on(path), content);
        expected.madeFile(path, content);
    }

    private void remove(String path) throws IOException {
        Files.delete(on(path));
        expected.removed(path);
    }

    private void removeAll(String directory) throws IOException {
        try (Stream<Path> below = Files.walk(on(directory))) {
            for (Path each : below.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
        expected.removed(directory);
    }

    private void overwrite(String path) throws IOException {
        byte[] content = Files.readAllBytes(on(path));
        byte[] written = content(1 + random.nextInt(100_000));
        int at = random.nextInt(content.length + 1);
        byte[] after = Arrays.copyOf(content, Math.max(content.length, at + written.length));
        System.arraycopy(written, 0, after, at, written.length);
        write(path, at, written);
        expected.written(path, after);
    }

    private void append(String path) throws IOException {
        byte[] content = Files.readAllBytes(on(path));
        byte[] written = content(1 + random.nextInt(100_000));
        byte[] after = Arrays.copyOf(content, content.length + written.length);
        System.arraycopy(written, 0, after, content.length, written.length);
        write(path, content.length, written);
        expected.written(path, after);
    }

    private void write(String path, long at, byte[] bytes) throws IOException {
        try (FileChannel file = FileChannel.open(on(path), StandardOpenOption.WRITE)) {
            ByteBuffer left = ByteBuffer.wrap(bytes);
            while (left.hasRemaining()) {
                file.write(left, at + left.position());
            }
        }
    }

    private void truncate(String path) throws IOException {
        byte[] content = Files.readAllBytes(on(path));
        byte[] after = Arrays.copyOf(content, random.nextInt(content.length + 1));
        try (FileChannel file = FileChannel.open(on(path), StandardOpenOption.WRITE)) {
            file.truncate(after.length);
        }
        // Where nothing is cut off, nothing may be changed either.
        if (after.length < content.length) {
            expected.written(path, after);
        }
    }

    private void rename(String from, String to) throws IOException {
        Files.move(on(from), on(to));
        expected.moved(from, to);
    }

    private void link(String path, String name) throws IOException {
        Files.createLink(on(name), on(path));
        Files.setPosixFilePermissions(on(path), PosixFilePermissions.fromString("rwxr-x---"));
        expected.chmod(path, "0750");
        expected.linked(path, name);
    }

    private Path on(String path) {
        return root.resolve(path.substring(1));
    }

    /** In turns noise, what compresses well, and zeros. */
    private byte[] content(int size) {
        byte[] content = new byte[size];
        switch (random.nextInt(3)) {
            case 0 -> random.nextBytes(content);
            case 1 -> {
                for (int i = 0; i < size; i++) {
                    content[i] = (byte) ('a' + random.nextInt(3));
                }
            }
            default -> {}
        }
        return content;
    }
}
