package io.hammer2.tools;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;

/**
 * Every directive of hammer2 with arguments that are right, for a volume that is in some trouble: what changes it has to say so in a line, and
 * what only looks does what it can. As a program of its own it does so for another user.
 */
final class DirectiveMatrix {
    /** What a directive does to what is named. */
    enum Kind {
        /** To a mounted volume or, without a mount, to a device. */
        CHANGES,
        /** To a mounted volume only. */
        CHANGES_MOUNTED,
        /** To files of a mounted volume, if there is anything to do. */
        SWEEPS,
        /** To what is damaged on a mounted volume, and nothing is. */
        DESTROYS,
        /** Gives space back; DragonFly lets everybody ask for it. */
        FREES,
        /** At what is mounted, or else at a device. */
        LOOKS,
        /** At a device, mounted or not. */
        LOOKS_AT_DEVICE,
        /** For what there was on a device, and there was nothing. */
        RECOVERS,
        /** At no volume. */
        NOTHING
    }

    /** @param arguments with MOUNT, DEVICE and PFS (a device with the name of a PFS, or the mount) in the places of those */
    private record Call(Kind kind, List<String> arguments) {}

    /** In the order in which they are called: what one takes away, no later one needs. */
    private static final Map<String, Call> CALLS = new LinkedHashMap<>();

    static {
        add(Kind.LOOKS_AT_DEVICE, "info", "DEVICE");
        add(Kind.LOOKS_AT_DEVICE, "volhdr", "DEVICE");
        add(Kind.LOOKS_AT_DEVICE, "freemap", "DEVICE");
        add(Kind.LOOKS_AT_DEVICE, "show", "DEVICE");
        add(Kind.RECOVERS, "recover", "DEVICE", "/none", "OUT");
        add(Kind.RECOVERS, "recover-relaxed", "DEVICE", "/none", "OUT");
        add(Kind.RECOVERS, "recover-file", "DEVICE", "none", "OUT");
        add(Kind.LOOKS, "pfs-list", "ANY");
        add(Kind.LOOKS, "volume-list", "ANY");
        add(Kind.LOOKS, "df", "ANY");
        add(Kind.LOOKS, "pfs-clid", "-s", "ANY", "DATA");
        add(Kind.LOOKS, "pfs-fsid", "-s", "ANY", "DATA");
        add(Kind.LOOKS, "diff", "-s", "ANY", "SPARE", "SNAP");
        add(Kind.LOOKS, "stat", "MOUNT");
        add(Kind.LOOKS, "printinode", "MOUNT");
        add(Kind.CHANGES, "pfs-create", "-s", "ANY", "NEW");
        add(Kind.CHANGES, "rollback", "-s", "ANY", "SPARE", "SNAP");
        add(Kind.CHANGES, "snapshot", "PFS", "TAKEN");
        add(Kind.CHANGES, "snapshot-debug", "PFS", "TAKEN2");
        add(Kind.CHANGES, "growfs", "ANY");
        add(Kind.CHANGES, "pfs-delete", "-s", "ANY", "OLD");
        add(Kind.FREES, "bulkfree", "ANY");
        add(Kind.FREES, "cleanup", "ANY");
        add(Kind.CHANGES_MOUNTED, "setcomp", "zlib", "MOUNT");
        add(Kind.CHANGES_MOUNTED, "setcheck", "crc32", "MOUNT");
        for (String shortForm : List.of("clrcheck", "setcrc32", "setxxhash64", "setsha192")) {
            add(Kind.CHANGES_MOUNTED, shortForm, "MOUNT");
        }
        add(Kind.SWEEPS, "dedup", "MOUNT");
        add(Kind.SWEEPS, "recompress", "-r", "MOUNT");
        add(Kind.DESTROYS, "destroy", "MOUNT/damaged");
        add(Kind.DESTROYS, "destroy-inum", "-s", "MOUNT", "999999");
        add(Kind.CHANGES_MOUNTED, "emergency-mode-enable", "MOUNT");
        add(Kind.CHANGES_MOUNTED, "emergency-mode-disable", "MOUNT");
        add(Kind.NOTHING, "hash", "DATA");
        add(Kind.NOTHING, "dhash", "DATA");
        // It mounts, and is asked by tests of its own.
        add(Kind.NOTHING, "mountall", "--help");
    }

    private final List<String> faults = new ArrayList<>();
    private final String mount;
    private final String device;
    private final String out;

    /**
     * @param mount where the volume is mounted, or null
     * @param device the volume itself, or null to name it by its mount alone
     * @param out a folder that is there and empty
     */
    DirectiveMatrix(String mount, String device, String out) {
        this.mount = mount;
        this.device = device;
        this.out = out;
    }

    private static void add(Kind kind, String directive, String... arguments) {
        CALLS.put(directive, new Call(kind, List.of(arguments)));
    }

    /** {@code DirectiveMatrix MOUNT OUT}: as a user who may look at the mount, and change nothing. */
    public static void main(String[] arguments) {
        DirectiveMatrix matrix = new DirectiveMatrix(arguments[0], null, arguments[1]);
        // Some look at the device first, which is not his to read.
        List<String> whose = List.of("only root and who mounted it", "ermission denied");
        matrix.refused(whose, Kind.CHANGES, Kind.CHANGES_MOUNTED, Kind.SWEEPS, Kind.DESTROYS);
        matrix.doneOrRefused(whose, Kind.LOOKS);
        matrix.done(Kind.FREES);
        matrix.faults.forEach(System.out::println);
        System.exit(matrix.faults.isEmpty() ? 0 : 1);
    }

    /** Directives that nobody has thought of here, and the other way round. */
    static Set<String> notCovered() {
        Set<String> all = new TreeSet<>(
                Hammer2Command.model(Console.to(OutputStream.nullOutputStream(), OutputStream.nullOutputStream()))
                        .getSubcommands()
                        .keySet());
        Set<String> both = new TreeSet<>(all);
        both.retainAll(CALLS.keySet());
        all.addAll(CALLS.keySet());
        all.removeAll(both);
        return all;
    }

    List<String> faults() {
        return List.copyOf(faults);
    }

    /** Those of these kinds succeed. */
    void done(Kind... kinds) {
        each(run -> run.status() == 0, "succeeds", kinds);
    }

    /** Those of these kinds fail with one of the texts in their line. */
    void refused(List<String> texts, Kind... kinds) {
        each(run -> run.status() == 1 && says(run, texts), "fails with " + texts, kinds);
    }

    /** Those of these kinds succeed, or fail with one of the texts in their line. */
    void doneOrRefused(List<String> texts, Kind... kinds) {
        each(run -> run.status() == 0 || says(run, texts), "succeeds or fails with " + texts, kinds);
    }

    private static boolean says(Run run, List<String> texts) {
        return texts.stream().anyMatch(run.err()::contains);
    }

    private void each(Predicate<Run> expected, String expectation, Kind... kinds) {
        CALLS.forEach((directive, call) -> {
            if (List.of(kinds).contains(call.kind) && isPossible(call)) {
                List<String> words = words(directive, call);
                Run run = run(words);
                String said = run.out() + run.err();
                if (!expected.test(run)
                        || said.contains("\tat ")
                        || said.contains("internal error")
                        || said.contains("Exception")
                        || (run.status() != 0 && !run.err().startsWith("hammer2: "))) {
                    faults.add(String.join(" ", words) + ", which " + expectation + ": " + run);
                }
            }
        });
    }

    private boolean isPossible(Call call) {
        boolean isMounted = mount != null;
        boolean hasDevice = device != null;
        return call.arguments.stream()
                .allMatch(word -> (isMounted || !word.startsWith("MOUNT")) && (hasDevice || !word.equals("DEVICE")));
    }

    private List<String> words(String directive, Call call) {
        List<String> words = new ArrayList<>(List.of(directive));
        for (String word : call.arguments) {
            words.add(
                    switch (word) {
                        case "DEVICE" -> device;
                        case "ANY" -> mount == null ? device : mount;
                        case "PFS" -> mount == null ? device + "@SPARE" : mount;
                        case "OUT" -> out;
                        default -> word.startsWith("MOUNT") ? word.replace("MOUNT", mount) : word;
                    });
            // The options stand before the directive.
            if (words.size() == 3 && words.get(1).equals("-s")) {
                words.addLast(words.removeFirst());
            }
        }
        return words;
    }

    private static Run run(List<String> words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = Hammer2Command.run(Console.to(out, err), words.toArray(String[]::new));
        return new Run(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
