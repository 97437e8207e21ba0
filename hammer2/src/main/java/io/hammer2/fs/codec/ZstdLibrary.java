package io.hammer2.fs.codec;

import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.util.Native;

/**
 * Whether zstd can be used in this process: it is native code that comes with the program for the usual platforms, and not for all. Loaded
 * when somebody asks first, which no volume without zstd does.
 */
public final class ZstdLibrary {
    private static final int TEXT_CHARS_MAX = 200;
    private static final String PROBLEM = load();

    private ZstdLibrary() {}

    /** Why there is no zstd here, in a line; null when there is. */
    public static String problem() {
        return PROBLEM;
    }

    private static String load() {
        try {
            Native.load();
            new ZstdDecompressCtx().close();
            return null;
        } catch (LinkageError | RuntimeException e) {
            // No such platform, a folder for temporary files that cannot be written or executed from, or no such class.
            String text = "zstd cannot be loaded on " + System.getProperty("os.name") + " "
                    + System.getProperty("os.arch") + ": "
                    + String.valueOf(e.getMessage()).lines().findFirst().orElse("no reason given");
            return text.length() > TEXT_CHARS_MAX ? text.substring(0, TEXT_CHARS_MAX) : text;
        }
    }
}
