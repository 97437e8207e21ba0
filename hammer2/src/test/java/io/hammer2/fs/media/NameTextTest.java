package io.hammer2.fs.media;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

final class NameTextTest {
    @Test
    void printable_utf8_is_shown_as_it_is() {
        for (String name : new String[] {"plain", "Grüße", "a b", "日本語", "😀"}) {
            assertEquals(name, NameText.of(name.getBytes(StandardCharsets.UTF_8)));
        }
    }

    @Test
    void what_a_terminal_would_obey_is_escaped() {
        assertEquals("\\x1b[2J\\x0a\\x7f", NameText.of("\u001b[2J\n\u007f".getBytes(StandardCharsets.UTF_8)));
        assertEquals("C1 \\xc2\\x9b", NameText.of("C1 \u009b".getBytes(StandardCharsets.UTF_8)));
        assertEquals("\\xe2\\x80\\xaetxt.exe", NameText.of("\u202etxt.exe".getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void bytes_that_are_not_utf8_and_the_backslash_are_escaped() {
        assertEquals("a\\xff\\x5cb", NameText.of(HexFormat.of().parseHex("61ff5c62")));
        // Cut inside a character, an overlong form, a surrogate.
        assertEquals("\\xe6\\x97", NameText.of(HexFormat.of().parseHex("e697")));
        assertEquals("\\xc0\\xaf", NameText.of(HexFormat.of().parseHex("c0af")));
        assertEquals("\\xed\\xa0\\x80", NameText.of(HexFormat.of().parseHex("eda080")));
        assertEquals("\\xffü", NameText.of(HexFormat.of().parseHex("ffc3bc")));
    }
}
