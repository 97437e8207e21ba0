package io.hammer2.tools;

import io.hammer2.fs.FsException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.sweep.Deduplication;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code dedup}. */
@Command(
        name = "dedup",
        description = {
            "Finds file data that is stored more than once, and stores it once; content and times stay as they are.",
            "May be interrupted at any time, and begun again. Takes the memory of -m."
        })
final class DedupDirective extends Directive {
    @Option(names = "-n", description = "Only tell how much there is.")
    private boolean reportsOnly;

    @Option(names = "--no-bulkfree", description = "Leave it to a later bulkfree to give the space back.")
    private boolean keepsSpace;

    @Parameters(paramLabel = "PATH", description = "A file or directory of a mounted file system, with all below it.")
    private String path;

    @Override
    void run() {
        if (!(Target.of(path) instanceof Target.Mounted mounted)) {
            throw new ToolException(path + ": not mounted; mount it and name a file or directory of it");
        }
        try (MountedFile file = MountedFile.open(mounted.path())) {
            InodeIoctls.InodeState state = new InodeIoctls(file).inode();
            Deduplication.Report report = deduplicate(file, state);
            long freed = 0;
            if (report.sharedBlocks() > 0 && !keepsSpace) {
                freed = new BulkfreeIoctls(file).run(parent().memoryBytes());
            }
            show(report, freed);
        }
    }

    private Deduplication.Report deduplicate(MountedFile file, InodeIoctls.InodeState state) {
        InodeBlock inode = state.inode();
        // All inodes of a PFS lie below its root, and what is below another directory nobody has counted.
        boolean isCounted = inode.inum() == InodeBlock.ROOT_INUM || inode.type() != FileType.DIRECTORY;
        long total = isCounted ? state.dataCount() : -1;
        try (SweepProgress progress =
                new SweepProgress(parent().console(), parent().isQuiet() || parent().isJson(), "dedup")) {
            return new Deduplication(
                            new SweepIoctls(file),
                            parent().memoryBytes(),
                            reportsOnly,
                            so -> progress.show(
                                    so.scannedBytes(),
                                    total,
                                    so.fileCount() + " files, " + Size.text(so.sharedBytes()) + " shared"
                                            + (so.passes() > 1 ? ", pass " + so.passes() : "")))
                    .run(inode.inum());
        } catch (FsException e) {
            throw new ToolException(
                    switch (e.errno()) {
                        case ENOSPC ->
                            path + ": no space left for the tables that change; run hammer2 bulkfree, and this again";
                        case ENOTSUP -> path + ": too many directories for the memory of -m; give it more";
                        case ESTALE -> path + ": gone by now";
                        default -> path + ": damaged; see the log of the mount";
                    });
        }
    }

    private void show(Deduplication.Report report, long freed) {
        if (parent().isJson()) {
            json().beginObject()
                    .member("path", path)
                    .member("files", report.fileCount())
                    .member("blocks", report.blockCount())
                    .member("scannedBytes", report.scannedBytes())
                    .member("duplicateBytes", report.copiedBytes())
                    .member("sharedBlocks", report.sharedBlocks())
                    .member("sharedBytes", report.sharedBytes())
                    .member("freedBytes", freed)
                    .member("changed", report.changedCount())
                    .member("different", report.differentCount())
                    .member("unreadable", report.unreadableCount())
                    .member("passes", report.passes())
                    .endObject();
        } else if (!parent().isQuiet()) {
            out().println(String.format(
                    Locale.ROOT,
                    "%s: %d files, %s in %d blocks; %s stored more than once",
                    path,
                    report.fileCount(),
                    Size.text(report.scannedBytes()),
                    report.blockCount(),
                    Size.text(report.copiedBytes())));
            if (!reportsOnly) {
                out().println(String.format(
                        Locale.ROOT,
                        "%s: %s in %d blocks shared, %s",
                        path,
                        Size.text(report.sharedBytes()),
                        report.sharedBlocks(),
                        keepsSpace ? "to be freed by hammer2 bulkfree" : Size.text(freed) + " freed"));
            }
        }
        if (report.unreadableCount() > 0) {
            damage(path + ": " + report.unreadableCount()
                    + " files or blocks could not be read; see the log of the mount");
        }
    }
}
