package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Compares mounted trees with manifests, by the script that comes with the images. */
final class Manifest {
    private static final String SCRIPT = "verify_manifest.py";

    /** What a Java string makes of bytes that are not UTF-8. */
    private static final String REPLACEMENT = "%EF%BF%BD";

    private final List<String> differences = new ArrayList<>();
    private final String summary;

    private Manifest(List<String> lines) {
        summary = lines.isEmpty() ? "" : lines.getLast();
        differences.addAll(lines.isEmpty() ? lines : lines.subList(0, lines.size() - 1));
    }

    /** @return all differences there are */
    static Manifest compare(Path mounted, Path manifest, String label) throws IOException {
        Process python = new ProcessBuilder(
                        "python3",
                        script().toString(),
                        mounted.toString(),
                        manifest.toString(),
                        label,
                        "--max",
                        "1000000")
                .redirectErrorStream(true)
                .start();
        return new Manifest(python.inputReader(StandardCharsets.ISO_8859_1).readAllLines());
    }

    /** @return what is missing or other in names, types, sizes, contents and targets; what is there besides is passed over */
    static List<String> compareContent(Path tree, Path manifest, String label) throws IOException {
        Process python = new ProcessBuilder(
                        "python3",
                        script().toString(),
                        tree.toString(),
                        manifest.toString(),
                        label,
                        "--max",
                        "1000000",
                        "--no-extra",
                        "--ignore",
                        "mode,uid,gid,nlink,mtime_ns,linkgroup")
                .redirectErrorStream(true)
                .start();
        List<String> lines = python.inputReader(StandardCharsets.ISO_8859_1).readAllLines();
        assertFalse(lines.isEmpty());
        return lines.subList(0, lines.size() - 1);
    }

    /** The last line, which counts. */
    String summary() {
        return summary;
    }

    List<String> differences() {
        return differences;
    }

    /** Those that do not come from a name that is no UTF-8, which has no Java string. */
    List<String> differencesOfUtf8Names() {
        return differences.stream()
                .filter(line -> isUtf8(line.substring(0, line.indexOf(": "))))
                .toList();
    }

    private static boolean isUtf8(String escapedPath) {
        if (escapedPath.contains(REPLACEMENT)) {
            return false;
        }
        byte[] bytes = new byte[escapedPath.length()];
        int count = 0;
        for (int i = 0; i < escapedPath.length(); i++) {
            if (escapedPath.charAt(i) == '%') {
                bytes[count++] = (byte) Integer.parseInt(escapedPath.substring(i + 1, i + 3), 16);
                i += 2;
            } else {
                bytes[count++] = (byte) escapedPath.charAt(i);
            }
        }
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, count));
            return true;
        } catch (CharacterCodingException e) {
            return false;
        }
    }

    private static Path script() {
        Path root = Path.of(System.getProperty("project.root"));
        Path shared = root.resolve("../shared/tools").resolve(SCRIPT).normalize();
        return Files.exists(shared) ? shared : root.resolve("testdata/interop").resolve(SCRIPT);
    }
}
