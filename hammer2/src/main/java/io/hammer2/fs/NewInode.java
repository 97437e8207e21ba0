package io.hammer2.fs;

import io.hammer2.fs.media.FileType;
import java.util.Objects;

/**
 * What a new inode is.
 *
 * @param mode permission bits 07777, after the umask
 * @param gid passed over in a directory with the setgid bit, whose group a new inode takes; a new directory takes the bit too
 * @param rmajor of a device node, else 0
 * @param rminor of a device node, else 0
 */
public record NewInode(FileType type, int mode, int uid, int gid, int rmajor, int rminor) {
    public NewInode {
        Objects.requireNonNull(type);
    }

    /** What is no device. */
    public static NewInode of(FileType type, int mode, int uid, int gid) {
        return new NewInode(type, mode, uid, gid, 0, 0);
    }
}
