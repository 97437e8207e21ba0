package io.hammer2.tools;

import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code pfs-list}. */
@Command(name = "pfs-list", description = "Lists the PFSs of file systems, of all mounted ones if none is named.")
final class PfsListDirective extends Directive {
    @Parameters(
            paramLabel = "PATH",
            arity = "0..*",
            description = "A file of a mounted file system, a device or an image.")
    private List<String> paths;

    @Override
    void run() {
        List<Target> targets = Target.of(paths, parent().path());
        if (parent().isJson()) {
            JsonWriter json = json().beginArray();
            for (Target target : targets) {
                json.beginObject().member("path", target.name()).name("pfs").beginArray();
                rows(target, this::damage).forEach(row -> row.write(json));
                json.endArray().endObject();
            }
            json.endArray();
            return;
        }
        for (Target target : targets) {
            if (targets.size() > 1) {
                out().println(target.name() + ":");
            }
            List<PfsRow> rows = rows(target, this::damage);
            out().println(line("Type", "ClusterId (pfs_clid)", "Label"));
            for (PfsRow row : rows) {
                out().println(line(row.type(), row.clid().toString(), row.label()));
            }
        }
    }

    /** @param damage takes a line for each block that cannot be read */
    static List<PfsRow> rows(Target target, Consumer<String> damage) {
        switch (target) {
            case Target.Mounted mounted -> {
                try (MountedFile file = MountedFile.open(mounted.path())) {
                    return new PfsIoctls(file).list();
                }
            }
            case Target.Devices devices -> {
                try (InspectedVolume volume = InspectedVolume.open(devices.special())) {
                    return volume.pfsRoots(damage).stream()
                            .map(root -> PfsRow.of(root.inode()))
                            .toList();
                }
            }
        }
    }

    private static String line(String type, String clid, String label) {
        return String.format(Locale.ROOT, "%-11s %-36s %s", type, clid, label);
    }
}
