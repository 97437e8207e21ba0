package io.hammer2.fs.media;

/** What a block reference refers to (section 4). */
public enum BlockType {
    EMPTY(0),
    INODE(1),
    INDIRECT(2),
    DATA(3),
    DIRENT(4),
    FREEMAP_NODE(5),
    FREEMAP_LEAF(6),
    /** Filler in the headers of volumes other than the root volume. */
    INVALID(7);

    private static final BlockType[] BY_CODE = values();

    private final byte code;

    BlockType(int code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }

    /** Whether what is referred to is a table of references of the same tree: everything else is a leaf to a walk. */
    public boolean isTable() {
        return this == INDIRECT || this == FREEMAP_NODE;
    }

    /** @throws CorruptBlockException for a code that the format does not define */
    public static BlockType of(int code) {
        if (code < 0 || code >= BY_CODE.length) {
            throw new CorruptBlockException(null, "type of a block reference", "0..7", Integer.toString(code));
        }
        return BY_CODE[code];
    }
}
