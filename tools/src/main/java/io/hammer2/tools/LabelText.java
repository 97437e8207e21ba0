package io.hammer2.tools;

import io.hammer2.fs.media.Limits;
import io.hammer2.fs.media.NameText;
import io.hammer2.fs.pfs.Label;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Labels as people write and read them: UTF-8, other bytes and backslashes as {@code \xNN}. */
final class LabelText {
    private static final int ESCAPE_CHARS = 4;

    /** A path into the virtual directory of a mount in which its snapshots are. */
    private static final Pattern IN_SNAPSHOT = Pattern.compile("(?:^|/)\\.snapshots/+([^/]+)");

    /** @throws ToolException for what cannot be the name of a PFS */
    static Label parse(String text) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = 0; i < text.length(); ) {
            int escaped = escapedAt(text, i);
            if (escaped >= 0) {
                bytes.write(escaped);
                i += ESCAPE_CHARS;
            } else {
                int character = text.codePointAt(i);
                bytes.writeBytes(Character.toString(character).getBytes(StandardCharsets.UTF_8));
                i += Character.charCount(character);
            }
        }
        Label label = Label.of(bytes.toByteArray());
        if (label.length() == 0) {
            throw new ToolException("an empty label");
        }
        if (label.length() > Limits.NAME_BYTES_MAX) {
            throw new ToolException("a label has at most " + Limits.NAME_BYTES_MAX + " bytes, not " + label.length());
        }
        for (byte b : label.bytes()) {
            if (b == '/') {
                throw new ToolException(noLabel(text));
            }
            if (b == 0) {
                throw new ToolException("a label has no byte 0: '" + NameText.of(label.bytes()) + "'");
            }
        }
        return label;
    }

    /** Of what has a '/', as paths do: where to look for the label that was meant. */
    private static String noLabel(String path) {
        Matcher inSnapshot = IN_SNAPSHOT.matcher(path);
        String where = Files.exists(Path.of(path)) ? " " + path : "";
        return "'" + path + "' is no label, which has no '/'; "
                + (inSnapshot.find()
                        ? "the label of that snapshot is " + inSnapshot.group(1)
                        : "hammer2 pfs-list" + where + " lists the labels");
    }

    static String of(Label label) {
        return NameText.of(label.bytes());
    }

    /** The byte that {@code \xNN} at this place stands for, or -1. */
    private static int escapedAt(String text, int at) {
        boolean isEscape = text.startsWith("\\x", at)
                && at + ESCAPE_CHARS <= text.length()
                && HexFormat.isHexDigit(text.charAt(at + 2))
                && HexFormat.isHexDigit(text.charAt(at + 3));
        return isEscape ? HexFormat.fromHexDigits(text, at + 2, at + ESCAPE_CHARS) : -1;
    }

    private LabelText() {}
}
