package io.hammer2.tools;

import static io.hammer2.fuse.bridge.SweepControl.*;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.hammer2.fs.Errno;
import io.hammer2.fs.FsException;
import io.hammer2.fs.RecompressStep;
import io.hammer2.fs.ShareOutcome;
import io.hammer2.fs.StoredBlock;
import io.hammer2.fs.StoredBlockSink;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.sweep.SweptFiles;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** The files of a mounted volume, for a sweep: each step is a request to whoever serves the mount. */
final class SweepIoctls implements SweptFiles {
    private final MountedFile file;
    private final MemorySegment children;
    private final MemorySegment blocks;
    private final MemorySegment share;
    private final MemorySegment recompress;

    SweepIoctls(MountedFile file) {
        this.file = file;
        this.children = file.structure(CHILDREN_BYTES);
        this.blocks = file.structure(BLOCKS_BYTES);
        this.share = file.structure(SHARE_BYTES);
        this.recompress = file.structure(RECOMPRESS_BYTES);
    }

    @Override
    public FileType typeOf(long inum) {
        // Asked of the path itself only.
        return new InodeIoctls(file).inode().inode().type();
    }

    @Override
    public long children(long directory, long cookie, ChildSink sink) {
        children.set(JAVA_LONG, INUM, directory);
        children.set(JAVA_LONG, POSITION, cookie);
        request(CHILDREN, children);
        for (int i = 0; i < children.get(JAVA_INT, COUNT); i++) {
            MemorySegment child = children.asSlice(HEAD_BYTES + (long) i * CHILD_BYTES, CHILD_BYTES);
            FileType type = FileType.ofOrNull(child.get(JAVA_INT, CHILD_TYPE));
            if (type != null) {
                sink.child(child.get(JAVA_LONG, CHILD_INUM), type);
            }
        }
        return children.get(JAVA_LONG, POSITION);
    }

    @Override
    public long storedBlocks(long inum, long from, StoredBlockSink sink) {
        blocks.set(JAVA_LONG, INUM, inum);
        blocks.set(JAVA_LONG, POSITION, from);
        request(BLOCKS, blocks);
        for (int i = 0; i < blocks.get(JAVA_INT, COUNT); i++) {
            MemorySegment block = blocks.asSlice(HEAD_BYTES + (long) i * BLOCK_BYTES, BLOCK_BYTES);
            boolean took = sink.block(
                    block.get(JAVA_LONG, BLOCK_OFFSET),
                    block.get(JAVA_LONG, BLOCK_DATA_OFF),
                    block.get(JAVA_INT, BLOCK_METHODS),
                    block.get(JAVA_LONG, BLOCK_CHECK));
            if (!took) {
                return block.get(JAVA_LONG, BLOCK_OFFSET);
            }
        }
        return blocks.get(JAVA_LONG, POSITION);
    }

    @Override
    public int pairsMax() {
        return PAIRS_MAX;
    }

    @Override
    public List<ShareOutcome> share(List<Pair> pairs) {
        share.set(JAVA_INT, PAIR_COUNT, pairs.size());
        for (int i = 0; i < pairs.size(); i++) {
            MemorySegment pair = share.asSlice(HEAD_BYTES + (long) i * PAIR_BYTES, PAIR_BYTES);
            put(pair.asSlice(PAIR_FIRST), pairs.get(i).first());
            put(pair.asSlice(PAIR_SECOND), pairs.get(i).second());
        }
        request(SHARE, share);
        List<ShareOutcome> outcomes = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            MemorySegment pair = share.asSlice(HEAD_BYTES + (long) i * PAIR_BYTES, PAIR_BYTES);
            outcomes.add(ShareOutcome.of(pair.get(JAVA_INT, PAIR_OUTCOME)));
        }
        return outcomes;
    }

    @Override
    public RecompressStep recompress(long inum, long from) {
        recompress.set(JAVA_LONG, INUM, inum);
        recompress.set(JAVA_LONG, POSITION, from);
        request(RECOMPRESS, recompress);
        List<Long> rewritten = new ArrayList<>();
        for (int i = 0; i < recompress.get(JAVA_INT, COUNT); i++) {
            rewritten.add(recompress.get(JAVA_LONG, REWRITTEN + (long) i * Long.BYTES));
        }
        return new RecompressStep(
                recompress.get(JAVA_LONG, POSITION),
                recompress.get(JAVA_LONG, SEEN_COUNT),
                recompress.get(JAVA_LONG, SEEN_BYTES),
                rewritten,
                recompress.get(JAVA_LONG, BYTES_THEN));
    }

    private static void put(MemorySegment side, StoredBlock block) {
        side.set(JAVA_LONG, SIDE_INUM, block.inum());
        side.set(JAVA_LONG, SIDE_OFFSET, block.offset());
        side.set(JAVA_LONG, SIDE_DATA_OFF, block.dataOff());
    }

    private void request(int command, MemorySegment argument) {
        int errno = file.tryRequest(command, argument);
        if (errno == FuseErrno.EIO.number()) {
            throw new FsException(Errno.EIO, "damaged");
        }
        if (errno == FuseErrno.ESTALE.number() || errno == FuseErrno.ENOENT.number()) {
            throw new FsException(Errno.ESTALE, "gone by now");
        }
        if (errno == FuseErrno.ENOSPC.number()) {
            throw new FsException(Errno.ENOSPC, "no space");
        }
        if (errno != 0) {
            throw file.error(errno);
        }
    }
}
