package io.hammer2.tools;

import io.hammer2.fs.FsException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.sweep.Recompression;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code recompress}. */
@Command(
        name = "recompress",
        description = {
            "Rewrites file data as the compression setting of each file says by now (see setcomp), where that makes it"
                    + " smaller.",
            "Content and times stay. May be interrupted at any time, and begun again."
        })
final class RecompressDirective extends Directive {
    @Option(names = "--no-bulkfree", description = "Leave it to a later bulkfree to give the space back.")
    private boolean keepsSpace;

    @Parameters(paramLabel = "PATH", description = "A file, or with -r a directory, of a mounted file system.")
    private String path;

    @Override
    void run() {
        if (!(Target.of(path) instanceof Target.Mounted mounted)) {
            throw new ToolException(path + ": not mounted; mount it and name a file or directory of it");
        }
        try (MountedFile file = MountedFile.open(mounted.path())) {
            InodeIoctls.InodeState state = new InodeIoctls(file).inode();
            if (state.inode().type() == FileType.DIRECTORY && !parent().isRecursive()) {
                throw new ToolException(path + ": a directory; give -r to rewrite all files below it");
            }
            Recompression.Report report = recompress(file, state);
            long freed = 0;
            if (report.rewrittenBlocks() > 0 && !keepsSpace) {
                freed = new BulkfreeIoctls(file).run(parent().memoryBytes());
            }
            show(report, freed);
        }
    }

    private Recompression.Report recompress(MountedFile file, InodeIoctls.InodeState state) {
        InodeBlock inode = state.inode();
        // All inodes of a PFS lie below its root, and what is below another directory nobody has counted.
        boolean isCounted = inode.inum() == InodeBlock.ROOT_INUM || inode.type() != FileType.DIRECTORY;
        long total = isCounted ? state.dataCount() : -1;
        try (SweepProgress progress =
                new SweepProgress(parent().console(), parent().isQuiet() || parent().isJson(), "recompress")) {
            return new Recompression(
                            new SweepIoctls(file),
                            parent().memoryBytes(),
                            so -> progress.show(
                                    so.scannedBytes(),
                                    total,
                                    so.fileCount() + " files, " + Size.text(so.bytesBefore() - so.bytesAfter())
                                            + " saved"))
                    .run(inode.inum());
        } catch (FsException e) {
            throw new ToolException(
                    switch (e.errno()) {
                        case ENOSPC ->
                            path + ": no space left to rewrite more in; run hammer2 bulkfree, and this again";
                        case ENOTSUP -> path + ": too many directories for the memory of -m; give it more";
                        case ESTALE -> path + ": gone by now";
                        default -> path + ": damaged; see the log of the mount";
                    });
        }
    }

    private void show(Recompression.Report report, long freed) {
        if (parent().isJson()) {
            json().beginObject()
                    .member("path", path)
                    .member("files", report.fileCount())
                    .member("scannedBytes", report.scannedBytes())
                    .member("rewrittenBlocks", report.rewrittenBlocks())
                    .member("bytesBefore", report.bytesBefore())
                    .member("bytesAfter", report.bytesAfter())
                    .member("sharedBytes", report.sharedBytes())
                    .member("freedBytes", freed)
                    .member("unreadable", report.unreadableCount())
                    .endObject();
        } else if (!parent().isQuiet()) {
            out().println(String.format(
                    Locale.ROOT,
                    "%s: %d files, %s; %d blocks rewritten, %s before and %s now, %s",
                    path,
                    report.fileCount(),
                    Size.text(report.scannedBytes()),
                    report.rewrittenBlocks(),
                    Size.text(report.bytesBefore()),
                    Size.text(report.bytesAfter()),
                    keepsSpace ? "to be freed by hammer2 bulkfree" : Size.text(freed) + " freed"));
            if (report.sharedBytes() > 0) {
                out().println(path + ": " + Size.text(report.sharedBytes())
                        + " of that had been shared; with -o dedup=off, hammer2 dedup shares it again");
            }
        }
        if (report.unreadableCount() > 0) {
            damage(path + ": " + report.unreadableCount() + " files could not be read; see the log of the mount");
        }
    }
}
