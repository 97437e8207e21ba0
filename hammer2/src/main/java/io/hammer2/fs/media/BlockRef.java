package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HexFormat;

/**
 * Reference to a block: where it is, which keys it covers, how it is stored and what its check code must be (section 4).
 * Immutable; all 128 bytes are kept, reserved ones too, and two references are equal if all of them are.
 *
 * <pre>
 * 00 type    01 methods  02 copyid  03 keybits  04 vradix  05 flags  06 leaf_count (2)
 * 08 key                            10 mirror_tid
 * 18 modify_tid                     20 data_off  (offset in bits 63..6, radix of the stored size in 5..0)
 * 28 update_tid                     30 embed (16): directory entry head, or data_count and inode_count
 * 40 check (64): check code, name of a directory entry, or freemap hints
 * </pre>
 */
public final class BlockRef {
    /** Bytes on the medium. */
    public static final int BYTES = Limits.BLOCK_REF_BYTES;

    /** {@link #flags} of a PFS root's reference. */
    public static final int FLAG_PFSROOT = 0x01;

    /** {@link #flags} of a block that was modified in place in emergency mode. */
    public static final int FLAG_EMERGENCY = 0x04;

    /** Bytes of the check area. */
    public static final int CHECK_BYTES = 64;

    static final int TYPE = 0x00;
    static final int METHODS = 0x01;
    static final int COPYID = 0x02;
    static final int KEYBITS = 0x03;
    static final int VRADIX = 0x04;
    static final int FLAGS = 0x05;
    static final int LEAF_COUNT = 0x06;
    static final int KEY = 0x08;
    static final int MIRROR_TID = 0x10;
    static final int MODIFY_TID = 0x18;
    static final int DATA_OFF = 0x20;
    static final int EMBED = 0x30;
    static final int DATA_COUNT = EMBED;
    static final int INODE_COUNT = EMBED + 8;
    static final int CHECK = 0x40;
    static final int CHECK_BIGMASK = CHECK + 4;
    static final int CHECK_AVAIL = CHECK + 8;

    static final int RADIX_MASK = 0x3F;
    private static final int RESERVED_SEGMENT_ORDER = 30;

    private final byte[] bytes;
    private final MemorySegment segment;
    private final BlockType type;

    private BlockRef(byte[] bytes) {
        this.bytes = bytes;
        this.segment = MemorySegment.ofArray(bytes).asReadOnly();
        this.type = BlockType.of(Fields.u8(segment, TYPE));
    }

    /**
     * Copies the reference at {@code offset} of {@code block}.
     *
     * @throws CorruptBlockException if its type is unknown
     */
    public static BlockRef read(MemorySegment block, long offset) {
        return new BlockRef(Fields.bytes(block, offset, BYTES));
    }

    /** Copies this reference to {@code offset} of {@code block}. */
    public void write(MemorySegment block, long offset) {
        MemorySegment.copy(bytes, 0, block, ValueLayout.JAVA_BYTE, offset, BYTES);
    }

    public BlockType type() {
        return type;
    }

    /** Check method (section 4.2), not yet known to be one that exists. */
    public int checkMethod() {
        return methods() >>> 4;
    }

    /** Compression method; for DATA how it is stored, elsewhere without meaning (section 4.2). */
    public int compressionMethod() {
        return methods() & 0x0F;
    }

    /** Check method in the high nibble, compression method in the low one. */
    public int methods() {
        return Fields.u8(segment, METHODS);
    }

    public int copyid() {
        return Fields.u8(segment, COPYID);
    }

    public int keybits() {
        return Fields.u8(segment, KEYBITS);
    }

    public int vradix() {
        return Fields.u8(segment, VRADIX);
    }

    public int flags() {
        return Fields.u8(segment, FLAGS);
    }

    public boolean isPfsRoot() {
        return (flags() & FLAG_PFSROOT) != 0;
    }

    /** Leaves below, saturating at 65535; a hint (section 4.3). */
    public int leafCount() {
        return Fields.u16(segment, LEAF_COUNT);
    }

    /** First key covered; unsigned. */
    public long key() {
        return Fields.u64(segment, KEY);
    }

    /** Last key covered, inclusive; unsigned. */
    public long keyEnd() {
        return Key.end(key(), keybits());
    }

    public boolean covers(long key) {
        return Key.lessOrEqual(key(), key) && Key.lessOrEqual(key, keyEnd());
    }

    /** Transaction of the whole medium in which the block was written (section 12). */
    public long mirrorTid() {
        return Fields.u64(segment, MIRROR_TID);
    }

    /** Transaction of the PFS in which the block was changed (section 12). */
    public long modifyTid() {
        return Fields.u64(segment, MODIFY_TID);
    }

    /** Offset and radix as stored. */
    public long dataOff() {
        return Fields.u64(segment, DATA_OFF);
    }

    /** Logical offset of the block in bytes: within the concatenation of all volumes. */
    public long offsetBytes() {
        return dataOff() & ~RADIX_MASK;
    }

    /** Binary logarithm of the stored size, 0 for "no storage". */
    public int radix() {
        return (int) dataOff() & RADIX_MASK;
    }

    /** Stored size in bytes, 0 without storage. Validate first: a radix above 30 has no size. */
    public int storedBytes() {
        int radix = radix();
        return radix == 0 ? 0 : 1 << radix;
    }

    /** INODE, INDIRECT: stored bytes below (section 4.3). */
    public long dataCount() {
        return Fields.u64(segment, DATA_COUNT);
    }

    /** INODE, INDIRECT: inodes below (section 4.3). */
    public long inodeCount() {
        return Fields.u64(segment, INODE_COUNT);
    }

    /** The 64 bytes of the check area, read-only. */
    public MemorySegment check() {
        return segment.asSlice(CHECK, CHECK_BYTES);
    }

    /** The first eight bytes of the check area, of which a shorter code leaves some without meaning. */
    public long checkWord() {
        return Fields.u64(segment, CHECK);
    }

    /** FREEMAP_LEAF: bit r set says that an allocation of radix r may succeed (section 6.3). */
    public int freemapBigmask() {
        return Fields.int32(segment, CHECK_BIGMASK);
    }

    /** FREEMAP_LEAF: free bytes when the leaf was made (section 6.3). */
    public long freemapAvailBytes() {
        return Fields.u64(segment, CHECK_AVAIL);
    }

    /**
     * Refuses what no size or offset may be computed from: a radix outside of what the type allows, storage that leaves the
     * file system or crosses a physical buffer, keybits that the type does not allow, an unaligned range (sections 4, 4.1).
     * What is merely against the rules, and harmless to a reader, is left to the checker.
     *
     * @param totalBytes size of the file system
     * @throws CorruptBlockException naming the broken rule
     */
    public BlockRef validate(long totalBytes) {
        int keybits = keybits();
        switch (type) {
            case EMPTY -> {
                return this;
            }
            case INODE -> require(keybits == 0, "keybits of an inode", "0", keybits);
            case DIRENT -> {
                require(keybits == 0, "keybits of a directory entry", "0", keybits);
                require(key() < 0, "key of a directory entry", "bit 63 set", Key.text(key()));
            }
            case DATA -> {
                require(keybits == Limits.DATA_KEYBITS, "keybits of file data", "16", keybits);
                require(key() >= 0, "key of file data", "bit 63 clear", Key.text(key()));
            }
            case INDIRECT -> require(keybits >= 1 && keybits <= 63, "keybits of an indirect block", "1..63", keybits);
            case FREEMAP_NODE, FREEMAP_LEAF -> validateFreemapKeybits(keybits);
            case INVALID -> throw new CorruptBlockException(this, "type of a block reference", "0..6", "7");
        }
        require(Key.isAligned(key(), keybits), "alignment of the key range", "multiple of 2^keybits", Key.text(key()));
        validateStorage(totalBytes);
        return this;
    }

    private void validateFreemapKeybits(int keybits) {
        boolean ok = type == BlockType.FREEMAP_LEAF
                ? keybits == Limits.FREEMAP_LEAF_KEYBITS
                : keybits == 38 || keybits == 46 || keybits == 54 || keybits == 62;
        require(ok, "keybits of a freemap block", "30, or 38, 46, 54, 62 of a node", keybits);
    }

    private void validateStorage(long totalBytes) {
        int radix = radix();
        boolean radixOk = switch (type) {
            case INODE -> radix == Limits.RADIX_MIN;
            case DIRENT -> radix == 0 || radix == Limits.RADIX_MIN;
            case INDIRECT -> radix >= Limits.INDIRECT_RADIX_MIN && radix <= Limits.RADIX_MAX;
            case DATA -> radix >= Limits.RADIX_MIN && radix <= Limits.RADIX_MAX;
            case FREEMAP_NODE, FREEMAP_LEAF -> radix == 15;
            case EMPTY, INVALID -> true;
        };
        require(radixOk, "radix of the stored size", "one that " + type + " allows", radix);
        if (radix == 0) {
            return;
        }
        long offset = offsetBytes();
        int size = storedBytes();
        require((offset & (Limits.KIB - 1)) == 0, "offset of a block", "multiple of 1024", Key.text(offset));
        require(
                offset >= 0 && offset <= totalBytes - size,
                "offset of a block",
                "inside the file system of " + totalBytes + " bytes",
                Key.text(offset));
        require(
                (offset & (Limits.BLOCK_BYTES_MAX - 1)) + size <= Limits.BLOCK_BYTES_MAX,
                "place of a block",
                "inside one 64 KiB buffer",
                Key.text(offset));
        boolean inReserve = (offset & ((1L << RESERVED_SEGMENT_ORDER) - 1)) < Limits.RESERVED_SEGMENT_BYTES;
        boolean freemap = type == BlockType.FREEMAP_NODE || type == BlockType.FREEMAP_LEAF;
        require(
                inReserve == freemap,
                "place of a block",
                freemap ? "in a reserved segment" : "outside of the reserved segments",
                Key.text(offset));
    }

    private void require(boolean condition, String what, String expected, int found) {
        if (!condition) {
            throw new CorruptBlockException(this, what, expected, Integer.toString(found));
        }
    }

    private void require(boolean condition, String what, String expected, String found) {
        if (!condition) {
            throw new CorruptBlockException(this, what, expected, found);
        }
    }

    /** A reference like this one, to be changed. */
    public Builder toBuilder() {
        return new Builder(bytes.clone());
    }

    /** A reference with all bytes zero, to be filled in (section 21: zeroed before filling). */
    public static Builder builder(BlockType type) {
        return new Builder(new byte[BYTES]).type(type);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BlockRef that && isAt(that.segment, 0);
    }

    /** Whether both lead to the same, and say the same of it, whenever they were made: all but the transaction ids is equal. */
    public boolean isLike(BlockRef that) {
        return MemorySegment.mismatch(segment, 0, MIRROR_TID, that.segment, 0, MIRROR_TID) < 0
                && MemorySegment.mismatch(segment, DATA_OFF, BYTES, that.segment, DATA_OFF, BYTES) < 0;
    }

    /** Whether the 128 bytes at {@code offset} of {@code block} are this reference: a lookup that makes no object. */
    public boolean isAt(MemorySegment block, long offset) {
        return MemorySegment.mismatch(segment, 0, BYTES, block, offset, offset + BYTES) < 0;
    }

    @Override
    public int hashCode() {
        return hashAt(segment, 0);
    }

    /** {@link #hashCode} of the reference at {@code offset} of {@code block}. */
    public static int hashAt(MemorySegment block, long offset) {
        long mixed = Fields.u64(block, offset + DATA_OFF) * 0x9E3779B97F4A7C15L
                ^ Fields.u64(block, offset + CHECK) * 0xC2B2AE3D27D4EB4FL
                ^ Fields.u64(block, offset + KEY);
        return (int) (mixed ^ mixed >>> 32);
    }

    /** Type, key range, place and stored check bytes: what a log line needs to find the block again. */
    @Override
    public String toString() {
        return type + " key " + Key.text(key()) + "/" + keybits() + " data_off " + Key.text(dataOff()) + " methods "
                + HexFormat.of().toHexDigits((byte) methods()) + " mirror_tid " + Long.toUnsignedString(mirrorTid())
                + (type == BlockType.DIRENT && radix() == 0
                        ? ""
                        : " check " + HexFormat.of().formatHex(bytes, CHECK, CHECK + 8));
    }

    /** Fills in a reference. */
    public static final class Builder {
        private final byte[] bytes;
        private final MemorySegment segment;

        private Builder(byte[] bytes) {
            this.bytes = bytes;
            this.segment = MemorySegment.ofArray(bytes);
        }

        public Builder type(BlockType type) {
            Fields.putByte(segment, TYPE, type.code());
            return this;
        }

        public Builder methods(int checkMethod, int compressionMethod) {
            Fields.putByte(segment, METHODS, checkMethod << 4 | compressionMethod);
            return this;
        }

        /** The check method, from {@link #methods}. */
        public int checkMethod() {
            return Fields.u8(segment, METHODS) >>> 4;
        }

        public Builder copyid(int copyid) {
            Fields.putByte(segment, COPYID, copyid);
            return this;
        }

        public Builder vradix(int vradix) {
            Fields.putByte(segment, VRADIX, vradix);
            return this;
        }

        public Builder key(long key, int keybits) {
            Fields.putLong(segment, KEY, key);
            Fields.putByte(segment, KEYBITS, keybits);
            return this;
        }

        public Builder flags(int flags) {
            Fields.putByte(segment, FLAGS, flags);
            return this;
        }

        public Builder leafCount(int leafCount) {
            Fields.putShort(segment, LEAF_COUNT, leafCount);
            return this;
        }

        public Builder tids(long mirrorTid, long modifyTid) {
            Fields.putLong(segment, MIRROR_TID, mirrorTid);
            Fields.putLong(segment, MODIFY_TID, modifyTid);
            return this;
        }

        /** @param dataOff offset and radix as stored */
        public Builder dataOff(long dataOff) {
            Fields.putLong(segment, DATA_OFF, dataOff);
            return this;
        }

        public Builder counts(long dataCount, long inodeCount) {
            Fields.putLong(segment, DATA_COUNT, dataCount);
            Fields.putLong(segment, INODE_COUNT, inodeCount);
            return this;
        }

        /** FREEMAP_LEAF: what is behind the check code (section 6.3). */
        public Builder freemapHints(int bigmask, long availBytes) {
            Fields.putInt(segment, CHECK_BIGMASK, bigmask);
            Fields.putLong(segment, CHECK_AVAIL, availBytes);
            return this;
        }

        /** The 16 embed bytes and the check area, for whoever computes what stands there. */
        MemorySegment segment() {
            return segment;
        }

        /** The 64 bytes of the check area, writable. */
        public MemorySegment check() {
            return segment.asSlice(CHECK, CHECK_BYTES);
        }

        /** @throws CorruptBlockException if the type is unknown */
        public BlockRef build() {
            return new BlockRef(bytes.clone());
        }
    }
}
