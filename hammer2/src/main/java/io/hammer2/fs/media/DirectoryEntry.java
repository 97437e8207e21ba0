package io.hammer2.fs.media;

import java.lang.foreign.MemorySegment;

/**
 * Directory entry: a view of a DIRENT block reference (section 10.1). A name of up to 64 bytes lies in the reference's check
 * area, a longer one in a block of its own.
 *
 * <pre>
 * 30 inum (8)   38 namlen (2)   3a object type of the target   3b zero (5)   40 name, if namlen is 64 or less
 * </pre>
 *
 * @param segment the block that holds the reference
 * @param offset where in it the reference begins
 */
public record DirectoryEntry(MemorySegment segment, long offset) {
    private static final int INUM = BlockRef.EMBED;
    private static final int NAMLEN = BlockRef.EMBED + 8;
    private static final int OBJECT_TYPE = BlockRef.EMBED + 10;

    /** Of the entry in {@code slot} of {@code table}. */
    public static DirectoryEntry of(BlockTable table, int slot) {
        return new DirectoryEntry(table.segment(), table.offset(slot));
    }

    /** Of a reference that was copied out. */
    public static DirectoryEntry of(BlockRef ref) {
        MemorySegment copy = MemorySegment.ofArray(new byte[BlockRef.BYTES]);
        ref.write(copy, 0);
        return new DirectoryEntry(copy, 0);
    }

    /** Inode number of the target. */
    public long inum() {
        return Fields.u64(segment, offset + INUM);
    }

    /** Bytes of the name; 1..255 once {@link #validate} has passed. */
    public int nameBytes() {
        return Fields.u16(segment, offset + NAMLEN);
    }

    /** Object type as stored: an entry may lie about its target, see {@link FileType#ofOrNull}. */
    public int objectTypeCode() {
        return Fields.u8(segment, offset + OBJECT_TYPE);
    }

    /** Whether the name lies in the reference; else it lies at the start of the block that is referred to. */
    public boolean isNameEmbedded() {
        return nameBytes() <= Limits.NAME_EMBEDDED_BYTES_MAX;
    }

    /** The name in the reference; only if {@link #isNameEmbedded}. */
    public MemorySegment embeddedName() {
        return segment.asSlice(offset + BlockRef.CHECK, nameBytes());
    }

    /**
     * @return this, with a name of a legal length that is where its length says
     * @throws CorruptBlockException naming the broken rule
     */
    public DirectoryEntry validate() {
        int length = nameBytes();
        if (length < 1 || length > Limits.NAME_BYTES_MAX) {
            throw new CorruptBlockException(
                    BlockRef.read(segment, offset), "length of a name", "1..255", Integer.toString(length));
        }
        long radix = Fields.u64(segment, offset + BlockRef.DATA_OFF) & 0x3F;
        if ((radix == 0) != isNameEmbedded()) {
            throw new CorruptBlockException(
                    BlockRef.read(segment, offset),
                    "place of a name of " + length + " bytes",
                    isNameEmbedded() ? "in the reference" : "in a block of its own",
                    "radix " + radix);
        }
        return this;
    }

    /**
     * Makes {@code ref} refer to {@code inum}; the name goes into the reference if it fits, and else into a block that the
     * caller writes.
     */
    public static void fill(BlockRef.Builder ref, long inum, FileType type, MemorySegment name) {
        MemorySegment segment = ref.segment();
        Fields.putLong(segment, INUM, inum);
        Fields.putShort(segment, NAMLEN, (int) name.byteSize());
        Fields.putByte(segment, OBJECT_TYPE, type.code());
        if (name.byteSize() <= Limits.NAME_EMBEDDED_BYTES_MAX) {
            ref.check().fill((byte) 0);
            ref.check().copyFrom(name);
        }
    }

    /** Makes an entry name {@code inum} instead. */
    public static void retarget(BlockRef.Builder ref, long inum, FileType type) {
        Fields.putLong(ref.segment(), INUM, inum);
        Fields.putByte(ref.segment(), OBJECT_TYPE, type.code());
    }
}
