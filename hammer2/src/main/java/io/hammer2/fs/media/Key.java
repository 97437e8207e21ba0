package io.hammer2.fs.media;

import java.util.HexFormat;

/**
 * Arithmetic on 64-bit keys, which are unsigned: file offsets and inode numbers have bit 63 clear, directory hashes have it
 * set and are negative as a {@code long} (sections 7, 8.2, 10).
 */
public final class Key {
    /** Directory entries have this bit, inode numbers do not. */
    public static final long DIRENT_BIT = Long.MIN_VALUE;

    /** Widest range of an indirect block. */
    public static final int BITS_MAX = 63;

    /** Last key of the range that begins at {@code key}, inclusive; {@code keybits} in 0..64. */
    public static long end(long key, int keybits) {
        return keybits >= Long.SIZE ? -1L : key | mask(keybits);
    }

    /** First key of the aligned range of {@code keybits} that holds {@code key}. */
    public static long base(long key, int keybits) {
        return keybits >= Long.SIZE ? 0 : key & ~mask(keybits);
    }

    /** Whether {@code key} begins an aligned range of {@code keybits}. */
    public static boolean isAligned(long key, int keybits) {
        return base(key, keybits) == key;
    }

    public static boolean less(long a, long b) {
        return Long.compareUnsigned(a, b) < 0;
    }

    public static boolean lessOrEqual(long a, long b) {
        return Long.compareUnsigned(a, b) <= 0;
    }

    public static String text(long key) {
        return HexFormat.of().toHexDigits(key);
    }

    private static long mask(int keybits) {
        return (1L << keybits) - 1;
    }

    private Key() {}
}
