package io.hammer2.tools;

import java.io.PrintWriter;

/**
 * Writes one JSON document (RFC 8259), piece by piece, so that a listing of any length needs no memory.
 *
 * <p>Our own, because the whole of it is shorter than what it takes to keep a library's start-up time, reflection and releases
 * in view, and because nothing here ever reads JSON. Names inside follow {@code NameText}: UTF-8, other bytes as {@code \xNN}.
 * Numbers that need 64 unsigned bits are written as decimal numbers, keys and offsets that people compare as hexadecimal text.
 */
final class JsonWriter {
    private static final int DEPTH_MAX = 100;

    private final PrintWriter out;
    private final boolean[] hasMember = new boolean[DEPTH_MAX];
    private int depth;
    private boolean afterName;

    JsonWriter(PrintWriter out) {
        this.out = out;
    }

    JsonWriter beginObject() {
        return begin('{');
    }

    JsonWriter endObject() {
        return end('}');
    }

    JsonWriter beginArray() {
        return begin('[');
    }

    JsonWriter endArray() {
        return end(']');
    }

    JsonWriter name(String name) {
        separate();
        quote(name);
        out.print(": ");
        afterName = true;
        return this;
    }

    JsonWriter value(String value) {
        separate();
        if (value == null) {
            out.print("null");
        } else {
            quote(value);
        }
        return this;
    }

    JsonWriter value(long value) {
        separate();
        out.print(value);
        return this;
    }

    JsonWriter value(boolean value) {
        separate();
        out.print(value);
        return this;
    }

    /** @param value as an unsigned number */
    JsonWriter unsigned(long value) {
        separate();
        out.print(Long.toUnsignedString(value));
        return this;
    }

    JsonWriter member(String name, String value) {
        return name(name).value(value);
    }

    JsonWriter member(String name, long value) {
        return name(name).value(value);
    }

    JsonWriter member(String name, boolean value) {
        return name(name).value(value);
    }

    private JsonWriter begin(char bracket) {
        separate();
        out.print(bracket);
        hasMember[++depth] = false;
        return this;
    }

    private JsonWriter end(char bracket) {
        boolean wasEmpty = !hasMember[depth--];
        if (!wasEmpty) {
            newLine();
        }
        out.print(bracket);
        if (depth == 0) {
            out.println();
        }
        return this;
    }

    private void separate() {
        if (afterName) {
            afterName = false;
        } else if (depth > 0) {
            if (hasMember[depth]) {
                out.print(',');
            }
            hasMember[depth] = true;
            newLine();
        }
    }

    private void newLine() {
        out.print('\n');
        for (int i = 0; i < depth; i++) {
            out.print("  ");
        }
    }

    private void quote(String text) {
        out.print('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> out.print("\\\"");
                case '\\' -> out.print("\\\\");
                case '\n' -> out.print("\\n");
                case '\r' -> out.print("\\r");
                case '\t' -> out.print("\\t");
                default -> {
                    // A lone surrogate has no UTF-8.
                    if (c < 0x20 || c == 0x7F || (Character.isSurrogate(c) && !isPaired(text, i))) {
                        out.print(String.format("\\u%04x", (int) c));
                    } else {
                        out.print(c);
                    }
                }
            }
        }
        out.print('"');
    }

    private static boolean isPaired(String text, int i) {
        return Character.isHighSurrogate(text.charAt(i))
                ? i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))
                : i > 0 && Character.isHighSurrogate(text.charAt(i - 1));
    }
}
