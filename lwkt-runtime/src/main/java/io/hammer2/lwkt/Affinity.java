package io.hammer2.lwkt;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Pins the calling thread to a processor, on Linux; elsewhere the operating system places it. */
final class Affinity {
    /** Bits of the processor mask: the size of glibc's {@code cpu_set_t}. */
    private static final int PROCESSORS_MAX = 1024;

    private Affinity() {}

    /**
     * Pins to the n-th processor this process may use, if it may use that many.
     *
     * @return the processor's number, or -1 if the thread was not pinned
     */
    static int pinToNth(int n) {
        if (!System.getProperty("os.name").equals("Linux")) {
            return -1;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment mask = arena.allocate(PROCESSORS_MAX / 8, 8);
            if (call("sched_getaffinity", mask) < 0) {
                return -1;
            }
            int processor = nthBit(mask, n);
            if (processor < 0) {
                return -1;
            }
            mask.fill((byte) 0);
            mask.set(ValueLayout.JAVA_BYTE, processor / 8, (byte) (1 << processor % 8));
            return call("sched_setaffinity", mask) < 0 ? -1 : processor;
        }
    }

    /** Both have the form {@code int f(pid_t 0 for the calling thread, size_t size, cpu_set_t *mask)}. */
    private static int call(String function, MemorySegment mask) {
        Linker linker = Linker.nativeLinker();
        MethodHandle handle = linker.downcallHandle(
                linker.defaultLookup().findOrThrow(function),
                FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.ADDRESS));
        try {
            return (int) handle.invokeExact(0, mask.byteSize(), mask);
        } catch (Throwable t) {
            throw new AssertionError(function + " threw", t);
        }
    }

    private static int nthBit(MemorySegment mask, int n) {
        for (int bit = 0, seen = 0; bit < PROCESSORS_MAX; bit++) {
            if ((mask.get(ValueLayout.JAVA_BYTE, bit / 8) >> bit % 8 & 1) != 0 && seen++ == n) {
                return bit;
            }
        }
        return -1;
    }
}
