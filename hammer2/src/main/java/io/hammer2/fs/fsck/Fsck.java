package io.hammer2.fs.fsck;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.fs.fsck.FsckResult.Counts;
import io.hammer2.fs.fsck.FsckResult.FileSystemReport;
import io.hammer2.fs.fsck.FsckResult.FreemapReport;
import io.hammer2.fs.fsck.FsckResult.Outcome;
import io.hammer2.fs.fsck.FsckResult.PfsReport;
import io.hammer2.fs.fsck.HeaderCheck.Extent;
import io.hammer2.fs.fsck.SuperRootCheck.PfsRoot;
import io.hammer2.fs.media.VolumeHeader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Verifies a file system: headers, freemap, super-root, each PFS, then the freemap against what was found. Reads only, runs on
 * the calling platform thread, and ends in a result whatever the volumes hold.
 *
 * <p>Memory: a byte for each 16 KiB in 4 MiB segments that are in use, and for each KiB in those with small blocks; 17 bytes for
 * each inode of one PFS and 60 more for a directory; a constant for everything else. The first is bounded by a quarter of the
 * heap, and a volume for which that is too little is reported as verified in part.
 */
public final class Fsck {
    private final List<BlockDevice> volumes;
    private final FsckOptions options;
    private final Reporter reporter;
    private final HeaderCheck headers;
    private final List<PfsReport> pfses = new ArrayList<>();
    private FreemapReport freemapReport;
    private Context context;
    private long totalBytes;

    private Fsck(List<BlockDevice> volumes, FsckOptions options, FsckListener listener) {
        this.volumes = volumes;
        this.options = options;
        this.reporter = new Reporter(listener, options);
        this.headers = new HeaderCheck(reporter);
    }

    /**
     * Verifies the file system on these volumes.
     *
     * @param volumes all volumes of it, in any order; they stay the caller's
     * @param listener hears of each problem when it is found
     * @return the verdict and what it rests on
     */
    public static FsckResult check(List<BlockDevice> volumes, FsckOptions options, FsckListener listener) {
        return new Fsck(volumes, options, listener).run();
    }

    private FsckResult run() {
        String unusable = null;
        boolean cancelled = false;
        try {
            List<Extent> extents = headers.open(volumes);
            try (BlockReader reader = new BlockReader(extents)) {
                verify(extents, reader);
            }
        } catch (Reporter.Unusable e) {
            unusable = e.getMessage();
        } catch (Reporter.GivenUp e) {
            cancelled = e.cancelled();
        } catch (OutOfMemoryError e) {
            unusable = "not enough memory: give the program a larger heap (-Xmx)";
        } catch (RuntimeException e) {
            // A bug here must not look like a clean volume, nor end in a stack trace.
            reporter.problem(ProblemCode.INTERNAL, "the verifier failed: " + e + at(e));
        }
        Outcome outcome = unusable != null
                ? Outcome.UNUSABLE
                : cancelled ? Outcome.CANCELLED : reporter.problemCount() == 0 ? Outcome.CLEAN : Outcome.PROBLEMS;
        return new FsckResult(
                outcome,
                unusable,
                reporter.counts(),
                headers.reports(),
                context == null ? null : fileSystem(headers.header()),
                pfses,
                counts(),
                freemapReport);
    }

    private void verify(List<Extent> extents, BlockReader reader) {
        VolumeHeader header = headers.header();
        Extent last = extents.getLast();
        totalBytes = header.fileSystemBytes();
        if (totalBytes < 0 || totalBytes > last.baseBytes() + last.sizeBytes()) {
            // Already reported; what lies outside of every volume cannot be read in any case.
            totalBytes = last.baseBytes() + last.sizeBytes();
        }
        reporter.allocatedBytes(Math.max(0, header.allocatorSize() - header.allocatorFree()));
        TableCheck tables = new TableCheck(reporter);
        long heapBytes = Runtime.getRuntime().maxMemory();
        BlockMap map = new BlockMap(heapBytes / 4);
        Storage storage = new Storage(reporter, reader, map, totalBytes, header.auxEnd(), header.freemapTid());
        BlockLoader loader = new BlockLoader(reporter, reader);
        TreeWalker walker = new TreeWalker(reporter, tables, storage, loader, header.extensions());
        context = new Context(
                options,
                header.extensions(),
                reporter,
                tables,
                storage,
                loader,
                walker,
                new SubtreeMemo(heapBytes / 8),
                new Context.Totals());

        reporter.phase("freemap", null);
        FreemapCheck freemap = new FreemapCheck(context, header, totalBytes);
        freemap.check();
        reporter.phase("super-root", null);
        boolean complete = pfses(new SuperRootCheck(context).check(header));
        reporter.phase("freemap against blocks", null);
        freemapReport = new FreemapComparison(context, freemap, header).compare(complete);
        if (!options.bestHeaderOnly()) {
            reporter.phase("older headers", null);
            new OlderCopies(context, totalBytes).check(headers.olderHeaders());
        }
    }

    /** Whether all of them were verified. */
    private boolean pfses(List<PfsRoot> roots) {
        for (String name : options.onlyPfs()) {
            if (roots.stream().noneMatch(root -> root.name().equals(name))) {
                throw new Reporter.Unusable("no PFS is named " + name + "; there are: "
                        + String.join(", ", roots.stream().map(PfsRoot::name).toList()));
            }
        }
        boolean complete = true;
        for (PfsRoot root : roots) {
            if (!options.onlyPfs().isEmpty() && !options.onlyPfs().contains(root.name())) {
                complete = false;
                continue;
            }
            if (options.eachPfsAlone()) {
                context.memo().clear();
                context.storage().map().clearFlags();
            }
            reporter.phase("PFS " + root.name(), root.name());
            MemorySegment bytes = context.loader().loadVerified(root.ref());
            if (bytes == null) {
                reporter.problem(ProblemCode.READ, root.name() + ": cannot read its root again", root.ref());
                continue;
            }
            try (PfsCheck check = new PfsCheck(context, root.name(), root.ref(), SuperRootCheck.copy(bytes))) {
                pfses.add(check.check());
            }
        }
        return complete;
    }

    private Counts counts() {
        if (context == null) {
            return new Counts(0, 0, 0, 0, 0, 0, 0, 0, 0);
        }
        return new Counts(
                context.totals().inodes,
                context.walker().indirectCount(),
                context.totals().dataBlocks,
                context.walker().zstdCount(),
                context.totals().dirents,
                context.tables().emptyCount(),
                context.loader().verifiedBytes(),
                context.loader().unverifiableCount(),
                context.totals().shared);
    }

    private static FileSystemReport fileSystem(VolumeHeader header) {
        return new FileSystemReport(
                header.version(),
                header.fsid(),
                header.fileSystemBytes(),
                header.allocatorSize(),
                header.allocatorFree(),
                header.allocatorBeg(),
                header.mirrorTid(),
                header.freemapTid(),
                header.extensions());
    }

    private static String at(RuntimeException e) {
        StackTraceElement[] trace = e.getStackTrace();
        return trace.length == 0 ? "" : " at " + trace[0];
    }
}
