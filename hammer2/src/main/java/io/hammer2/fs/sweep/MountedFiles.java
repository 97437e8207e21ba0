package io.hammer2.fs.sweep;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.RecompressStep;
import io.hammer2.fs.ShareOutcome;
import io.hammer2.fs.StoredBlockSink;
import io.hammer2.fs.media.FileType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** The files of a PFS that is mounted in this process; for LWKT threads. */
public final class MountedFiles implements SweptFiles {
    private static final int PAIRS_MAX = 64;
    private static final int CHILDREN_MAX = 1000;

    private final FileSystem files;

    public MountedFiles(FileSystem files) {
        this.files = files;
    }

    @Override
    public FileType typeOf(long inum) {
        return files.attributes(inum).type();
    }

    @Override
    public long children(long directory, long cookie, ChildSink sink) {
        return children(directory, cookie, CHILDREN_MAX, sink);
    }

    /** As {@link #children(long, long, ChildSink)}, at most so many. */
    public long children(long directory, long cookie, int max, ChildSink sink) {
        long[] next = {cookie};
        int[] count = new int[1];
        boolean[] full = new boolean[1];
        files.readdir(directory, cookie, (inum, type, name, nextCookie) -> {
            if (count[0] == max) {
                full[0] = true;
                return false;
            }
            if (type != null && !isDots(name)) {
                sink.child(inum, type);
                count[0]++;
            }
            next[0] = nextCookie;
            return true;
        });
        return full[0] ? next[0] : -1;
    }

    private static boolean isDots(MemorySegment name) {
        for (long i = 0; i < name.byteSize(); i++) {
            if (name.get(ValueLayout.JAVA_BYTE, i) != '.') {
                return false;
            }
        }
        return name.byteSize() <= 2;
    }

    @Override
    public long storedBlocks(long inum, long from, StoredBlockSink sink) {
        return files.storedBlocks(inum, from, sink);
    }

    @Override
    public RecompressStep recompress(long inum, long from) {
        return files.recompress(inum, from);
    }

    @Override
    public int pairsMax() {
        return PAIRS_MAX;
    }

    @Override
    public List<ShareOutcome> share(List<Pair> pairs) {
        List<ShareOutcome> outcomes = new ArrayList<>();
        pairs.forEach(pair -> outcomes.add(files.shareBlock(pair.first(), pair.second())));
        return outcomes;
    }
}
