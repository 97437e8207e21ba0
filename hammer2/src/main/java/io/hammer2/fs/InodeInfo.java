package io.hammer2.fs;

import java.lang.foreign.MemorySegment;

/**
 * An inode, for the commands that show it.
 *
 * @param inodeBlock its 1024 bytes (format section 8.1) as they are, on the medium with the next commit; read-only
 * @param dataBytes stored bytes below it; of a file also what is not committed yet, as it would take most
 * @param inodes inodes below it in the last commit
 */
public record InodeInfo(MemorySegment inodeBlock, long dataBytes, long inodes) {}
