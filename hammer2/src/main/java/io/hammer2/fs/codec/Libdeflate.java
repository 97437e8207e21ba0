package io.hammer2.fs.codec;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Locale;

/**
 * The functions of libdeflate that are used (libdeflate.h, ABI 0), where the system has it: Debian's libdeflate0, Homebrew's libdeflate. Only
 * memory of the caller's is written.
 */
final class Libdeflate {
    /** As in a system's search path, and where Homebrew has it. */
    private static final List<String> LINUX = List.of("libdeflate.so.0");

    private static final List<String> MACOS =
            List.of("libdeflate.0.dylib", "/opt/homebrew/lib/libdeflate.0.dylib", "/usr/local/lib/libdeflate.0.dylib");

    /** Results of {@code libdeflate_zlib_decompress_ex}. */
    static final int SUCCESS = 0;

    static final int INSUFFICIENT_SPACE = 3;

    private static String problem;
    private static final SymbolLookup LOOKUP = find();

    private static final MethodHandle ALLOC_COMPRESSOR =
            function("libdeflate_alloc_compressor", FunctionDescriptor.of(ADDRESS, JAVA_INT));
    private static final MethodHandle FREE_COMPRESSOR =
            function("libdeflate_free_compressor", FunctionDescriptor.ofVoid(ADDRESS));
    private static final MethodHandle COMPRESS = function(
            "libdeflate_zlib_compress",
            FunctionDescriptor.of(JAVA_LONG, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG));
    private static final MethodHandle ALLOC_DECOMPRESSOR =
            function("libdeflate_alloc_decompressor", FunctionDescriptor.of(ADDRESS));
    private static final MethodHandle FREE_DECOMPRESSOR =
            function("libdeflate_free_decompressor", FunctionDescriptor.ofVoid(ADDRESS));
    private static final MethodHandle DECOMPRESS = function(
            "libdeflate_zlib_decompress_ex",
            FunctionDescriptor.of(JAVA_INT, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS));

    private Libdeflate() {}

    /** Why it cannot be used, in a line; null when it can. */
    static String problem() {
        return problem;
    }

    private static SymbolLookup find() {
        boolean isMac = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac");
        for (String name : isMac ? MACOS : LINUX) {
            try {
                return SymbolLookup.libraryLookup(name, Arena.global());
            } catch (IllegalArgumentException e) {
                // Perhaps it has the next one.
            }
        }
        problem = "libdeflate is not installed";
        return SymbolLookup.loaderLookup();
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        if (problem != null) {
            return null;
        }
        MemorySegment address = LOOKUP.find(name).orElse(MemorySegment.NULL);
        if (address.equals(MemorySegment.NULL)) {
            problem = "this libdeflate has no " + name;
            return null;
        }
        return Linker.nativeLinker().downcallHandle(address, descriptor);
    }

    /** @return a compressor, to be freed */
    static MemorySegment allocCompressor(int level) {
        try {
            return allocated((MemorySegment) ALLOC_COMPRESSOR.invokeExact(level));
        } catch (Throwable e) {
            throw failure(e);
        }
    }

    static void freeCompressor(MemorySegment compressor) {
        try {
            FREE_COMPRESSOR.invokeExact(compressor);
        } catch (Throwable e) {
            throw failure(e);
        }
    }

    /** @return bytes in {@code into}, or 0 when it does not fit */
    static int compress(MemorySegment compressor, MemorySegment plain, MemorySegment into, int room) {
        try {
            return (int) (long) COMPRESS.invokeExact(compressor, plain, plain.byteSize(), into, (long) room);
        } catch (Throwable e) {
            throw failure(e);
        }
    }

    /** @return a decompressor, to be freed */
    static MemorySegment allocDecompressor() {
        try {
            return allocated((MemorySegment) ALLOC_DECOMPRESSOR.invokeExact());
        } catch (Throwable e) {
            throw failure(e);
        }
    }

    static void freeDecompressor(MemorySegment decompressor) {
        try {
            FREE_DECOMPRESSOR.invokeExact(decompressor);
        } catch (Throwable e) {
            throw failure(e);
        }
    }

    /**
     * Decodes the stream at the beginning of {@code stored}.
     *
     * @param counts 16 bytes, which get the size of the stream and that of its content, on success
     * @return {@link #SUCCESS}, {@link #INSUFFICIENT_SPACE}, or else it is damaged
     */
    static int decompress(
            MemorySegment decompressor, MemorySegment stored, MemorySegment logical, MemorySegment counts) {
        try {
            return (int) DECOMPRESS.invokeExact(
                    decompressor,
                    stored,
                    stored.byteSize(),
                    logical,
                    logical.byteSize(),
                    counts,
                    counts.asSlice(Long.BYTES));
        } catch (Throwable e) {
            throw failure(e);
        }
    }

    private static MemorySegment allocated(MemorySegment memory) {
        if (memory.equals(MemorySegment.NULL)) {
            throw new OutOfMemoryError("libdeflate has got no memory");
        }
        return memory;
    }

    private static RuntimeException failure(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException known ? known : new IllegalStateException(e);
    }
}
