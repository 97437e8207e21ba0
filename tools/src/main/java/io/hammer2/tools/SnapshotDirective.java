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
                "A PFS that is not mounted is named DEVICE@PFS.",
                "",
                "With --subtree it is of the directory PATH alone, as a PFS of its own with that as its root: what it holds when the"
                        + " command begins. Data is shared, and work is done for each file below it. It may be interrupted at"
                        + " any time, and then leaves nothing. Without a label it is called PFS.DIRECTORY.YYYYMMDD.HHMMSS."
            })
    static final class Synced extends SnapshotDirective {
        @Option(names = "--subtree", description = "Of a directory alone, not of the PFS that it is in.")
        private boolean subtree;

        @Override
        boolean isOfSubtree() {
            return subtree;
        }

        @Override
        boolean isOfLastCommit() {
            return false;
        }
    }

    /** {@code snapshot-debug}. */
    @Command(name = "snapshot-debug", description = "As snapshot, of the last commit, without what was written since.")
    static final class OfLastCommit extends SnapshotDirective {
        @Override
        boolean isOfSubtree() {
            return false;
        }

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

    abstract boolean isOfSubtree();

    @Override
    void run() {
        List<String> paths = new ArrayList<>(arguments);
        boolean hasLabel = paths.size() > 1 && !paths.getLast().contains("/");
        String suffix = hasLabel ? paths.removeLast() : null;
        if (paths.size() > 1 && paths.stream().anyMatch(path -> !path.contains("/"))) {
            throw new ToolException("a label comes last, and a path among several has a slash: write ./NAME");
        }
        Source first = Source.of(paths.getFirst());
        if (isOfSubtree()) {
            if (all || paths.size() > 1) {
                throw new ToolException("--subtree is of one directory");
            }
            subtree(first, paths.getFirst(), suffix);
            return;
        }
        try (VolumePfss pfss = VolumePfss.open(first.volume, this::tell)) {
            List<VolumePfss.Snapshot> wanted = wanted(sources(first, paths), suffix);
            if (!isOfLastCommit()) {
                flush(first, paths);
            }
            ChangeTiming took = ChangeTiming.of(() -> pfss.snapshot(wanted, isOfLastCommit()));
            show(first.volume, wanted, took);
        }
    }

    /** Has the kernel hand over what was written to the mounts that snapshots are made of. */
    private void flush(Source first, List<String> paths) {
        List<Path> mounts = new ArrayList<>();
        for (String path : paths) {
            if (Source.of(path).volume instanceof Target.Mounted mounted) {
                mounts.add(mounted.path());
            }
        }
        if (all) {
            MountedVolume.all().stream()
                    .filter(mount -> mount.special().equals(first.special()))
                    .map(MountedVolume::mountPoint)
                    .forEach(mounts::add);
        }
        for (Path mount : mounts) {
            try (MountedFile file = MountedFile.open(mount)) {
                file.syncMount();
            }
        }
    }

    private void subtree(Source source, String path, String named) {
        if (source.named != null || !(source.volume instanceof Target.Mounted mounted)) {
            throw new ToolException(path + ": --subtree is of a directory of a mounted PFS; mount it first");
        }
        Path directory = mounted.path().toAbsolutePath().normalize();
        if (!Files.isDirectory(directory)) {
            throw new ToolException(path + ": --subtree is of a directory");
        }
        if (directory.equals(mounted.volume().mountPoint())) {
            throw new ToolException(path + ": the root of its PFS, of which a snapshot without --subtree has all");
        }
        try (MountedPfss pfss = new MountedPfss(mounted);
                Progress progress = progress()) {
            Label pfs = pfss.own();
            Label label = LabelText.parse(
                    named != null ? named : LabelText.of(pfs) + "." + directory.getFileName() + "." + stamp());
            pfss.flush();
            long[] names = new long[1];
            ChangeTiming took = ChangeTiming.of(() -> pfss.subtree(label, count -> {
                names[0] = count;
                progress.show(() -> String.format(Locale.ROOT, "snapshot of %s: %,d names", path, count));
            }));
            progress.clear();
            if (parent().isJson()) {
                JsonWriter json = json().beginObject()
                        .member("path", path)
                        .member("label", LabelText.of(label))
                        .member("pfs", LabelText.of(pfs))
                        .member("names", names[0]);
                took.write(json);
                json.endObject();
                return;
            }
            if (!parent().isQuiet()) {
                out().println("created " + LabelText.of(label));
            }
            if (timing) {
                out().println(took.text());
            }
        }
    }

    private static String stamp() {
        return LocalDateTime.now(ZoneId.systemDefault()).format(STAMP);
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
        String stamp = stamp();
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
