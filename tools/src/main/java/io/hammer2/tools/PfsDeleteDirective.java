package io.hammer2.tools;

import io.hammer2.fs.pfs.Label;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code pfs-delete}. */
@Command(
        name = "pfs-delete",
        description =
                "Deletes PFSs that are not mounted: of the volume of -s, else of the mounted volume that has one of that"
                        + " name. Those of one volume are deleted all or none.")
final class PfsDeleteDirective extends Directive {
    @Parameters(paramLabel = "LABEL", arity = "1..*", description = "Names of PFSs or snapshots.")
    private List<String> labels;

    @Option(names = "--timing", description = "Tell the time in core, and until it was durable.")
    private boolean timing;

    @Override
    void run() {
        Map<Target, List<Label>> byVolume = new LinkedHashMap<>();
        for (String text : labels) {
            Label label = LabelText.parse(text);
            List<Label> named =
                    byVolume.computeIfAbsent(PfsSearch.withLabel(parent().path(), label), target -> new ArrayList<>());
            if (!named.contains(label)) {
                named.add(label);
            }
        }
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        byVolume.forEach((target, named) -> delete(target, named, json));
        if (json != null) {
            json.endArray();
        }
    }

    private void delete(Target target, List<Label> named, JsonWriter json) {
        try (VolumePfss pfss = VolumePfss.open(target, this::tell)) {
            ChangeTiming took = ChangeTiming.of(() -> pfss.delete(named));
            if (json != null) {
                json.beginObject().member("path", target.name()).name("deleted").beginArray();
                named.forEach(label -> json.value(LabelText.of(label)));
                took.write(json.endArray());
                json.endObject();
                return;
            }
            if (!parent().isQuiet()) {
                named.forEach(label -> out().println("deleted " + LabelText.of(label) + " of " + target.name()));
            }
            if (timing) {
                out().println(took.text());
            }
        }
    }
}
