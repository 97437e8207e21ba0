package io.hammer2.tools;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/** symlink(2): the JDK knows only targets that are its paths, without doubled slashes and in UTF-8. */
final class SymbolicLink {
    private static final MethodHandle SYMLINK = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().findOrThrow("symlink"),
                    FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS));

    private SymbolicLink() {}

    /** @return false when the host refuses it: a target that is empty, holds a zero byte or is too long, a name that is taken */
    static boolean make(byte[] target, Path at) {
        for (byte b : target) {
            if (b == 0) {
                return false;
            }
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment text = arena.allocate(target.length + 1L);
            MemorySegment.copy(target, 0, text, JAVA_BYTE, 0, target.length);
            return (int) SYMLINK.invokeExact(text, arena.allocateFrom(at.toString())) == 0;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }
}
