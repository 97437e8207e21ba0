package io.hammer2.fs.inode;

import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.Limits;

/**
 * What stat shows of an inode (format sections 8, 16.2).
 *
 * @param mode permission bits 07777
 * @param nlink as stored: DragonFly keeps directories at 1
 * @param size bytes; 0 for what has no content
 * @param blocks512 space taken in units of 512 bytes, after compression, indirect blocks included
 * @param atimeMicros microseconds since 1970; the modification time where the volume keeps none
 * @param btimeMicros microseconds since 1970, or 0 where the volume does not know
 * @param uflags chflags(2) bits, BSD values
 */
public record Attributes(
        long inum,
        FileType type,
        int mode,
        int uid,
        int gid,
        long nlink,
        long size,
        long blocks512,
        long atimeMicros,
        long mtimeMicros,
        long ctimeMicros,
        long btimeMicros,
        int rmajor,
        int rminor,
        int uflags) {
    private static final int SECTOR_BYTES = 512;

    /** @param contentBytes what a file's content takes on the medium */
    static Attributes of(InodeBlock inode, long contentBytes) {
        FileType type = inode.type();
        long storedBytes = type == FileType.DIRECTORY ? Limits.INODE_BYTES : contentBytes;
        return new Attributes(
                inode.inum(),
                type,
                inode.mode(),
                inode.uid(),
                inode.gid(),
                inode.nlinks(),
                inode.sizeBytes(),
                storedBytes / SECTOR_BYTES,
                inode.atimeMicros() == 0 ? inode.mtimeMicros() : inode.atimeMicros(),
                inode.mtimeMicros(),
                inode.ctimeMicros(),
                inode.btimeMicros(),
                inode.rmajor(),
                inode.rminor(),
                inode.uflags());
    }
}
