package io.hammer2.tools;

import io.hammer2.fs.Errno;
import io.hammer2.fs.FsException;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.sweep.SweepReport;
import io.hammer2.fs.sweep.SweptFiles;
import java.util.function.Consumer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Goes over the files below a path while they are in use, shows how far it is, and gives back what space that has made free. */
abstract sealed class SweepDirective<R extends SweepReport> extends Directive
        permits DedupDirective, RecompressDirective {
    @Spec
    private CommandSpec spec;

    @Option(names = "--no-bulkfree", description = "Leave it to a later bulkfree to give the space back.")
    private boolean keepsSpace;

    @Parameters(paramLabel = "PATH", description = "A file or directory of a mounted file system, with all below it.")
    private String path;

    @Override
    final void run() {
        if (!(Target.of(path) instanceof Target.Mounted mounted)) {
            throw new ToolException(path + ": not mounted; mount it and name a file or directory of it");
        }
        R report;
        try (MountedFile file = MountedFile.open(mounted.path())) {
            InodeIoctls.InodeState state = new InodeIoctls(file).inode();
            requireAskedFor(state.inode());
            report = sweep(file, state);
        }
        long freed = 0;
        if (report.changedBlocks() > 0 && !keepsSpace) {
            freed = SpaceReturn.of(mounted, parent().memoryBytes(), progress(), this::tell);
        }
        show(report, freed);
    }

    final String path() {
        return path;
    }

    /** @throws ToolException unless the user wants this one */
    void requireAskedFor(InodeBlock inode) {}

    private R sweep(MountedFile file, InodeIoctls.InodeState state) {
        InodeBlock inode = state.inode();
        // All inodes of a PFS lie below its root, and what is below another directory nobody has counted.
        boolean isCounted = inode.inum() == InodeBlock.ROOT_INUM || inode.type() != FileType.DIRECTORY;
        long total = isCounted ? state.dataCount() : 0;
        try (Progress progress = progress()) {
            return sweep(
                    new SweepIoctls(file),
                    inode.inum(),
                    so -> progress.show(
                            spec.name(), so.scannedBytes(), total, () -> so.fileCount() + " files, " + remark(so)));
        } catch (FsException e) {
            throw new ToolException(path + ": " + (e.errno() == Errno.ENOSPC ? noSpace() : cause(e.errno())));
        }
    }

    /** Goes over {@code inum} and all below it. */
    abstract R sweep(SweptFiles files, long inum, Consumer<R> progress);

    /** What else to say of how far it is. */
    abstract String remark(R report);

    /** What there was no space for, and what to do. */
    abstract String noSpace();

    private static String cause(Errno errno) {
        return switch (errno) {
            case ENOTSUP -> "too many directories for the memory of -m; give it more";
            case ESTALE -> "gone by now";
            default -> "damaged; see the log of the mount";
        };
    }

    private void show(R report, long freed) {
        if (parent().isJson()) {
            JsonWriter json = json().beginObject()
                    .member("path", path)
                    .member("files", report.fileCount())
                    .member("scannedBytes", report.scannedBytes());
            write(report, json);
            json.member("freedBytes", freed)
                    .member("unreadable", report.unreadableCount())
                    .endObject();
        } else if (!parent().isQuiet()) {
            print(report, keepsSpace ? "to be freed by hammer2 bulkfree" : Size.text(freed) + " freed");
        }
        if (report.unreadableCount() > 0) {
            damage(path + ": " + report.unreadableCount() + " " + unreadable()
                    + " could not be read; see the log of the mount");
        }
    }

    /** What is counted as such. */
    abstract String unreadable();

    /** The members that this sweep alone has. */
    abstract void write(R report, JsonWriter json);

    /** @param freed what has become of the space, in words */
    abstract void print(R report, String freed);
}
