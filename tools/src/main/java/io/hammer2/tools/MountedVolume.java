package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A mounted HAMMER2 file system, as proc(5) shows it.
 *
 * @param mountPoint where
 * @param special the volumes, as mount_hammer2 resolved them
 * @param label the PFS
 */
record MountedVolume(Path mountPoint, String special, String label) {
    private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");
    private static final String TYPE = "fuse.hammer2";

    /** All, in the order in which they were mounted. None where there is no proc(5). */
    static List<MountedVolume> all() {
        List<MountedVolume> mounts = new ArrayList<>();
        for (Entry entry : entries()) {
            if (entry.type.equals(TYPE)) {
                mounts.add(entry.volume());
            }
        }
        return mounts;
    }

    /** The one that {@code path} is in, if it is in one. Looks at paths only, and so does not hang on a dead mount. */
    static Optional<MountedVolume> of(Path path) {
        Path real;
        try {
            real = path.toRealPath();
        } catch (IOException e) {
            real = path.toAbsolutePath().normalize();
        }
        Entry best = null;
        for (Entry entry : entries()) {
            // Of equally long ones the later lies on top.
            if (real.startsWith(entry.mountPoint)
                    && (best == null || entry.mountPoint.getNameCount() >= best.mountPoint.getNameCount())) {
                best = entry;
            }
        }
        return best == null || !best.type.equals(TYPE) ? Optional.empty() : Optional.of(best.volume());
    }

    /** Device number {@code MAJOR:MINOR} of what lies on top at {@code mountPoint}, which must be without symbolic links. */
    static Optional<String> deviceNumberAt(Path mountPoint) {
        String found = null;
        for (Entry entry : entries()) {
            found = entry.mountPoint.equals(mountPoint) ? entry.device : found;
        }
        return Optional.ofNullable(found);
    }

    /** The form in which {@link #special} names devices: without symbolic links, absolute. */
    static String resolve(String special) {
        try {
            List<String> real = new ArrayList<>();
            for (Path path : BlockDevices.split(special)) {
                real.add(path.toRealPath().toString());
            }
            return String.join(":", real);
        } catch (IOException e) {
            return special;
        }
    }

    /** A line of mountinfo. */
    private record Entry(String device, Path mountPoint, String type, String source) {
        MountedVolume volume() {
            int at = source.lastIndexOf('@');
            return at < 0
                    ? new MountedVolume(mountPoint, source, "")
                    : new MountedVolume(mountPoint, source.substring(0, at), source.substring(at + 1));
        }
    }

    private static List<Entry> entries() {
        List<Entry> entries = new ArrayList<>();
        String table;
        try {
            table = Files.readString(MOUNTINFO, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return entries;
        }
        for (String line : (Iterable<String>) table.lines()::iterator) {
            // id parent major:minor root mountpoint options optional... - type source options (proc(5))
            int dash = line.indexOf(" - ");
            List<String> left = List.of(line.substring(0, Math.max(0, dash)).split(" ", -1));
            List<String> right = List.of(line.substring(dash + 3).split(" ", -1));
            if (dash > 0 && left.size() >= 6 && right.size() >= 2) {
                entries.add(new Entry(
                        left.get(2), Path.of(unescape(left.get(4))), unescape(right.get(0)), unescape(right.get(1))));
            }
        }
        return entries;
    }

    /** Blank, tab, newline and backslash stand there as a backslash and three octal digits; other bytes as they are. */
    private static String unescape(String field) {
        byte[] bytes = new byte[field.length()];
        int count = 0;
        for (int i = 0; i < field.length(); i++) {
            char c = field.charAt(i);
            if (c == '\\' && i + 3 < field.length()) {
                bytes[count++] = (byte) Integer.parseInt(field.substring(i + 1, i + 4), 8);
                i += 3;
            } else {
                bytes[count++] = (byte) c;
            }
        }
        return new String(bytes, 0, count, StandardCharsets.UTF_8);
    }
}
