package io.hammer2.tools;

import io.hammer2.fs.pfs.Label;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code rollback}. */
@Command(
        name = "rollback",
        description =
                "Gives a PFS the content of a snapshot, in one commit. Its name and ids stay, and so does the snapshot;"
                        + " what the PFS held is lost unless another snapshot has it.",
        footer = {
            "",
            "A PFS that is mounted is mounted anew at the same place. Files that are open in it, working directories, and what"
                    + " was written and not yet stored are of what it held: they answer with ESTALE (stale file handle), so"
                    + " open files again, and cd to where you are."
        })
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
        Label kept = keep == null ? null : LabelText.parse(keep);
        ChangeTiming took = ChangeTiming.of(() -> rollback(volume, target, from, kept));
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

    private long rollback(Target volume, Label target, Label from, Label kept) {
        if (volume instanceof Target.Mounted mounted) {
            String special = mounted.volume().special();
            Optional<MountedRollback> inUse = MountedRollback.of(special, target);
            if (inUse.isPresent()) {
                return inUse.get().run(from, kept, RuntimeFolder.places());
            }
        }
        try (VolumePfss pfss = VolumePfss.open(volume, this::tell)) {
            if (kept != null) {
                pfss.snapshot(List.of(new VolumePfss.Snapshot(target, kept)), false);
            }
            return pfss.rollback(target, from);
        }
    }
}
