package io.hammer2.fs;

/**
 * A block of file data, as somebody has seen it.
 *
 * @param inum the file
 * @param offset where in it, in bytes: a multiple of 65536
 * @param dataOff where it lies on the medium: logical offset and radix of the stored size, as stored (format section 4.1)
 */
public record StoredBlock(long inum, long offset, long dataOff) {}
