package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

final class JsonWriterTest {
    private final StringWriter text = new StringWriter();
    private final JsonWriter json = new JsonWriter(new PrintWriter(text));

    @Test
    void everything_that_json_forbids_in_a_string_is_escaped() {
        assertEquals("\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u007f\"", written("a\"b\\c\n\r\t\u0001\u007f"));
        assertEquals("\"ü😀\"", written("ü😀"));
    }

    /** They have no UTF-8, and no reader of JSON would take the bytes that would come out. */
    @Test
    void lone_surrogates_are_escaped() {
        assertEquals("\"\\ud83dx\"", written("\ud83dx"));
        assertEquals("\"\\ude00\"", written("\ude00"));
    }

    @Test
    void commas_stand_between_members_and_nowhere_else() {
        json.beginObject()
                .member("a", 1)
                .name("b")
                .beginArray()
                .value(true)
                .value((String) null)
                .endArray();
        json.name("c").beginObject().endObject().name("d").unsigned(-1).endObject();
        assertEquals("""
                {
                  "a": 1,
                  "b": [
                    true,
                    null
                  ],
                  "c": {},
                  "d": 18446744073709551615
                }
                """, text.toString());
    }

    private String written(String value) {
        text.getBuffer().setLength(0);
        new JsonWriter(new PrintWriter(text)).value(value);
        return text.toString();
    }
}
