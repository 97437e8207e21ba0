package io.hammer2.fs.codec;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * Stored bytes of a data block to logical bytes (framing: format section 11.3). Keeps what inflate and zstd work with between calls, so
 * it belongs to one caller at a time, in practice to one cpu; close it to give that native memory back.
 *
 * <p>Segments are native or backed by a {@code byte[]}; native ones avoid a copy. Nothing is allocated in proportion to what
 * a stream claims about itself.
 */
public final class Decompressor implements AutoCloseable {
    private final LZ4SafeDecompressor lz4 = LZ4Factory.fastestInstance().safeDecompressor();
    /** Null for that in use, which is not looked for before a block needs it. */
    private final ZlibLibrary zlibLibrary;

    // Made when a block asks first.
    private BlockDecompressor zlib;
    private BlockDecompressor zstd;

    /** Copies of what is not native; made when somebody comes with that. */
    private MemorySegment storedCopy = MemorySegment.NULL;

    private MemorySegment logicalCopy = MemorySegment.NULL;

    public Decompressor() {
        this(null);
    }

    /** @param zlibLibrary who inflates, whichever this process prefers */
    Decompressor(ZlibLibrary zlibLibrary) {
        this.zlibLibrary = zlibLibrary;
    }

    /**
     * Decodes a block. What the block does not provide of {@code logical} is set to zero: a block may be shorter than the
     * logical block it stands for (format section 11.2).
     *
     * @param stored all stored bytes of the block, already verified by its check code
     * @param logical the logical block, usually 65,536 bytes; its content is undefined after an exception
     * @return how many bytes the block provided
     * @throws CodecException when the bytes are no stream of this method, decode to more than {@code logical} holds, or this process
     *     has no library for them
     */
    public int decompress(Compression method, MemorySegment stored, MemorySegment logical) {
        int length = switch (method) {
            case NONE -> copy(stored, logical);
            case LZ4 -> lz4(stored, logical);
            case ZLIB -> natively(zlib(), stored, logical);
            case ZSTD -> natively(zstd(), stored, logical);
            case AUTOZERO ->
                throw new CodecException("encoding of a data block", "none, LZ4, ZLIB or ZSTD", "autozero");
        };
        logical.asSlice(length).fill((byte) 0);
        return length;
    }

    @Override
    public void close() {
        if (zlib != null) {
            zlib.close();
            zlib = null;
        }
        if (zstd != null) {
            zstd.close();
            zstd = null;
        }
    }

    private static int copy(MemorySegment stored, MemorySegment logical) {
        if (stored.byteSize() > logical.byteSize()) {
            throw new CodecException(
                    "size of a plain block", "at most " + logical.byteSize() + " bytes", stored.byteSize() + " bytes");
        }
        MemorySegment.copy(stored, 0, logical, 0, stored.byteSize());
        return (int) stored.byteSize();
    }

    private int lz4(MemorySegment stored, MemorySegment logical) {
        int length = LengthWord.get("LZ4", stored, 1);
        int decoded;
        try {
            ByteBuffer into = logical.asByteBuffer();
            decoded = lz4.decompress(stored.asByteBuffer(), LengthWord.BYTES, length, into, 0, into.capacity());
        } catch (LZ4Exception e) {
            throw new CodecException(
                    "LZ4 stream of " + length + " bytes",
                    "one that decodes to at most " + logical.byteSize() + " bytes",
                    "a damaged one (" + e.getMessage() + ")");
        }
        if (decoded == 0) {
            throw new CodecException("LZ4 stream of " + length + " bytes", "some content", "none");
        }
        return decoded;
    }

    private int natively(BlockDecompressor decompressor, MemorySegment stored, MemorySegment logical) {
        MemorySegment source = stored;
        if (!stored.isNative()) {
            storedCopy = roomFor(storedCopy, stored.byteSize());
            source = storedCopy.asSlice(0, stored.byteSize()).copyFrom(stored);
        }
        if (logical.isNative()) {
            return decompressor.decompress(source, logical);
        }
        logicalCopy = roomFor(logicalCopy, logical.byteSize());
        int decoded = decompressor.decompress(source, logicalCopy.asSlice(0, logical.byteSize()));
        MemorySegment.copy(logicalCopy, 0, logical, 0, decoded);
        return decoded;
    }

    private static MemorySegment roomFor(MemorySegment memory, long size) {
        return memory.byteSize() >= size && size > 0 ? memory : Arena.ofAuto().allocate(Math.max(1, size));
    }

    private BlockDecompressor zlib() {
        if (zlib == null) {
            zlib = (zlibLibrary == null ? ZlibLibrary.inUse() : zlibLibrary).newDecompressor();
        }
        return zlib;
    }

    private BlockDecompressor zstd() {
        if (ZstdLibrary.problem() != null) {
            throw new CodecException("block compressed with zstd", "a library to read it with", ZstdLibrary.problem());
        }
        if (zstd == null) {
            zstd = new ZstdDecompressor();
        }
        return zstd;
    }
}
