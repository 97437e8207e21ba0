package io.hammer2.tools;

import io.hammer2.fs.sweep.Deduplication;
import io.hammer2.fs.sweep.SweptFiles;
import java.util.Locale;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code dedup}. */
@Command(
        name = "dedup",
        description = {
            "Finds file data that is stored more than once, and stores it once; content and times stay as they are.",
            "May be interrupted at any time, and begun again. Takes the memory of -m."
        })
final class DedupDirective extends SweepDirective<Deduplication.Report> {
    @Option(names = "-n", description = "Only tell how much there is.")
    private boolean reportsOnly;

    @Override
    Deduplication.Report sweep(SweptFiles files, long inum, Consumer<Deduplication.Report> progress) {
        return new Deduplication(files, parent().memoryBytes(), reportsOnly, progress).run(inum);
    }

    @Override
    String remark(Deduplication.Report report) {
        return Size.text(report.sharedBytes()) + " shared" + (report.passes() > 1 ? ", pass " + report.passes() : "");
    }

    @Override
    String noSpace() {
        return "no space left for the tables that change; run hammer2 bulkfree, and this again";
    }

    @Override
    String unreadable() {
        return "files or blocks";
    }

    @Override
    void write(Deduplication.Report report, JsonWriter json) {
        json.member("blocks", report.blockCount())
                .member("duplicateBytes", report.copiedBytes())
                .member("sharedBlocks", report.sharedBlocks())
                .member("sharedBytes", report.sharedBytes())
                .member("changed", report.changedCount())
                .member("different", report.differentCount())
                .member("passes", report.passes());
    }

    @Override
    void print(Deduplication.Report report, String freed) {
        out().println(String.format(
                Locale.ROOT,
                "%s: %d files, %s in %d blocks; %s stored more than once",
                path(),
                report.fileCount(),
                Size.text(report.scannedBytes()),
                report.blockCount(),
                Size.text(report.copiedBytes())));
        if (!reportsOnly) {
            out().println(String.format(
                    Locale.ROOT,
                    "%s: %s in %d blocks shared, %s",
                    path(),
                    Size.text(report.sharedBytes()),
                    report.sharedBlocks(),
                    freed));
        }
    }
}
