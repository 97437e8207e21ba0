package io.hammer2.fs.simulation;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/** Hashes that can be added up, so that a change of a part changes the sum by what the part did. */
final class Hash {
    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    static long mix(long a, long b) {
        long x = (a * 0x9E3779B97F4A7C15L + b) * 0xBF58476D1CE4E5B9L;
        x = (x ^ (x >>> 31)) * 0x94D049BB133111EBL;
        return x ^ (x >>> 29);
    }

    static long of(byte[] bytes) {
        long x = bytes.length;
        int words = bytes.length & -Long.BYTES;
        for (int i = 0; i < words; i += Long.BYTES) {
            x = (x ^ (long) LONG.get(bytes, i)) * 0x9E3779B97F4A7C15L;
            x ^= x >>> 32;
        }
        for (int i = words; i < bytes.length; i++) {
            x = (x ^ bytes[i]) * 0x9E3779B97F4A7C15L;
            x ^= x >>> 32;
        }
        return x;
    }

    static long of(String text) {
        long x = text.length();
        for (int i = 0; i < text.length(); i++) {
            x = (x ^ text.charAt(i)) * 0x9E3779B97F4A7C15L;
            x ^= x >>> 32;
        }
        return x;
    }

    private Hash() {}
}
