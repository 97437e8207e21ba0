package io.hammer2.fs;

import io.hammer2.fs.media.BlockRef;
import java.lang.foreign.MemorySegment;

/**
 * An inode as it lies on the medium, for the commands that show it.
 *
 * @param ref the reference to it
 * @param inodeBlock its 1024 bytes (format section 8.1), read-only
 */
public record InodeInfo(BlockRef ref, MemorySegment inodeBlock) {}
