package io.hammer2.fs.media;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;

/**
 * Names for people. A name is bytes (section 10.1); shown is its UTF-8, with every byte that is not part of a printable
 * character, and every backslash, as {@code \xNN}. So nothing in a name reaches a terminal as a command, and the bytes can be
 * told from what is shown.
 */
public final class NameText {
    private static final int UTF8_BYTES_MAX = 4;

    public static String of(byte[] name) {
        CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
        StringBuilder text = new StringBuilder(name.length);
        for (int i = 0; i < name.length; ) {
            int length = characterBytes(decoder, name, i);
            int character = length == 0 ? -1 : decode(decoder, name, i, length).codePointAt(0);
            if (length > 0 && isPrintable(character)) {
                text.appendCodePoint(character);
                i += length;
            } else {
                text.append("\\x").append(HexFormat.of().toHexDigits(name[i++]));
            }
        }
        return text.toString();
    }

    /** Bytes of the character that begins at {@code from}, 0 if none does. */
    private static int characterBytes(CharsetDecoder decoder, byte[] name, int from) {
        if (name[from] >= 0) {
            return 1;
        }
        for (int length = 2; length <= Math.min(UTF8_BYTES_MAX, name.length - from); length++) {
            if (decode(decoder, name, from, length) != null) {
                return length;
            }
        }
        return 0;
    }

    private static String decode(CharsetDecoder decoder, byte[] name, int from, int length) {
        try {
            CharBuffer decoded = decoder.reset().decode(ByteBuffer.wrap(name, from, length));
            return decoded.toString().codePointCount(0, decoded.length()) == 1 ? decoded.toString() : null;
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static boolean isPrintable(int character) {
        return character != '\\'
                && switch (Character.getType(character)) {
                    case Character.CONTROL,
                            Character.FORMAT,
                            Character.LINE_SEPARATOR,
                            Character.PARAGRAPH_SEPARATOR,
                            Character.SURROGATE,
                            Character.UNASSIGNED -> false;
                    default -> true;
                };
    }

    private NameText() {}
}
