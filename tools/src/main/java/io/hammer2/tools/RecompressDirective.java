package io.hammer2.tools;

import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.sweep.Recompression;
import io.hammer2.fs.sweep.SweptFiles;
import java.util.Locale;
import java.util.function.Consumer;
import picocli.CommandLine.Command;

/** {@code recompress}. */
@Command(
        name = "recompress",
        description = {
            "Rewrites file data as the compression setting of each file says by now (see setcomp), where that makes it"
                    + " smaller. Of a directory only with -r.",
            "Content and times stay. May be interrupted at any time, and begun again."
        })
final class RecompressDirective extends SweepDirective<Recompression.Report> {
    @Override
    void requireAskedFor(InodeBlock inode) {
        if (inode.type() == FileType.DIRECTORY && !parent().isRecursive()) {
            throw new ToolException(path() + ": a directory; give -r to rewrite all files below it");
        }
    }

    @Override
    Recompression.Report sweep(SweptFiles files, long inum, Consumer<Recompression.Report> progress) {
        return new Recompression(files, parent().memoryBytes(), progress).run(inum);
    }

    @Override
    String remark(Recompression.Report report) {
        return Size.text(report.bytesBefore() - report.bytesAfter()) + " saved";
    }

    @Override
    String noSpace() {
        return "no space left to rewrite more in; run hammer2 bulkfree, and this again";
    }

    @Override
    String unreadable() {
        return "files";
    }

    @Override
    void write(Recompression.Report report, JsonWriter json) {
        json.member("rewrittenBlocks", report.rewrittenBlocks())
                .member("bytesBefore", report.bytesBefore())
                .member("bytesAfter", report.bytesAfter())
                .member("sharedBytes", report.sharedBytes());
    }

    @Override
    void print(Recompression.Report report, String freed) {
        out().println(String.format(
                Locale.ROOT,
                "%s: %d files, %s; %d blocks rewritten, %s before and %s now, %s",
                path(),
                report.fileCount(),
                Size.text(report.scannedBytes()),
                report.rewrittenBlocks(),
                Size.text(report.bytesBefore()),
                Size.text(report.bytesAfter()),
                freed));
        if (report.sharedBytes() > 0) {
            out().println(path() + ": " + Size.text(report.sharedBytes())
                    + " of that had been shared; with -o dedup=off, hammer2 dedup shares it again");
        }
    }
}
