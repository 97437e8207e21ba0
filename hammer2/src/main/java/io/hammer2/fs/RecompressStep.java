package io.hammer2.fs;

import java.util.List;

/**
 * What one step of recompressing a file came to.
 *
 * @param next offset to go on with, or -1 at the end of the file
 * @param blockCount blocks that were looked at
 * @param blockBytes their stored size
 * @param rewritten where those lay that will be written anew with the next commit: {@code data_off} each
 * @param rewrittenBytes what these will take
 */
public record RecompressStep(long next, long blockCount, long blockBytes, List<Long> rewritten, long rewrittenBytes) {}
