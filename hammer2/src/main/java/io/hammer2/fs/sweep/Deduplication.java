package io.hammer2.fs.sweep;

import io.hammer2.fs.ShareOutcome;
import io.hammer2.fs.StoredBlock;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Finds blocks of file data that are stored more than once, and has them stored once (format section 11.5). What may be equal is told
 * by check codes that are in the block tables already; what is shared then is compared byte for byte.
 *
 * <p>Keeps nothing but what it knows of blocks in the memory that it is given. When that is too little, it goes over the files more
 * than once, each time for a part of the check codes.
 */
public final class Deduplication {
    /** Part of the memory that is for remembering directories. */
    private static final int WALK_MEMORY_PART = 4;

    private final SweptFiles files;
    private final boolean reportsOnly;
    private final Consumer<Report> progress;
    private final BlockIndex index;
    private final FileWalk walk;
    private final List<SweptFiles.Pair> pairs = new ArrayList<>();
    private final List<Long> fingerprints = new ArrayList<>();

    private int passes = 1;
    private long fileCount;
    private long unreadableCount;
    private long blockCount;
    private long scannedBytes;
    private long copiedBytesBefore;
    private long sharedBlocks;
    private long sharedBytes;
    private long changedCount;
    private long differentCount;

    /**
     * How far it is, or what it came to.
     *
     * @param passes over all files, this one included
     * @param fileCount files met in this pass
     * @param unreadableCount directories, files and blocks that could not be read, in this pass
     * @param blockCount blocks met in this pass that could be shared
     * @param scannedBytes their stored size
     * @param copiedBytes found so far, in places on the medium whose content is in another place too
     * @param sharedBlocks references that were changed to another place
     * @param sharedBytes their stored size
     * @param changedCount blocks that somebody has changed before they could be shared
     * @param differentCount pairs of equal check codes and different contents
     */
    public record Report(
            int passes,
            long fileCount,
            long unreadableCount,
            long blockCount,
            long scannedBytes,
            long copiedBytes,
            long sharedBlocks,
            long sharedBytes,
            long changedCount,
            long differentCount)
            implements SweepReport {
        @Override
        public long changedBlocks() {
            return sharedBlocks;
        }
    }

    /**
     * @param memoryBytes that it may take, about 60 for each block of the files if it is to see all in one pass
     * @param reportsOnly whether to leave everything as it is
     * @param progress hears now and then how far it is
     */
    public Deduplication(SweptFiles files, long memoryBytes, boolean reportsOnly, Consumer<Report> progress) {
        this.files = files;
        this.reportsOnly = reportsOnly;
        this.progress = progress;
        this.index = new BlockIndex(memoryBytes - memoryBytes / WALK_MEMORY_PART);
        FileWalk.Visitor visitor = new FileWalk.Visitor() {
            @Override
            public void file(long inum) {
                Deduplication.this.file(inum);
            }

            @Override
            public void unreadable() {
                unreadableCount++;
            }
        };
        this.walk = new FileWalk(files, visitor, memoryBytes / WALK_MEMORY_PART);
    }

    /** Deduplicates a file, or all files below a directory. */
    public Report run(long inum) {
        walk.from(inum);
        flush();
        copiedBytesBefore += index.copiedBytes();
        while (index.nextPass()) {
            passes++;
            fileCount = 0;
            unreadableCount = 0;
            blockCount = 0;
            scannedBytes = 0;
            walk.from(inum);
            flush();
            copiedBytesBefore += index.copiedBytes();
        }
        return report();
    }

    private Report report() {
        return new Report(
                passes,
                fileCount,
                unreadableCount,
                blockCount,
                scannedBytes,
                copiedBytesBefore,
                sharedBlocks,
                sharedBytes,
                changedCount,
                differentCount);
    }

    private void file(long inum) {
        fileCount++;
        long from = 0;
        do {
            from = files.storedBlocks(inum, from, (offset, dataOff, methods, check) -> {
                block(BlockIndex.fingerprint(dataOff, methods, check), new StoredBlock(inum, offset, dataOff));
                return true;
            });
            if (pairs.size() >= files.pairsMax()) {
                flush();
            }
            progress.accept(report());
        } while (from >= 0);
    }

    private void block(long fingerprint, StoredBlock block) {
        blockCount++;
        scannedBytes += 1L << (block.dataOff() & 63);
        StoredBlock first = index.add(fingerprint, block);
        if (first != null && !reportsOnly) {
            pairs.add(new SweptFiles.Pair(first, block));
            fingerprints.add(fingerprint);
        }
    }

    /** Outside of a listing, which holds the gate of a file. */
    private void flush() {
        for (int from = 0; from < pairs.size(); ) {
            int to = Math.min(pairs.size(), from + files.pairsMax());
            List<ShareOutcome> outcomes = files.share(pairs.subList(from, to));
            for (int i = from; i < to; i++) {
                count(outcomes.get(i - from), pairs.get(i), fingerprints.get(i));
            }
            from = to;
            progress.accept(report());
        }
        pairs.clear();
        fingerprints.clear();
    }

    private void count(ShareOutcome outcome, SweptFiles.Pair pair, long fingerprint) {
        switch (outcome) {
            case SHARED -> {
                sharedBlocks++;
                sharedBytes += 1L << (pair.second().dataOff() & 63);
            }
            case ONE_ALREADY -> {}
            case FIRST_CHANGED -> {
                changedCount++;
                // What follows is compared with a block that is there.
                index.replaceFirst(fingerprint, pair.second());
            }
            case SECOND_CHANGED -> changedCount++;
            case DIFFERENT -> differentCount++;
            case DAMAGED -> unreadableCount++;
        }
    }
}
