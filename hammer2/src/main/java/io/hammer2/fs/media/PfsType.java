package io.hammer2.fs.media;

/** Role of a PFS (section 9.2), from the low nibble of pfs_type. Everything that a local file system needs is MASTER. */
public enum PfsType {
    NONE(0),
    CACHE(1),
    SLAVE(3),
    SOFT_SLAVE(4),
    SOFT_MASTER(5),
    MASTER(6),
    SUPER_ROOT(8),
    DUMMY(9);

    private final byte code;

    PfsType(int code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }

    /** @throws CorruptBlockException for a code that the format does not define */
    public static PfsType of(int pfsType) {
        for (PfsType type : values()) {
            if (type.code == (pfsType & 0x0F)) {
                return type;
            }
        }
        throw new CorruptBlockException(null, "pfs_type", "0, 1, 3..6, 8 or 9", Integer.toString(pfsType & 0x0F));
    }
}
