package io.hammer2.fs.codec;

/**
 * A compression method, the low nibble of a methods byte or of an inode's compression byte (format section 4.2). As the
 * encoding of a data block only {@link #NONE}, {@link #LZ4} and {@link #ZLIB} are legal; {@link #AUTOZERO} is a policy of
 * inodes.
 */
public enum Compression {
    NONE(0),
    /** Blocks of zeros become holes, all else is stored as it is. */
    AUTOZERO(1),
    LZ4(2),
    ZLIB(3);

    private static final Compression[] BY_CODE = values();

    private final int code;

    Compression(int code) {
        this.code = code;
    }

    /** The value in the nibble. */
    public int code() {
        return code;
    }

    /** Whether the stored bytes of a data block may be encoded in this way. */
    public boolean isEncoding() {
        return this != AUTOZERO;
    }

    public static boolean isKnown(int code) {
        return code >= 0 && code < BY_CODE.length;
    }

    /** The compression method with this code; CodecException when there is none. */
    public static Compression of(int code) {
        if (!isKnown(code)) {
            throw new CodecException("compression method", "0 to " + (BY_CODE.length - 1), Integer.toString(code));
        }
        return BY_CODE[code];
    }
}
