package io.hammer2.fs.pipeline;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.codec.ZstdLibrary;
import io.hammer2.fs.media.VolumeHeader;

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
     * written uncompressed, and with the default check code. So is what wants zstd, on a volume where nobody has asked for that or by a
     * process that cannot.
     *
     * @param extensions of the volume ({@link VolumeHeader#extensions})
     */
    public static DataPolicy of(int compAlgo, int checkAlgo, int extensions) {
        int method = compAlgo & 0xF;
        Compression compression = isUsable(method, extensions) ? Compression.of(method) : Compression.AUTOZERO;
        int check = checkAlgo & 0xF;
        return new DataPolicy(
                compression,
                compression.nearestLevel(compAlgo >>> 4),
                CheckCode.isKnown(check) && check != CheckCode.FREEMAP.code()
                        ? CheckCode.of(check)
                        : CheckCode.XXHASH64);
    }

    private static boolean isUsable(int compression, int extensions) {
        return Compression.isKnown(compression)
                && (compression != Compression.ZSTD.code()
                        || ((extensions & VolumeHeader.EXTENSION_ZSTD) != 0 && ZstdLibrary.problem() == null));
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
