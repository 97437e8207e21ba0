package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Outputs that are kept in {@code src/test/resources/golden}. With {@code -Dgolden.update=true} they are written instead of
 * compared: read the difference before you commit it.
 */
final class Golden {
    private static final Path FOLDER = Path.of(System.getProperty("project.root"), "tools/src/test/resources/golden");

    /** @param actual with everything that depends on the machine replaced */
    static void assertMatches(String name, String actual) throws IOException {
        Path file = FOLDER.resolve(name);
        if (Boolean.getBoolean("golden.update")) {
            Files.writeString(file, actual);
        }
        assertEquals(Files.readString(file), actual, name);
    }

    private Golden() {}
}
