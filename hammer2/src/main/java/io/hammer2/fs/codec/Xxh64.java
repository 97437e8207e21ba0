package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** XXH64 over a segment, with HAMMER2's seed (format section 5.2). */
public final class Xxh64 {
    /** The seed of every XXH64 on HAMMER2 media. */
    public static final long SEED = 0x4D617474446C6C6EL;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final long P1 = 0x9E3779B185EBCA87L;
    private static final long P2 = 0xC2B2AE3D27D4EB4FL;
    private static final long P3 = 0x165667B19E3779F9L;
    private static final long P4 = 0x85EBCA77C2B2AE63L;
    private static final long P5 = 0x27D4EB2F165667C5L;
    private static final int STRIPE_BYTES = 32;
    private static final int UNROLLED_BYTES = 4 * STRIPE_BYTES;

    private Xxh64() {}

    /** Hash of all bytes of {@code bytes} under {@link #SEED}. */
    public static long hash(MemorySegment bytes) {
        return hash(bytes, SEED);
    }

    /** Hash of all bytes of {@code bytes}, whose length may be anything, under {@code seed}. */
    public static long hash(MemorySegment bytes, long seed) {
        long length = bytes.byteSize();
        long at = 0;
        long h;
        if (length >= STRIPE_BYTES) {
            at = length & -STRIPE_BYTES;
            h = bytes.isNative() ? nativeStripes(bytes, at, seed) : heapStripes(bytes, at, seed);
        } else {
            h = seed + P5;
        }
        h += length;
        for (; at + 8 <= length; at += 8) {
            h = Long.rotateLeft(h ^ round(0, bytes.get(LONG, at)), 27) * P1 + P4;
        }
        if (at + 4 <= length) {
            h = Long.rotateLeft(h ^ (Integer.toUnsignedLong(bytes.get(INT, at)) * P1), 23) * P2 + P3;
            at += 4;
        }
        for (; at < length; at++) {
            h = Long.rotateLeft(h ^ (Byte.toUnsignedLong(bytes.get(ValueLayout.JAVA_BYTE, at)) * P5), 11) * P1;
        }
        return avalanche(h);
    }

    /**
     * The four lanes over the first {@code end} bytes, a multiple of the stripe, folded into one word. Once for each kind of
     * segment: where both meet in one loop, the compiler looks at every access which of them it has, at four times the cost.
     *
     * <p>Four stripes at a time, which makes the method too large to be inlined by HotSpot (FreqInlineSize). Inlined into a deep
     * enough caller, the accesses were not inlined any more, and a hash took two to four times as long, in one run of the program and
     * not in the next.
     */
    private static long nativeStripes(MemorySegment bytes, long end, long seed) {
        long a = seed + P1 + P2;
        long b = seed + P2;
        long c = seed;
        long d = seed - P1;
        long at = 0;
        for (; at + UNROLLED_BYTES <= end; at += UNROLLED_BYTES) {
            a = round(a, bytes.get(LONG, at));
            b = round(b, bytes.get(LONG, at + 8));
            c = round(c, bytes.get(LONG, at + 16));
            d = round(d, bytes.get(LONG, at + 24));
            a = round(a, bytes.get(LONG, at + 32));
            b = round(b, bytes.get(LONG, at + 40));
            c = round(c, bytes.get(LONG, at + 48));
            d = round(d, bytes.get(LONG, at + 56));
            a = round(a, bytes.get(LONG, at + 64));
            b = round(b, bytes.get(LONG, at + 72));
            c = round(c, bytes.get(LONG, at + 80));
            d = round(d, bytes.get(LONG, at + 88));
            a = round(a, bytes.get(LONG, at + 96));
            b = round(b, bytes.get(LONG, at + 104));
            c = round(c, bytes.get(LONG, at + 112));
            d = round(d, bytes.get(LONG, at + 120));
        }
        for (; at < end; at += STRIPE_BYTES) {
            a = round(a, bytes.get(LONG, at));
            b = round(b, bytes.get(LONG, at + 8));
            c = round(c, bytes.get(LONG, at + 16));
            d = round(d, bytes.get(LONG, at + 24));
        }
        return fold(a, b, c, d);
    }

    /** As {@link #nativeStripes}. */
    private static long heapStripes(MemorySegment bytes, long end, long seed) {
        long a = seed + P1 + P2;
        long b = seed + P2;
        long c = seed;
        long d = seed - P1;
        long at = 0;
        for (; at + UNROLLED_BYTES <= end; at += UNROLLED_BYTES) {
            a = round(a, bytes.get(LONG, at));
            b = round(b, bytes.get(LONG, at + 8));
            c = round(c, bytes.get(LONG, at + 16));
            d = round(d, bytes.get(LONG, at + 24));
            a = round(a, bytes.get(LONG, at + 32));
            b = round(b, bytes.get(LONG, at + 40));
            c = round(c, bytes.get(LONG, at + 48));
            d = round(d, bytes.get(LONG, at + 56));
            a = round(a, bytes.get(LONG, at + 64));
            b = round(b, bytes.get(LONG, at + 72));
            c = round(c, bytes.get(LONG, at + 80));
            d = round(d, bytes.get(LONG, at + 88));
            a = round(a, bytes.get(LONG, at + 96));
            b = round(b, bytes.get(LONG, at + 104));
            c = round(c, bytes.get(LONG, at + 112));
            d = round(d, bytes.get(LONG, at + 120));
        }
        for (; at < end; at += STRIPE_BYTES) {
            a = round(a, bytes.get(LONG, at));
            b = round(b, bytes.get(LONG, at + 8));
            c = round(c, bytes.get(LONG, at + 16));
            d = round(d, bytes.get(LONG, at + 24));
        }
        return fold(a, b, c, d);
    }

    private static long fold(long a, long b, long c, long d) {
        long h = Long.rotateLeft(a, 1) + Long.rotateLeft(b, 7) + Long.rotateLeft(c, 12) + Long.rotateLeft(d, 18);
        h = (h ^ round(0, a)) * P1 + P4;
        h = (h ^ round(0, b)) * P1 + P4;
        h = (h ^ round(0, c)) * P1 + P4;
        return (h ^ round(0, d)) * P1 + P4;
    }

    private static long round(long lane, long word) {
        return Long.rotateLeft(lane + word * P2, 31) * P1;
    }

    private static long avalanche(long h) {
        long x = (h ^ (h >>> 33)) * P2;
        x = (x ^ (x >>> 29)) * P3;
        return x ^ (x >>> 32);
    }
}
