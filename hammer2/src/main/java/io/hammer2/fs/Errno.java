package io.hammer2.fs;

/** What an operation can answer instead of a result; a number only in the FUSE bridge, since systems number them differently. */
public enum Errno {
    /** The volume changed hands, or is busy. */
    EBUSY,
    /** The name is taken. */
    EEXIST,
    /** Beyond the largest file. */
    EFBIG,
    /** The medium failed, or what it says is damaged. */
    EIO,
    EINVAL,
    EISDIR,
    /** More names for one inode than can be counted. */
    EMLINK,
    ENAMETOOLONG,
    ENOENT,
    /** No space that may be used. */
    ENOSPC,
    ENOTDIR,
    ENOTEMPTY,
    /** No data, or no hole, at or after an offset. */
    ENXIO,
    ENOTSUP,
    /** The inode is immutable or append-only, or this is never allowed. */
    EPERM,
    /** A modification, on what is mounted read-only. */
    EROFS,
    /** The inode number names nothing any more. */
    ESTALE
}
