package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The program posix/ordinary_user.py, which mounts and writes as a user other than root. */
@Timeout(value = 5, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class OrdinaryUserTest {
    @TempDir
    private Path folder;

    @Test
    void a_user_without_rights_makes_mounts_writes_unmounts_and_verifies_a_volume() throws Exception {
        assumeTrue(System.getProperty("os.name").contains("Linux"), "mounts by fusermount3");
        allowOthersIn(folder);
        Path program = Path.of(
                OrdinaryUserTest.class.getResource("/posix/ordinary_user.py").toURI());
        List<String> command = new ArrayList<>(List.of(
                "python3",
                program.toString(),
                Files.createDirectory(folder.resolve("volumes")).toString(),
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--add-exports=java.base/jdk.internal.vm=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-ea",
                "-cp",
                ClassPathCopy.forOthers(folder)));
        allowOthersIn(folder.resolve("volumes"));
        Path said = folder.resolve("said");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(said.toFile())
                .start();
        assertTrue(process.waitFor(4, TimeUnit.MINUTES), "it hangs");
        assertEquals("ok\n", Files.readString(said));
    }

    private static void allowOthersIn(Path directory) throws IOException {
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
    }
}
