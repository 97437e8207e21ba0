package io.hammer2.fs.codec;

/**
 * A compression method, the low nibble of a methods byte or of an inode's compression byte (format section 4.2). As the
 * encoding of a data block {@link #NONE}, {@link #LZ4} and {@link #ZLIB} are what the format knows; {@link #AUTOZERO} is a policy of
 * inodes, and {@link #ZSTD} an extension, for volumes whose header says so.
 */
public enum Compression {
    NONE(0, 0, 0),
    /** Blocks of zeros become holes, all else is stored as it is. */
    AUTOZERO(1, 0, 0),
    LZ4(2, 0, 0),
    ZLIB(3, 6, 9),
    /** Ours: DragonFly's kernel panics on a block of it. Levels are zstd's own, as far as the nibble goes. */
    ZSTD(4, 1, 15);

    private static final Compression[] BY_CODE = values();

    private final int code;
    private final int levelMin;
    private final int levelMax;

    Compression(int code, int levelMin, int levelMax) {
        this.code = code;
        this.levelMin = levelMin;
        this.levelMax = levelMax;
    }

    /** The value in the nibble. */
    public int code() {
        return code;
    }

    /** Whether the stored bytes of a data block may be encoded in this way. */
    public boolean isEncoding() {
        return this != AUTOZERO;
    }

    /** Lowest level that can be asked for; 0 when there are none. */
    public int levelMin() {
        return levelMin;
    }

    /** Highest level that can be asked for; 0 when there are none. */
    public int levelMax() {
        return levelMax;
    }

    /** Whether there is this level; 0, the method's own choice, always is. */
    public boolean hasLevel(int level) {
        return level == 0 || (levelMax > 0 && level >= levelMin && level <= levelMax);
    }

    /** The level that stands for one that an inode asks for, whatever that is: the nearest that there is. */
    public int nearestLevel(int level) {
        return level == 0 || levelMax == 0 ? 0 : Math.clamp(level, levelMin, levelMax);
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
