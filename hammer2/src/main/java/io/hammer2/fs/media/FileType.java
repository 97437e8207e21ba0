package io.hammer2.fs.media;

/** Type of the object that an inode is (section 8.1); the same codes stand in directory entries (section 10.1). */
public enum FileType {
    DIRECTORY(1),
    REGULAR(2),
    FIFO(4),
    CHARACTER_DEVICE(5),
    BLOCK_DEVICE(6),
    SYMLINK(7),
    SOCKET(9),
    /** Named by the format and written by nobody. */
    WHITEOUT(10);

    private static final FileType[] BY_CODE = new FileType[11];

    static {
        for (FileType type : values()) {
            BY_CODE[type.code] = type;
        }
    }

    private final byte code;

    FileType(int code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }

    /** @throws CorruptBlockException for a code that the format does not define */
    public static FileType of(int code) {
        FileType type = ofOrNull(code);
        if (type == null) {
            throw new CorruptBlockException(null, "object type", "1, 2, 4..7, 9 or 10", Integer.toString(code));
        }
        return type;
    }

    /** As {@link #of}, with null for a code that the format does not define. */
    public static FileType ofOrNull(int code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }

    /** Whether the object has content in blocks or in the inode. */
    public boolean hasData() {
        return this == REGULAR || this == SYMLINK;
    }
}
