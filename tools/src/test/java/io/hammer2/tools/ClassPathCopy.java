package io.hammer2.tools;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** The class path of this JVM for a process of another user: the project may lie where only its owner may look. */
final class ClassPathCopy {
    private ClassPathCopy() {}

    /** @param folder that others may enter */
    static String forOthers(Path folder) throws IOException {
        List<String> copies = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
            Path from = Path.of(entry);
            if (entry.isEmpty() || !Files.exists(from)) {
                continue;
            }
            Path to = folder.resolve("lib" + copies.size() + "-" + from.getFileName());
            try (Stream<Path> all = Files.walk(from)) {
                for (Path source : all.toList()) {
                    Path target = to.resolve(from.relativize(source).toString());
                    Files.copy(source, target);
                    Files.setPosixFilePermissions(
                            target,
                            PosixFilePermissions.fromString(Files.isDirectory(target) ? "rwxr-xr-x" : "rw-r--r--"));
                }
            }
            copies.add(to.toString());
        }
        return String.join(File.pathSeparator, copies);
    }
}
