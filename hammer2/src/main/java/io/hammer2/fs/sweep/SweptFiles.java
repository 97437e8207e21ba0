package io.hammer2.fs.sweep;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.RecompressStep;
import io.hammer2.fs.ShareOutcome;
import io.hammer2.fs.StoredBlock;
import io.hammer2.fs.StoredBlockSink;
import io.hammer2.fs.media.FileType;
import java.util.List;

/**
 * What a sweep works on: the files of a mounted PFS by inode number, here or behind the requests of a mount. Each call is a small
 * step that leaves everything whole, so a sweep may end at any of them, and begin again.
 *
 * <p>All throw {@link io.hammer2.fs.FsException}: ESTALE for what is gone by now, EIO where the medium failed or is damaged.
 */
public interface SweptFiles {
    /** Takes the entries of a directory. */
    @FunctionalInterface
    interface ChildSink {
        void child(long inum, FileType type);
    }

    /** Two blocks that may be one. */
    record Pair(StoredBlock first, StoredBlock second) {}

    /** What an inode is. */
    FileType typeOf(long inum);

    /**
     * Some entries of a directory, without "." and "..".
     *
     * @param cookie 0 to begin
     * @return where to go on, or -1 at the end
     */
    long children(long directory, long cookie, ChildSink sink);

    /** As {@link FileSystem#storedBlocks}. */
    long storedBlocks(long inum, long from, StoredBlockSink sink);

    /** As {@link FileSystem#recompress}. */
    RecompressStep recompress(long inum, long from);

    /** Pairs that {@link #share} takes at once. */
    int pairsMax();

    /** As {@link FileSystem#shareBlock}, one pair after the other. */
    List<ShareOutcome> share(List<Pair> pairs);
}
