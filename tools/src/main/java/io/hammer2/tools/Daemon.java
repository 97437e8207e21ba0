package io.hammer2.tools;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Whose a process is, and what it does to outlive the terminal it was started from. */
final class Daemon {
    private static final int O_RDWR = 2;
    private static final MethodHandle SETSID = function("setsid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle GETUID = function("getuid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle GETGID = function("getgid", FunctionDescriptor.of(JAVA_INT));
    private static final MethodHandle DUP2 = function("dup2", FunctionDescriptor.of(JAVA_INT, JAVA_INT, JAVA_INT));
    private static final MethodHandle CHDIR = function("chdir", FunctionDescriptor.of(JAVA_INT, ADDRESS));
    private static final MethodHandle OPEN = function("open", FunctionDescriptor.of(JAVA_INT, ADDRESS, JAVA_INT));

    /** User id of who started this process. */
    static int uid() {
        try {
            return (int) GETUID.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Group id of who started this process. */
    static int gid() {
        try {
            return (int) GETGID.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /** Leaves the terminal's session: neither its interrupt key nor its end reaches this process any more. */
    static void leaveSession() {
        try {
            int ignored = (int) SETSID.invokeExact();
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    /**
     * Points the three standard descriptors at /dev/null, which releases whoever waits for the end of our output; and leaves
     * the current directory, which could not be unmounted else. The JVM goes on resolving paths by the old one.
     */
    static void letGoOfTheStarter() throws IOException {
        System.out.flush();
        System.err.flush();
        try (Arena arena = Arena.ofConfined()) {
            int nowhere = (int) OPEN.invokeExact(arena.allocateFrom("/dev/null"), O_RDWR);
            for (int fd = 0; nowhere >= 0 && fd <= 2; fd++) {
                int ignored = (int) DUP2.invokeExact(nowhere, fd);
            }
            int ignored = (int) CHDIR.invokeExact(arena.allocateFrom("/"));
        } catch (Throwable e) {
            throw new IOException("cannot detach from the terminal", e);
        }
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        MemorySegment address = linker.defaultLookup().findOrThrow(name);
        return name.equals("open")
                ? linker.downcallHandle(address, descriptor, Linker.Option.firstVariadicArg(2))
                : linker.downcallHandle(address, descriptor);
    }

    private Daemon() {}
}
