package io.hammer2.fs.pipeline;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.io.BufferPool;
import java.lang.foreign.MemorySegment;

/**
 * A block of file data on its way to the medium: what it is, and what the steps so far have made of it. It is lent from cpu to cpu by
 * messages, and belongs to one of them at a time.
 */
public final class OutgoingBlock {
    private final long key;
    private final MemorySegment plain;
    private final DataPolicy policy;
    private final boolean tried;
    private final Runnable release;

    // What encoding makes of it.
    private boolean hole;
    private MemorySegment stored;

    /** What {@link #stored} lies in, of the pool; null where that is {@link #plain}. */
    private MemorySegment piece;

    private Compression encoding = Compression.NONE;
    private final MemorySegment check = MemorySegment.ofArray(new byte[CheckCode.AREA_BYTES]);

    /**
     * @param key of the block in its file
     * @param plain its bytes, native, a power of two of at least 1024 of them; not changed any more
     * @param tries whether to try to compress it, if the policy does at all
     * @param release on the volume cpu, once, when {@code plain} is no longer needed
     */
    public OutgoingBlock(long key, MemorySegment plain, DataPolicy policy, boolean tries, Runnable release) {
        this.key = key;
        this.plain = plain;
        this.policy = policy;
        this.tried = tries && policy.compresses();
        this.release = release;
    }

    /** One that lies behind the end of its file. */
    public static OutgoingBlock beyondEnd(long key, DataPolicy policy, Runnable release) {
        OutgoingBlock block = new OutgoingBlock(key, MemorySegment.NULL, policy, false, release);
        block.hole = true;
        return block;
    }

    public long key() {
        return key;
    }

    /** Logical bytes, padded with zeros. */
    public MemorySegment plain() {
        return plain;
    }

    public DataPolicy policy() {
        return policy;
    }

    /** Whether it was tried to make it smaller. */
    public boolean isTried() {
        return tried;
    }

    /** Whether all is zero, and the file has a hole for that. */
    public boolean isHole() {
        return hole;
    }

    /** The bytes for the medium, a power of two of at least 1024. */
    public MemorySegment stored() {
        return stored;
    }

    /** What {@link #stored} is encoded with. */
    public Compression encoding() {
        return encoding;
    }

    public boolean isCompressed() {
        return encoding != Compression.NONE;
    }

    /** The check area of a reference to {@link #stored}: 64 bytes. */
    public MemorySegment check() {
        return check;
    }

    void becomeHole() {
        hole = true;
    }

    void storePlain() {
        stored = plain;
    }

    /** @param memory of the pool, which the block owns from now on; its first {@code size} bytes are for the medium */
    void store(MemorySegment memory, int size, Compression with) {
        piece = memory;
        stored = memory.asSlice(0, size);
        encoding = with;
    }

    /** {@code plain} is no longer needed. */
    void releasePlain() {
        release.run();
    }

    /** Gives the memory of {@link #stored} to a write, which gives it back by what is returned. */
    Runnable handOver(BufferPool buffers) {
        MemorySegment written = piece;
        piece = null;
        return () -> buffers.give(written);
    }

    /** What encoding has made is no longer needed. */
    void releaseEncoded(BufferPool buffers) {
        if (piece != null) {
            buffers.give(piece);
            piece = null;
        }
    }
}
