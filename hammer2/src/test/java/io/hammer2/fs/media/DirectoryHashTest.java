package io.hammer2.fs.media;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DirectoryHashTest {
    /** The table of section 10.2. */
    @ParameterizedTest
    @CsvSource({
        "a, c1d0433082e08000",
        "DATA, c78fff92381d8000",
        "LOCAL, de25e1c43fe18000",
        "hello.txt, d6e8905688708000",
        "six00, e76799697e0e8000",
        "a-b, 9450f3f4ac038000",
        "b-a, 9450f3f466fa8000",
        ".hidden, c207c7971b5c8000",
        "a..b, 9450f3f4e1608000",
        "x_y~z.tar.gz, 8a2aebd7161d8000",
        "..., 80000000bf988000",
        "é, 9bab8ddc96778000",
    })
    void a_name_has_the_hash_that_the_format_gives(String name, String hash) {
        assertEquals(hash, Key.text(DirectoryHash.of(name.getBytes(StandardCharsets.UTF_8))));
    }

    @ParameterizedTest
    @CsvSource({"70, f4ce408834468000", "255, ca20182f520f8000"})
    void a_long_name_has_the_hash_that_the_format_gives(int length, String hash) {
        assertEquals(hash, Key.text(DirectoryHash.of("n".repeat(length).getBytes(StandardCharsets.US_ASCII))));
    }
}
