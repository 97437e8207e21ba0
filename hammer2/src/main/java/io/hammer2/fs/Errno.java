package io.hammer2.fs;

/** What an operation can answer instead of a result; a number only in the FUSE bridge, since systems number them differently. */
public enum Errno {
    /** The volume changed hands, or is busy. */
    EBUSY,
    /** The medium failed, or what it says is damaged. */
    EIO,
    EINVAL,
    EISDIR,
    ENAMETOOLONG,
    ENOENT,
    ENOTDIR,
    /** No data, or no hole, at or after an offset. */
    ENXIO,
    /** A modification, on what is mounted read-only. */
    EROFS,
    /** The inode number names nothing any more. */
    ESTALE
}
