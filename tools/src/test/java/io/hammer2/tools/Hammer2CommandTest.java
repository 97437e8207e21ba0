package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

final class Hammer2CommandTest {
    /** Vectors of the format specification, section 10.2. */
    @Test
    void hash_prints_the_directory_hash_key() {
        Run run = Run.hammer2("hash", "DATA", "hello.txt", "a..b").succeeded();
        assertEquals("c78fff92381d8000 DATA\nd6e8905688708000 hello.txt\n9450f3f4e1608000 a..b\n", run.out());
        assertTrue(Run.hammer2("--json", "hash", "DATA").succeeded().out().contains("\"hash\": \"c78fff92381d8000\""));
        assertTrue(Run.hammer2("hash", "DATA", "--json").succeeded().out().contains("\"hash\": \"c78fff92381d8000\""));
    }

    /** The name block of section 18.4, whose reference holds this check code. */
    @Test
    void dhash_prints_also_the_hash_of_the_name_block() {
        Run run = Run.hammer2("dhash", "n".repeat(70)).succeeded();
        assertEquals("f4ce408834468000 a79852abc34a2a94 " + "n".repeat(70) + "\n", run.out());
    }

    @Test
    void an_unknown_directive_gets_the_usage() {
        Run run = Run.hammer2("frobnicate").failed(2, "frobnicate");
        assertTrue(run.err().contains("pfs-list") || run.err().contains("hash"), run.err());
        Run.hammer2().failed(2, "Usage: hammer2");
        Run.hammer2("hash").failed(2, "NAME");
        Run.hammer2("-x", "hash", "a").failed(2, "-x");
        Run.hammer2("-s").failed(2, "-s");
    }

    @Test
    void a_name_of_impossible_length_is_an_error_in_one_line() {
        Run run = Run.hammer2("hash", "x".repeat(256)).failed(1, "1 to 255 bytes");
        assertEquals(1, run.err().lines().count());
        Run.hammer2("hash", "").failed(1, "1 to 255 bytes");
    }
}
