package io.hammer2.fs.codec;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import net.jpountz.lz4.LZ4Exception;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * Stored bytes of a data block to logical bytes (framing: format section 11.3). Keeps an inflater between calls, so it
 * belongs to one caller at a time, in practice to one cpu; close it to give the inflater's native memory back.
 *
 * <p>Segments are native or backed by a {@code byte[]}; native ones avoid a copy. Nothing is allocated in proportion to what
 * a stream claims about itself.
 */
public final class Decompressor implements AutoCloseable {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    /** Length word in front of an LZ4 stream. */
    private static final int LZ4_HEAD_BYTES = 4;

    private final LZ4SafeDecompressor lz4 = LZ4Factory.fastestInstance().safeDecompressor();
    private final ByteBuffer overrun = ByteBuffer.allocateDirect(1);
    private Inflater inflater;

    /**
     * Decodes a block. What the block does not provide of {@code logical} is set to zero: a block may be shorter than the
     * logical block it stands for (format section 11.2).
     *
     * @param stored all stored bytes of the block, already verified by its check code
     * @param logical the logical block, usually 65,536 bytes; its content is undefined after an exception
     * @return how many bytes the block provided
     * @throws CodecException when the bytes are no stream of this method, or decode to more than {@code logical} holds
     */
    public int decompress(Compression method, MemorySegment stored, MemorySegment logical) {
        int length = switch (method) {
            case NONE -> copy(stored, logical);
            case LZ4 -> lz4(stored, logical);
            case ZLIB -> zlib(stored, logical);
            case AUTOZERO -> throw new CodecException("encoding of a data block", "none, LZ4 or ZLIB", "autozero");
        };
        logical.asSlice(length).fill((byte) 0);
        return length;
    }

    @Override
    public void close() {
        if (inflater != null) {
            inflater.end();
            inflater = null;
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
        long room = stored.byteSize() - LZ4_HEAD_BYTES;
        // Compared as an unsigned number, or a length with the top bit set would count as a small one.
        long length = room < 0 ? 0 : Integer.toUnsignedLong(stored.get(INT, 0));
        if (length == 0 || length > room) {
            throw new CodecException(
                    "LZ4 length word of a block of " + stored.byteSize() + " bytes",
                    "1 to " + room,
                    Long.toString(length));
        }
        int decoded;
        try {
            decoded =
                    lz4.decompress(stored.asByteBuffer(), LZ4_HEAD_BYTES, (int) length, logical.asByteBuffer(), 0, (int)
                            logical.byteSize());
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

    private int zlib(MemorySegment stored, MemorySegment logical) {
        if (inflater == null) {
            inflater = new Inflater();
        }
        try {
            return inflate(stored, logical);
        } catch (DataFormatException e) {
            throw new CodecException("ZLIB stream", "a valid one", "a damaged one (" + e.getMessage() + ")");
        } finally {
            // Lets go of the caller's segment as well.
            inflater.reset();
        }
    }

    private int inflate(MemorySegment stored, MemorySegment logical) throws DataFormatException {
        ByteBuffer into = logical.asByteBuffer();
        inflater.setInput(stored.asByteBuffer());
        inflater.inflate(into);
        if (!inflater.finished() && !into.hasRemaining()) {
            // The end marker and the checksum may still be unread behind the last byte that fitted.
            overrun.clear();
            if (inflater.inflate(overrun) != 0) {
                throw new CodecException(
                        "ZLIB stream", "one that decodes to at most " + logical.byteSize() + " bytes", "a longer one");
            }
        }
        if (!inflater.finished()) {
            throw new CodecException(
                    "ZLIB stream in a block of " + stored.byteSize() + " bytes",
                    "one that ends inside the block",
                    inflater.needsDictionary() ? "one that asks for a dictionary" : "a truncated one");
        }
        if (into.position() == 0) {
            throw new CodecException("ZLIB stream", "some content", "none");
        }
        return into.position();
    }
}
