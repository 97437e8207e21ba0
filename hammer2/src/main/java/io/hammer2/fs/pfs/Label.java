package io.hammer2.fs.pfs;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Name of a PFS: bytes, compared as such; whether they are any good as a name is looked at where one is made. */
public final class Label {
    private final byte[] bytes;

    private Label(byte[] bytes) {
        this.bytes = bytes;
    }

    public static Label of(byte[] bytes) {
        return new Label(bytes.clone());
    }

    public static Label of(String text) {
        return new Label(text.getBytes(StandardCharsets.UTF_8));
    }

    public byte[] bytes() {
        return bytes.clone();
    }

    public int length() {
        return bytes.length;
    }

    /** For people. */
    @Override
    public String toString() {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Label label && Arrays.equals(label.bytes, bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }
}
