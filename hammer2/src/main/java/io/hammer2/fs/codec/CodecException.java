package io.hammer2.fs.codec;

/**
 * Bytes that a codec cannot accept: an unknown method code or a compressed stream that is damaged. The codec does not know
 * whose bytes they are; the caller that does turns this into an error with the block reference. Without a stack trace:
 * where the medium lied is told by the texts.
 */
public final class CodecException extends RuntimeException {
    private final String what;
    private final String expected;
    private final String found;

    public CodecException(String what, String expected, String found) {
        super(what + ": expected " + expected + ", found " + found, null, false, false);
        this.what = what;
        this.expected = expected;
        this.found = found;
    }

    public String what() {
        return what;
    }

    public String expected() {
        return expected;
    }

    public String found() {
        return found;
    }
}
