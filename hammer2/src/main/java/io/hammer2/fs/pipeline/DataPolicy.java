package io.hammer2.fs.pipeline;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;

/**
 * What an inode wants done to its data (format section 11.3).
 *
 * @param compression NONE stores zeros too, AUTOZERO makes holes of them and stores all else as it is
 * @param level of the compression, 0 for its default
 * @param check of the data
 */
public record DataPolicy(Compression compression, int level, CheckCode check) {
    /**
     * From an inode's {@code comp_algo} and {@code check_algo}. What no version of the format knows is no reason to lose data: it is
     * written uncompressed, and with the default check code.
     */
    public static DataPolicy of(int compAlgo, int checkAlgo) {
        int compression = compAlgo & 0xF;
        int check = checkAlgo & 0xF;
        return new DataPolicy(
                Compression.isKnown(compression) ? Compression.of(compression) : Compression.AUTOZERO,
                compAlgo >>> 4,
                CheckCode.isKnown(check) && check != CheckCode.FREEMAP.code()
                        ? CheckCode.of(check)
                        : CheckCode.XXHASH64);
    }

    /** Whether an inode may be given this {@code comp_algo}: a known method, at a level that it has. */
    public static boolean isCompression(int compAlgo) {
        int method = compAlgo & 0xF;
        return compAlgo >= 0
                && compAlgo <= 0xFF
                && Compression.isKnown(method)
                && Compression.of(method).hasLevel(compAlgo >>> 4);
    }

    /** Whether an inode may be given this {@code check_algo}: a known method, and not that of the freemap. */
    public static boolean isCheck(int checkAlgo) {
        return CheckCode.isKnown(checkAlgo) && checkAlgo != CheckCode.FREEMAP.code();
    }

    /** Whether a block of zeros is left out. Where nothing is checked it is stored, since such files may be overwritten in place. */
    public boolean makesHoles() {
        return compression != Compression.NONE && check != CheckCode.NONE;
    }

    /** Whether anything is to be tried. */
    public boolean compresses() {
        return compression != Compression.NONE && compression != Compression.AUTOZERO;
    }
}
