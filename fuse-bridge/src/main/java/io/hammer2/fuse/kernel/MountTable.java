package io.hammer2.fuse.kernel;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What is mounted where, as /proc/self/mountinfo tells. */
final class MountTable {
    private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");

    /**
     * @param id of this mount, unique while it lives
     * @param device {@code major:minor} of the file system
     * @param type as {@code fuse.hammer2}
     */
    record Entry(int id, String device, String mountPoint, String type, String source) {}

    private MountTable() {}

    /** The mount at exactly this directory; the topmost if there are several. Asks no file system. */
    static Optional<Entry> topmostAt(Path mountPoint) throws IOException {
        return topmost(Files.readString(MOUNTINFO, StandardCharsets.ISO_8859_1), latin(mountPoint.toString()));
    }

    /** Whether the mount of this id is still in the tree, at whatever place. */
    static boolean contains(int id) throws IOException {
        String begin = id + " ";
        return Files.readString(MOUNTINFO, StandardCharsets.ISO_8859_1)
                .lines()
                .anyMatch(line -> line.startsWith(begin));
    }

    /** @param mountPoint bytes as characters, as in {@code table} */
    static Optional<Entry> topmost(String table, String mountPoint) {
        Optional<Entry> found = Optional.empty();
        for (String line : table.lines().toList()) {
            Optional<Entry> entry = parse(line);
            if (entry.isPresent() && entry.get().mountPoint().equals(mountPoint)) {
                found = entry; // a later line lies above
            }
        }
        return found;
    }

    /** {@code id parent major:minor root mountpoint options optional... - type source options} (proc(5)). */
    private static Optional<Entry> parse(String line) {
        String[] sides = line.split(" - ", 2);
        String[] left = sides[0].split(" ", -1);
        String[] right = sides.length == 2 ? sides[1].split(" ", -1) : new String[0];
        if (left.length < 6 || right.length < 2) {
            return Optional.empty();
        }
        return Optional.of(new Entry(
                Integer.parseInt(left[0]), left[2], unescape(left[4]), unescape(right[0]), unescape(right[1])));
    }

    /** Blank, tab, newline and backslash are written as a backslash and three octal digits. */
    private static String unescape(String field) {
        StringBuilder plain = new StringBuilder();
        for (int i = 0; i < field.length(); i++) {
            char c = field.charAt(i);
            if (c == '\\' && i + 3 < field.length()) {
                plain.append((char) Integer.parseInt(field.substring(i + 1, i + 4), 8));
                i += 3;
            } else {
                plain.append(c);
            }
        }
        return plain.toString();
    }

    private static String latin(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
    }
}
