package io.hammer2.blockdev;

/** What a device is opened for, and with that who else may have it open. */
public enum OpenMode {
    /** Reading; shared with other readers, refused while a writer has it. */
    READ_ONLY,
    /** Reading and writing; refused while anyone else, a kernel mount included, has it. */
    READ_WRITE,
    /** Reading without any lock: inspection of a volume that may be in use, whose blocks may change while they are read. */
    INSPECT;

    public boolean writes() {
        return this == READ_WRITE;
    }
}
