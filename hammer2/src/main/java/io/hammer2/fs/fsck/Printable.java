package io.hammer2.fs.fsck;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** Names, which are bytes, as text: what is not UTF-8, and control characters and backslashes, as \xNN. */
final class Printable {
    private Printable() {}

    static String of(MemorySegment name) {
        return of(name.toArray(ValueLayout.JAVA_BYTE));
    }

    static String of(byte[] name) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(name);
        CharBuffer chars = CharBuffer.allocate(name.length + 1);
        StringBuilder text = new StringBuilder(name.length);
        while (true) {
            var state = decoder.decode(in, chars, true);
            chars.flip().chars().forEach(c -> append(text, (char) c));
            chars.clear();
            if (!state.isError()) {
                return text.toString();
            }
            for (int i = state.length(); i > 0; i--) {
                hex(text, in.get());
            }
            decoder.reset();
        }
    }

    private static void append(StringBuilder text, char c) {
        if (c < 0x20 || c == 0x7f || c == '\\') {
            hex(text, (byte) c);
        } else if (c >= 0x80 && c < 0xa0) {
            // C1 controls would reach a terminal too.
            text.append(String.format("\\u%04x", (int) c));
        } else {
            text.append(c);
        }
    }

    private static void hex(StringBuilder text, byte b) {
        text.append("\\x").append(java.util.HexFormat.of().toHexDigits(b));
    }
}
