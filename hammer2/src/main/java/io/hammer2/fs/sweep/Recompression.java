package io.hammer2.fs.sweep;

import io.hammer2.fs.RecompressStep;
import java.util.function.Consumer;

/**
 * Brings what is stored of files into the form that each file's compression setting would give it by now. A block that several files share is
 * written anew for each of them; where content that comes again is shared as it is written, they share the new one then.
 */
public final class Recompression {
    private final SweptFiles files;
    private final Consumer<Report> progress;
    private final FileWalk walk;

    /** Places that were rewritten, to know which were shared. */
    private final LongSet rewritten;

    private long fileCount;
    private long unreadableCount;
    private long scannedBytes;
    private long rewrittenBlocks;
    private long bytesBefore;
    private long bytesAfter;
    private long sharedBytes;

    /**
     * How far it is, or what it came to.
     *
     * @param fileCount files met
     * @param unreadableCount directories and files that could not be read, or not to their end
     * @param scannedBytes stored size of the blocks that were looked at
     * @param rewrittenBlocks blocks that are written anew
     * @param bytesBefore their stored size, for each file that refers to one
     * @param bytesAfter what they take then
     * @param sharedBytes of {@code bytesBefore}, what had been shared by several places; no less than this
     */
    public record Report(
            long fileCount,
            long unreadableCount,
            long scannedBytes,
            long rewrittenBlocks,
            long bytesBefore,
            long bytesAfter,
            long sharedBytes)
            implements SweepReport {
        @Override
        public long changedBlocks() {
            return rewrittenBlocks;
        }
    }

    /**
     * @param memoryBytes that it may take, to remember directories and what was rewritten
     * @param progress hears now and then how far it is
     */
    public Recompression(SweptFiles files, long memoryBytes, Consumer<Report> progress) {
        this.files = files;
        this.progress = progress;
        this.rewritten = new LongSet(memoryBytes / 2);
        FileWalk.Visitor visitor = new FileWalk.Visitor() {
            @Override
            public void file(long inum) {
                Recompression.this.file(inum);
            }

            @Override
            public void unreadable() {
                unreadableCount++;
            }
        };
        this.walk = new FileWalk(files, visitor, memoryBytes / 2);
    }

    /** Recompresses a file, or all files below a directory. */
    public Report run(long inum) {
        walk.from(inum);
        return report();
    }

    private Report report() {
        return new Report(
                fileCount, unreadableCount, scannedBytes, rewrittenBlocks, bytesBefore, bytesAfter, sharedBytes);
    }

    private void file(long inum) {
        fileCount++;
        long from = 0;
        do {
            RecompressStep step = files.recompress(inum, from);
            scannedBytes += step.blockBytes();
            bytesAfter += step.rewrittenBytes();
            for (long dataOff : step.rewritten()) {
                long size = 1L << (dataOff & 63);
                rewrittenBlocks++;
                bytesBefore += size;
                sharedBytes += rewritten.add(dataOff) == LongSet.Added.KNOWN ? size : 0;
            }
            from = step.next();
            progress.accept(report());
        } while (from >= 0);
    }
}
