package io.hammer2.blockdev.testing;

import java.util.BitSet;
import java.util.SplittableRandom;

/** Which sectors of a write arrive. Sector 0 is the one of the device that holds the write's first byte. */
final class Sectors {
    private Sectors() {}

    /** A run of neighbouring sectors, as the bytes of the write that lie in it. */
    record Run(long start, long length, int lastSector) {}

    /** Number of sectors that a write touches, also in part. */
    static int count(long offset, long length, int sectorBytes) {
        if (length == 0) {
            return 0;
        }
        return Math.toIntExact((offset + length - 1) / sectorBytes - offset / sectorBytes + 1);
    }

    /** A subset as storage makes them: a beginning, an end, or any. May be empty or all. */
    static BitSet some(int count, SplittableRandom random) {
        BitSet sectors = new BitSet(count);
        int at = random.nextInt(count + 1);
        switch (random.nextInt(3)) {
            case 0 -> sectors.set(0, at);
            case 1 -> sectors.set(at, count);
            default -> {
                for (int i = 0; i < count; i++) {
                    sectors.set(i, random.nextBoolean());
                }
            }
        }
        return sectors;
    }

    /** The first run of the set, or null when it is empty. */
    static Run nextRun(long offset, long length, int sectorBytes, BitSet sectors) {
        int first = sectors.nextSetBit(0);
        if (first < 0) {
            return null;
        }
        int end = sectors.nextClearBit(first);
        long base = offset / sectorBytes * sectorBytes;
        long start = Math.max(base + (long) first * sectorBytes, offset);
        long stop = Math.min(base + (long) end * sectorBytes, offset + length);
        return new Run(start - offset, stop - start, end - 1);
    }
}
