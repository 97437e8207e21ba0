package io.hammer2.tools;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.GZIPInputStream;

/**
 * What a mounted PFS has to show, as the rows of a manifest, kept true while it is changed: what {@code verify_manifest.py} is given
 * afterwards. Of what is not changed, everything that the manifest says stays.
 *
 * @see <a href="file:../testdata/interop/README.md">its columns</a>
 */
final class ExpectedTree {
    private static final int PATH = 1;
    private static final int TYPE = 2;
    private static final int MODE = 3;
    private static final int NLINK = 6;
    private static final int SIZE = 7;
    private static final int MTIME = 8;
    private static final int VALUE = 9;
    private static final int LINK_GROUP = 10;
    private static final int COLUMNS = 11;
    private static final String ANY = "-";
    private static final String PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-/";

    private final String label;
    private final Map<String, String[]> rows = new TreeMap<>();

    private ExpectedTree(String label) {
        this.label = label;
    }

    /** The rows of one label. */
    static ExpectedTree read(Path manifest, String label) throws IOException {
        ExpectedTree tree = new ExpectedTree(label);
        try (InputStream file = Files.newInputStream(manifest);
                InputStream in = manifest.toString().endsWith(".gz") ? new GZIPInputStream(file) : file) {
            for (String line : new String(in.readAllBytes(), StandardCharsets.ISO_8859_1).split("\n", -1)) {
                String[] row = line.split("\t", -1);
                if (row[0].equals(label)) {
                    tree.rows.put(row[PATH], row);
                }
            }
        }
        return tree;
    }

    /** As what a PFS of this label has to show. */
    void write(Path manifest, String as) throws IOException {
        List<String> lines = new ArrayList<>();
        for (String[] row : rows.values()) {
            String[] shown = row.clone();
            shown[0] = as;
            lines.add(String.join("\t", shown));
        }
        Files.write(manifest, lines, StandardCharsets.ISO_8859_1);
    }

    int size() {
        return rows.size();
    }

    /** Regular files with one name, which Java can say, whose content is known and no longer than {@code bytesMax}. */
    List<String> files(long bytesMax) {
        List<String> found = new ArrayList<>();
        rows.forEach((path, row) -> {
            if (row[TYPE].equals("f")
                    && isSound(row)
                    && row[LINK_GROUP].equals(ANY)
                    && !row[SIZE].equals(ANY)
                    && Long.parseLong(row[SIZE]) <= bytesMax) {
                found.add(path);
            }
        });
        return found;
    }

    /** Directories below the root with at most {@code rowsMax} objects below them, all with one name, which Java can say, and sound. */
    List<String> directories(int rowsMax) {
        return rows.values().stream()
                .filter(row -> row[TYPE].equals("d") && !row[PATH].equals("/") && isSound(row))
                .map(row -> row[PATH])
                .filter(path -> {
                    List<String[]> below = below(path);
                    return below.size() <= rowsMax
                            && below.stream().allMatch(row -> isSound(row) && row[LINK_GROUP].equals(ANY));
                })
                .toList();
    }

    private static boolean isSound(String[] row) {
        return !row[PATH].contains("%") && !row[VALUE].startsWith("!") && !row[VALUE].startsWith("probe:");
    }

    private List<String[]> below(String directory) {
        return rows.values().stream()
                .filter(row -> row[PATH].startsWith(directory + "/"))
                .toList();
    }

    void made(String path, String type, String value) {
        String[] row = new String[COLUMNS];
        Arrays.fill(row, ANY);
        row[0] = label;
        row[PATH] = escaped(path);
        row[TYPE] = type;
        row[VALUE] = value;
        rows.put(row[PATH], row);
        changedWithin(path);
    }

    void madeFile(String path, byte[] content) {
        made(path, "f", ANY);
        written(path, content);
    }

    /** Its content is another one now. */
    void written(String path, byte[] content) {
        String[] row = row(path);
        row[SIZE] = Integer.toString(content.length);
        row[VALUE] = sha256(content);
        row[MTIME] = ANY;
        // A write takes set-id bits away.
        row[MODE] = ANY;
    }

    void chmod(String path, String octal) {
        row(path)[MODE] = octal;
    }

    /** A second name of what has one. */
    void linked(String path, String name) {
        String[] row = row(path);
        row[NLINK] = "2";
        row[LINK_GROUP] = row[PATH];
        String[] other = row.clone();
        other[PATH] = escaped(name);
        rows.put(other[PATH], other);
        changedWithin(name);
    }

    /** With everything below it. */
    void removed(String path) {
        row(path);
        rows.keySet().removeIf(each -> each.equals(escaped(path)) || each.startsWith(escaped(path) + "/"));
        changedWithin(path);
    }

    /** With everything below it, which stays as it is. */
    void moved(String from, String to) {
        List<String[]> all = new ArrayList<>(below(escaped(from)));
        all.add(row(from));
        for (String[] row : all) {
            rows.remove(row[PATH]);
            row[PATH] = escaped(to) + row[PATH].substring(escaped(from).length());
        }
        all.forEach(row -> rows.put(row[PATH], row));
        changedWithin(from);
        changedWithin(to);
    }

    private void changedWithin(String path) {
        int slash = path.lastIndexOf('/');
        row(slash == 0 ? "/" : path.substring(0, slash))[MTIME] = ANY;
    }

    private String[] row(String path) {
        String[] row = rows.get(escaped(path));
        if (row == null) {
            throw new IllegalArgumentException("no " + path + " is expected");
        }
        return row;
    }

    static String sha256(byte[] content) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static String escaped(String path) {
        StringBuilder escaped = new StringBuilder();
        for (byte each : path.getBytes(StandardCharsets.UTF_8)) {
            if (PLAIN.indexOf(each) >= 0) {
                escaped.append((char) each);
            } else {
                escaped.append(String.format("%%%02X", each & 0xff));
            }
        }
        return escaped.toString();
    }
}
