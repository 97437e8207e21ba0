package io.hammer2.fs.codec;

/**
 * Who deflates and inflates in this process: libdeflate where it is installed, since it is twice as fast and more, the JDK's zlib elsewhere.
 * What one writes the other reads; the sizes of what they write differ a little, at the same level.
 */
public enum ZlibLibrary {
    JDK("java.util.zip") {
        @Override
        BlockCompressor newCompressor() {
            return new JdkDeflater();
        }

        @Override
        BlockDecompressor newDecompressor() {
            return new JdkInflater();
        }
    },
    LIBDEFLATE("libdeflate") {
        @Override
        BlockCompressor newCompressor() {
            return new LibdeflateCompressor();
        }

        @Override
        BlockDecompressor newDecompressor() {
            return new LibdeflateDecompressor();
        }
    };

    /** System property: {@code jdk} leaves libdeflate alone, so that stored sizes are the same on every machine. */
    private static final String PROPERTY = "hammer2.zlib";

    private static final ZlibLibrary IN_USE =
            !"jdk".equals(System.getProperty(PROPERTY)) && Libdeflate.problem() == null ? LIBDEFLATE : JDK;

    private final String text;

    ZlibLibrary(String text) {
        this.text = text;
    }

    /** What this process uses. */
    public static ZlibLibrary inUse() {
        return IN_USE;
    }

    /** Whether this process could use it. */
    public boolean isAvailable() {
        return this == JDK || Libdeflate.problem() == null;
    }

    abstract BlockCompressor newCompressor();

    abstract BlockDecompressor newDecompressor();

    /** For people. */
    @Override
    public String toString() {
        return text;
    }
}
