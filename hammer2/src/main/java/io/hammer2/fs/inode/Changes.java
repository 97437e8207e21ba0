package io.hammer2.fs.inode;

import io.hammer2.fs.chain.Chain;
import io.hammer2.fs.io.BufferPool;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/** What is not yet committed of an inode: changed with its gate held exclusively, read with it held shared. */
final class Changes {
    /** The inode as it is now, in memory of its own; its block set is that of {@link #chain} once there is one. */
    final InodeBlock block;

    /** The inode's own tree; null while that is as it was committed. */
    private Chain chain;

    /** File data by key: what of it differs from the medium. */
    final NavigableMap<Long, DirtyBlock> blocks = new TreeMap<>();

    /** By how much the file may have grown on the medium, of blocks that were dirty and have been written since. */
    long writtenAheadBytes;

    /** Names too long for their entry, by key, of entries that are new. */
    final Map<Long, byte[]> longNames = new TreeMap<>();

    /** What {@link #block} says; null after a change, until somebody asks. */
    Attributes attributes;

    /** The newest change (format section 12). */
    long modifyTid;

    Changes(InodeBlock block) {
        this.block = block;
    }

    Chain chainOrNull() {
        return chain;
    }

    /** The tree, to be changed. */
    Chain chain(InodeContent committed) {
        if (chain == null) {
            Chain.Kind kind = block.type() == FileType.DIRECTORY ? Chain.Kind.DIRECTORY : Chain.Kind.FILE;
            chain = Chain.root(kind, committed == null ? InodeContent.NO_TABLE : committed.table());
        }
        return chain;
    }

    /** Bytes by which the file may have grown on the medium, since the last commit or with the next. */
    long newBytes() {
        long sum = writtenAheadBytes;
        for (DirtyBlock dirty : blocks.values()) {
            sum += dirty.growthBytes();
        }
        return sum;
    }

    void discardBlocks(BufferPool buffers) {
        blocks.values().forEach(dirty -> dirty.free(buffers));
        blocks.clear();
    }
}
