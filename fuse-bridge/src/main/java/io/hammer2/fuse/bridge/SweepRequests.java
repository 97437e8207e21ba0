package io.hammer2.fuse.bridge;

import static io.hammer2.fuse.bridge.SweepControl.*;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.RecompressStep;
import io.hammer2.fs.ShareOutcome;
import io.hammer2.fs.StoredBlock;
import io.hammer2.fs.sweep.MountedFiles;
import io.hammer2.fuse.FuseCall;
import io.hammer2.fuse.FuseErrno;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The steps of which deduplication and recompression are made ({@link SweepControl}). */
final class SweepRequests implements RequestFamily {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.nativeOrder());
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.nativeOrder());

    private final FileSystem files;
    private final MountedFiles swept;

    SweepRequests(FileSystem files) {
        this.files = files;
        this.swept = new MountedFiles(files);
    }

    @Override
    public boolean answer(FuseCall call, long node, int command, MemorySegment in, MemorySegment out) {
        if (command == CHILDREN) {
            children(in, out);
        } else if (command == BLOCKS) {
            blocks(in, out);
        } else if (command == SHARE) {
            share(in, out);
        } else if (command == RECOMPRESS) {
            recompress(in, out);
        } else {
            return false;
        }
        return true;
    }

    private void children(MemorySegment in, MemorySegment out) {
        out.copyFrom(in);
        int[] count = new int[1];
        long next = swept.children(in.get(LONG, INUM), in.get(LONG, POSITION), CHILDREN_MAX, (inum, type) -> {
            MemorySegment child = out.asSlice(HEAD_BYTES + (long) count[0]++ * CHILD_BYTES, CHILD_BYTES);
            child.set(LONG, CHILD_INUM, inum);
            child.set(INT, CHILD_TYPE, type.code());
        });
        out.set(LONG, POSITION, next);
        out.set(INT, COUNT, count[0]);
    }

    private void blocks(MemorySegment in, MemorySegment out) {
        out.copyFrom(in);
        int[] count = new int[1];
        long next =
                files.storedBlocks(in.get(LONG, INUM), in.get(LONG, POSITION), (offset, dataOff, methods, check) -> {
                    if (count[0] == BLOCKS_MAX) {
                        return false;
                    }
                    MemorySegment block = out.asSlice(HEAD_BYTES + (long) count[0]++ * BLOCK_BYTES, BLOCK_BYTES);
                    block.set(LONG, BLOCK_OFFSET, offset);
                    block.set(LONG, BLOCK_DATA_OFF, dataOff);
                    block.set(LONG, BLOCK_CHECK, check);
                    block.set(INT, BLOCK_METHODS, methods);
                    return true;
                });
        out.set(LONG, POSITION, next);
        out.set(INT, COUNT, count[0]);
    }

    private void share(MemorySegment in, MemorySegment out) {
        int count = in.get(INT, PAIR_COUNT);
        if (count < 0 || count > PAIRS_MAX) {
            throw FuseErrno.EINVAL.exception();
        }
        out.copyFrom(in);
        for (int i = 0; i < count; i++) {
            MemorySegment pair = out.asSlice(HEAD_BYTES + (long) i * PAIR_BYTES, PAIR_BYTES);
            ShareOutcome outcome = files.shareBlock(side(pair.asSlice(PAIR_FIRST)), side(pair.asSlice(PAIR_SECOND)));
            pair.set(INT, PAIR_OUTCOME, outcome.code());
        }
    }

    private void recompress(MemorySegment in, MemorySegment out) {
        RecompressStep step = files.recompress(in.get(LONG, INUM), in.get(LONG, POSITION));
        out.copyFrom(in);
        out.set(LONG, POSITION, step.next());
        out.set(INT, COUNT, step.rewritten().size());
        out.set(LONG, SEEN_COUNT, step.blockCount());
        out.set(LONG, SEEN_BYTES, step.blockBytes());
        out.set(LONG, BYTES_THEN, step.rewrittenBytes());
        for (int i = 0; i < step.rewritten().size(); i++) {
            out.set(LONG, REWRITTEN + (long) i * Long.BYTES, step.rewritten().get(i));
        }
    }

    private static StoredBlock side(MemorySegment side) {
        return new StoredBlock(side.get(LONG, SIDE_INUM), side.get(LONG, SIDE_OFFSET), side.get(LONG, SIDE_DATA_OFF));
    }
}
