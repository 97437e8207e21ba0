package io.hammer2.tools;

import io.hammer2.fs.pfs.Label;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code snapshot} and {@code snapshot-debug}: copies of PFSs as they are at one moment, all of them in one commit. */
abstract sealed class SnapshotDirective extends Directive {
    private static final DateTimeFormatter STAMP = DateTimeFormatter.ofPattern("yyyyMMdd.HHmmss", Locale.ROOT);

    /** {@code snapshot}. */
    @Command(
            name = "snapshot",
            description = "Makes a snapshot of the PFS that a file is of, with all that was written to it.",
            footer = {
                "",
                "Without a label it is called PFS.YYYYMMDD.HHMMSS. Of several PFSs of a volume (-a, or several paths) all are"
                        + " made in one commit, and are called PFS.LABEL.",
                "A PFS that is not mounted is named DEVICE@PFS."
            })
    static final class Synced extends SnapshotDirective {
        @Override
        boolean isOfLastCommit() {
            return false;
        }
    }

    /** {@code snapshot-debug}. */
    @Command(name = "snapshot-debug", description = "As snapshot, of the last commit, without what was written since.")
    static final class OfLastCommit extends SnapshotDirective {
        @Override
        boolean isOfLastCommit() {
            return true;
        }
    }

    @Parameters(
            paramLabel = "PATH... [LABEL]",
            arity = "1..*",
            description = "Files or directories of mounted PFSs, or DEVICE@PFS; then a name, which has no slash.")
    private List<String> arguments;

    @Option(names = "-a", description = "Of all PFSs of the volume that are mounted.")
    private boolean all;

    @Option(names = "--timing", description = "Tell the time in core, and until it was durable.")
    private boolean timing;

    abstract boolean isOfLastCommit();

    @Override
    void run() {
        List<String> paths = new ArrayList<>(arguments);
        boolean hasLabel = paths.size() > 1 && !paths.getLast().contains("/");
        String suffix = hasLabel ? paths.removeLast() : null;
        if (paths.size() > 1 && paths.stream().anyMatch(path -> !path.contains("/"))) {
            throw new ToolException("a label comes last, and a path among several has a slash: write ./NAME");
        }
        Source first = Source.of(paths.getFirst());
        try (VolumePfss pfss = VolumePfss.open(first.volume, this::tell)) {
            List<VolumePfss.Snapshot> wanted = wanted(sources(first, paths), suffix);
            ChangeTiming took = ChangeTiming.of(() -> pfss.snapshot(wanted, isOfLastCommit()));
            show(first.volume, wanted, took);
        }
    }

    /** Names of the PFSs, each once. */
    private Set<Label> sources(Source first, List<String> paths) {
        Set<Label> sources = new LinkedHashSet<>();
        for (String path : paths) {
            Source source = Source.of(path);
            if (!source.special().equals(first.special())) {
                throw new ToolException(
                        path + " and " + paths.getFirst() + " are on different volumes, which share no commit");
            }
            sources.add(source.label());
        }
        if (all) {
            if (!(first.volume instanceof Target.Mounted)) {
                throw new ToolException("-a: " + first.special() + " is not mounted");
            }
            for (MountedVolume mount : MountedVolume.all()) {
                if (mount.special().equals(first.special())) {
                    sources.add(LabelText.parse(mount.label()));
                }
            }
        }
        return sources;
    }

    private List<VolumePfss.Snapshot> wanted(Set<Label> sources, String suffix) {
        boolean several = all || sources.size() > 1;
        String stamp = LocalDateTime.now(ZoneId.systemDefault()).format(STAMP);
        List<VolumePfss.Snapshot> wanted = new ArrayList<>();
        for (Label source : sources) {
            String label = suffix != null && !several
                    ? suffix
                    : LabelText.of(source) + "." + (suffix == null ? stamp : suffix);
            wanted.add(new VolumePfss.Snapshot(source, LabelText.parse(label)));
        }
        return wanted;
    }

    private void show(Target volume, List<VolumePfss.Snapshot> made, ChangeTiming took) {
        if (parent().isJson()) {
            JsonWriter json = json().beginObject()
                    .member("path", volume.name())
                    .name("snapshots")
                    .beginArray();
            for (VolumePfss.Snapshot snapshot : made) {
                json.beginObject()
                        .member("label", LabelText.of(snapshot.label()))
                        .member("pfs", LabelText.of(snapshot.source()))
                        .endObject();
            }
            took.write(json.endArray());
            json.endObject();
            return;
        }
        if (!parent().isQuiet()) {
            made.forEach(snapshot -> out().println("created " + LabelText.of(snapshot.label())));
        }
        if (timing) {
            out().println(took.text());
        }
    }

    /**
     * What an argument names.
     *
     * @param named the PFS of DEVICE@PFS, else null
     */
    private record Source(Target volume, Label named) {
        static Source of(String argument) {
            int at = argument.lastIndexOf('@');
            if (at > 0 && !Files.exists(Path.of(argument))) {
                return new Source(
                        PfsSearch.target(argument.substring(0, at)), LabelText.parse(argument.substring(at + 1)));
            }
            Target volume = Target.of(argument);
            if (volume instanceof Target.Devices devices) {
                throw new ToolException(devices.special() + ": which PFS? Name it as " + devices.special() + "@PFS");
            }
            return new Source(volume, null);
        }

        String special() {
            return switch (volume) {
                case Target.Mounted mounted -> mounted.volume().special();
                case Target.Devices devices -> MountedVolume.resolve(devices.special());
            };
        }

        Label label() {
            if (named != null) {
                return named;
            }
            try (MountedPfss own = new MountedPfss((Target.Mounted) volume)) {
                return own.own();
            }
        }
    }
}
