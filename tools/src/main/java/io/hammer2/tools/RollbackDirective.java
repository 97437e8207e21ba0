package io.hammer2.tools;

import io.hammer2.fs.pfs.Label;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rollback}. */
@Command(
        name = "rollback",
        description =
                "Gives a PFS that is not mounted the content of a snapshot, in one commit. Its name and ids stay, and so"
                        + " does the snapshot; what the PFS held is lost unless another snapshot has it.")
final class RollbackDirective extends Directive {
    @Parameters(index = "0", paramLabel = "LABEL", description = "The PFS.")
    private String label;

    @Parameters(index = "1", paramLabel = "SNAPSHOT", description = "What it is to be like.")
    private String source;

    @Option(names = "--keep", paramLabel = "NEW", description = "First make a snapshot of what it holds, named NEW.")
    private String keep;

    @Override
    void run() {
        Label target = LabelText.parse(label);
        Label from = LabelText.parse(source);
        Target volume = PfsSearch.withLabel(parent().path(), target);
        try (VolumePfss pfss = VolumePfss.open(volume, this::tell)) {
            if (keep != null) {
                pfss.snapshot(java.util.List.of(new VolumePfss.Snapshot(target, LabelText.parse(keep))), false);
            }
            ChangeTiming took = ChangeTiming.of(() -> pfss.rollback(target, from));
            if (parent().isJson()) {
                JsonWriter json = json().beginObject()
                        .member("path", volume.name())
                        .member("label", LabelText.of(target))
                        .member("snapshot", LabelText.of(from));
                took.write(json);
                json.endObject();
            } else if (!parent().isQuiet()) {
                out().println(LabelText.of(target) + " is as " + LabelText.of(from) + " is");
            }
        }
    }
}
