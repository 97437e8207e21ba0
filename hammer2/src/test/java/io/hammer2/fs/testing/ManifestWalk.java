package io.hammer2.fs.testing;

import io.hammer2.fs.Errno;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.FsException;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/**
 * Compares a mounted PFS, walked in process, with the rows of a manifest: everything listed is there as it should be, and
 * nothing else is. Runs on an LWKT thread.
 */
public final class ManifestWalk {
    private static final int READ_BYTES = 1 << 20;

    private static final String DIRECTORY_TYPE = "d";

    private final FileSystem fs;
    private final Map<String, String[]> rows;
    private final List<String> differences = new ArrayList<>();
    private final Map<String, Long> linkGroups = new HashMap<>();
    private final MemorySegment buffer;
    private int objects;

    private ManifestWalk(FileSystem fs, Map<String, String[]> rows, Arena arena) {
        this.fs = fs;
        this.rows = rows;
        this.buffer = arena.allocate(READ_BYTES);
    }

    /** @return the differences, empty when there are none */
    public static List<String> differences(FileSystem fs, Path manifest, String label) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            ManifestWalk walk = new ManifestWalk(fs, read(manifest, label), arena);
            walk.visit("", fs.attributes(FileSystem.ROOT_INUM));
            walk.rows.keySet().forEach(path -> walk.differences.add(path + ": missing"));
            if (walk.objects == 0) {
                walk.differences.add("nothing was compared");
            }
            return walk.differences;
        }
    }

    private static Map<String, String[]> read(Path manifest, String label) throws IOException {
        Map<String, String[]> rows = new LinkedHashMap<>();
        try (InputStream raw = Files.newInputStream(manifest);
                InputStream in = manifest.toString().endsWith(".gz") ? new GZIPInputStream(raw) : raw;
                BufferedReader lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.US_ASCII))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] column = line.split("\t", -1);
                if (!line.startsWith("#") && column[0].equals(label)) {
                    rows.put(column[1].equals("/") ? "" : column[1], column);
                }
            }
        }
        return rows;
    }

    private void visit(String path, Attributes attributes) {
        String[] row = rows.remove(path);
        if (row == null) {
            differences.add(path + ": not in the manifest");
            return;
        }
        objects++;
        compare(path, "type", row[2], String.valueOf(letter(attributes.type())));
        compare(path, "mode", row[3], String.format("%04o", attributes.mode()));
        compare(path, "uid", row[4], Integer.toUnsignedString(attributes.uid()));
        compare(path, "gid", row[5], Integer.toUnsignedString(attributes.gid()));
        if (!row[2].equals(DIRECTORY_TYPE)) {
            compare(path, "nlink", row[6], Long.toString(attributes.nlink()));
            compare(path, "size", row[7], Long.toString(attributes.size()));
        }
        if (!row[8].equals("-")) {
            // Nanoseconds after the year 2262 are more than a long holds.
            String micros = row[8].length() > 3 ? row[8].substring(0, row[8].length() - 3) : "0";
            compare(path, "mtime", micros, Long.toString(attributes.mtimeMicros()));
        }
        if (row.length > 10 && !row[10].equals("-")) {
            Long first = linkGroups.putIfAbsent(row[10], attributes.inum());
            if (first != null && first != attributes.inum()) {
                differences.add(path + ": not the same inode as others of link group " + row[10]);
            }
        }
        value(path, row[9], attributes);
    }

    private void value(String path, String value, Attributes attributes) {
        boolean open = value.equals("!EIO") || value.equals("!ANY");
        try {
            switch (attributes.type()) {
                case REGULAR -> {
                    if (value.startsWith("probe:")) {
                        probe(path, value.substring("probe:".length()), attributes);
                    } else {
                        String hash = hash(attributes.inum(), 0, Long.MAX_VALUE);
                        if (!open) {
                            compare(path, "sha256", value, hash);
                        }
                    }
                }
                case SYMLINK -> {
                    int length = fs.readlink(attributes.inum(), buffer);
                    compare(path, "target", value, escape(buffer.asSlice(0, length)));
                }
                case CHARACTER_DEVICE, BLOCK_DEVICE ->
                    compare(path, "device", value, attributes.rmajor() + ":" + attributes.rminor());
                case DIRECTORY -> directory(path, attributes.inum());
                case FIFO, SOCKET, WHITEOUT -> {}
            }
            if (value.equals("!EIO")) {
                differences.add(path + ": can be read, which should be an error");
            }
        } catch (FsException e) {
            if (!open || e.errno() != Errno.EIO) {
                differences.add(path + ": " + e.getMessage());
            }
            rows.keySet().removeIf(below -> below.startsWith(path + "/"));
        }
    }

    private void directory(String path, long inum) {
        List<byte[]> names = new ArrayList<>();
        long[] cookie = {0};
        boolean more = true;
        while (more) {
            int before = names.size();
            int[] taken = {0};
            fs.readdir(inum, cookie[0], (target, type, name, next) -> {
                // In pieces, so that cookies are used as well.
                if (taken[0] == 777) {
                    return false;
                }
                taken[0]++;
                cookie[0] = next;
                names.add(name.toArray(ValueLayout.JAVA_BYTE));
                return true;
            });
            more = names.size() > before;
        }
        for (byte[] name : names) {
            String child = path + "/" + escape(MemorySegment.ofArray(name));
            if (child.endsWith("/.") || child.endsWith("/..")) {
                continue;
            }
            try {
                Attributes attributes = fs.lookup(inum, MemorySegment.ofArray(name));
                if (attributes == null) {
                    differences.add(child + ": listed, but not found");
                } else {
                    visit(child, attributes);
                }
            } catch (FsException e) {
                String[] row = rows.remove(child);
                if (row == null || !row[9].startsWith("!")) {
                    differences.add(child + ": " + e.getMessage());
                }
                rows.keySet().removeIf(below -> below.startsWith(child + "/"));
            }
        }
    }

    private void probe(String path, String ranges, Attributes attributes) {
        for (String range : ranges.split(",", -1)) {
            int plus = range.indexOf('+');
            int equals = range.indexOf('=');
            long offset = Long.parseLong(range.substring(0, plus));
            long length = Long.parseLong(range.substring(plus + 1, equals));
            compare(path, "sha256 of " + range, range.substring(equals + 1), hash(attributes.inum(), offset, length));
        }
    }

    private String hash(long inum, long offset, long length) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            long at = offset;
            long left = length;
            while (left > 0) {
                MemorySegment into = buffer.asSlice(0, Math.min(left, READ_BYTES));
                int count = fs.read(inum, at, into);
                digest.update(into.asSlice(0, count).asByteBuffer());
                at += count;
                left -= count;
                if (count < into.byteSize()) {
                    break;
                }
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private void compare(String path, String what, String expected, String found) {
        if (!expected.equals("-") && !expected.startsWith("!") && !expected.equals(found)) {
            differences.add(path + ": " + what + ": expected " + expected + ", found " + found);
        }
    }

    private static char letter(FileType type) {
        return switch (type) {
            case DIRECTORY -> 'd';
            case REGULAR -> 'f';
            case FIFO -> 'p';
            case CHARACTER_DEVICE -> 'c';
            case BLOCK_DEVICE -> 'b';
            case SYMLINK -> 'l';
            case SOCKET -> 's';
            case WHITEOUT -> 'w';
        };
    }

    private static String escape(MemorySegment name) {
        ByteArrayOutputStream escaped = new ByteArrayOutputStream();
        for (byte b : name.toArray(ValueLayout.JAVA_BYTE)) {
            boolean plain = (b >= 'A' && b <= 'Z')
                    || (b >= 'a' && b <= 'z')
                    || (b >= '0' && b <= '9')
                    || "._-/".indexOf(b) >= 0;
            if (plain) {
                escaped.write(b);
            } else {
                escaped.writeBytes(String.format("%%%02X", b).getBytes(StandardCharsets.US_ASCII));
            }
        }
        return escaped.toString(StandardCharsets.US_ASCII);
    }
}
