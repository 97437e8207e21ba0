package io.hammer2.tools;

import io.hammer2.fs.freemap.BulkFreeResult;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** hammer2(8): options that all directives share, and one directive. */
@Command(
        name = "hammer2",
        description = "Looks at HAMMER2 volumes and mounted file systems, and looks after them.",
        synopsisSubcommandLabel = "DIRECTIVE",
        commandListHeading = "%nDirectives:%n",
        footer = {
            "",
            "PATH is a device or an image (several volumes joined by ':'), or any file of a mounted volume.",
            "Names are shown as UTF-8, their other bytes and backslashes as \\xNN; so they are in JSON."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Tool.Version.class)
final class Hammer2Command implements Runnable {
    static final int EXIT_ERROR = 1;
    static final int EXIT_USAGE = 2;

    /** Short options that take a value. */
    private static final String WITH_VALUE = "stum";

    private static final Map<String, Supplier<?>> DIRECTIVES = directives();

    @Spec
    private CommandLine.Model.CommandSpec spec;

    private final Console console;

    @Option(names = "-s", paramLabel = "PATH", description = "A file of the mounted file system, a device or an image.")
    private String path;

    @Option(names = "-v", scope = ScopeType.INHERIT, description = "Tell more; twice for still more.")
    private boolean[] verbose = {};

    @Option(names = "-q", scope = ScopeType.INHERIT, description = "Tell less.")
    private boolean quiet;

    @Option(names = "-r", scope = ScopeType.INHERIT, description = "With all that is below.")
    private boolean recursive;

    @Option(names = "--json", scope = ScopeType.INHERIT, description = "Print JSON.")
    private boolean json;

    @Option(names = "-d", scope = ScopeType.INHERIT, description = "Show where an error arose.")
    private boolean[] debug = {};

    @Option(
            names = "-m",
            paramLabel = "SIZE",
            converter = Size.Parser.class,
            scope = ScopeType.INHERIT,
            description = "Memory for bulkfree and dedup; default 64M.")
    private long memoryBytes = BulkFreeResult.MEMORY_BYTES_DEFAULT;

    @Option(
            names = "-t",
            paramLabel = "TYPE",
            scope = ScopeType.INHERIT,
            description = "Type of a PFS to be made; default MASTER, with -u SLAVE.")
    private String pfsType;

    @Option(
            names = "-u",
            paramLabel = "UUID",
            scope = ScopeType.INHERIT,
            description = "Cluster id of a PFS to be made.")
    private String clusterId;

    private Hammer2Command(Console console) {
        this.console = console;
    }

    /** Starts the command. */
    public static void main(String[] arguments) {
        int status = run(Console.system(), arguments);
        // All is closed and flushed. An orderly exit would load a logger, to be able to log itself.
        Runtime.getRuntime().halt(status);
    }

    /** With all directives, for its man page and completion. */
    static CommandLine model(Console console) {
        CommandLine line = new CommandLine(new Hammer2Command(console));
        DIRECTIVES.forEach((name, directive) -> line.addSubcommand(name, directive.get()));
        return line;
    }

    /** @return the exit code */
    static int run(Console console, String... arguments) {
        Hammer2Command command = new Hammer2Command(console);
        CommandLine line = new CommandLine(command);
        String wanted = directive(arguments);
        if (DIRECTIVES.containsKey(wanted)) {
            // Reading the annotations of all directives takes longer than most of them run.
            line.addSubcommand(wanted, DIRECTIVES.get(wanted).get());
        } else {
            DIRECTIVES.forEach((name, directive) -> line.addSubcommand(name, directive.get()));
        }
        if (!wanted.isEmpty() && !DIRECTIVES.containsKey(wanted)) {
            console.err().println("hammer2: unknown directive '" + wanted + "'");
            console.err()
                    .println(line.getUsageMessage(CommandLine.Help.Ansi.OFF).stripTrailing());
            return EXIT_USAGE;
        }
        return new Tool("hammer2", console, EXIT_ERROR, EXIT_USAGE)
                .run(line, List.of(arguments), () -> command.debug.length > 0);
    }

    private static Map<String, Supplier<?>> directives() {
        Map<String, Supplier<?>> directives = new LinkedHashMap<>();
        directives.put("info", InfoDirective::new);
        directives.put("mountall", MountallDirective::new);
        directives.put("pfs-list", PfsListDirective::new);
        directives.put("pfs-create", PfsCreateDirective::new);
        directives.put("pfs-delete", PfsDeleteDirective::new);
        directives.put("pfs-clid", PfsIdDirective.Cluster::new);
        directives.put("pfs-fsid", PfsIdDirective.FileSystem::new);
        directives.put("snapshot", SnapshotDirective.Synced::new);
        directives.put("snapshot-debug", SnapshotDirective.OfLastCommit::new);
        directives.put("rollback", RollbackDirective::new);
        directives.put("diff", DiffDirective::new);
        directives.put("volume-list", VolumeListDirective::new);
        directives.put("volhdr", VolhdrDirective::new);
        directives.put("freemap", FreemapDirective::new);
        directives.put("show", ShowDirective::new);
        directives.put("stat", StatDirective::new);
        directives.put("printinode", PrintinodeDirective::new);
        directives.put("setcomp", PolicyDirective.Compress::new);
        directives.put("setcheck", PolicyDirective.Check::new);
        directives.put("clrcheck", PolicyDirective.NoCheck::new);
        directives.put("setcrc32", PolicyDirective.Crc32::new);
        directives.put("setxxhash64", PolicyDirective.XxHash64::new);
        directives.put("setsha192", PolicyDirective.Sha192::new);
        directives.put("bulkfree", BulkfreeDirective::new);
        directives.put("cleanup", CleanupDirective::new);
        directives.put("df", DfDirective::new);
        directives.put("dedup", DedupDirective::new);
        directives.put("recompress", RecompressDirective::new);
        directives.put("growfs", GrowfsDirective::new);
        directives.put("destroy", DestroyDirective.ByPath::new);
        directives.put("destroy-inum", DestroyDirective.ByInum::new);
        directives.put("emergency-mode-enable", EmergencyModeDirective.Enable::new);
        directives.put("emergency-mode-disable", EmergencyModeDirective.Disable::new);
        directives.put("recover", RecoverDirective.Recover::new);
        directives.put("recover-relaxed", RecoverDirective.Relaxed::new);
        directives.put("recover-file", RecoverDirective.OfFile::new);
        directives.put("hash", HashDirective.Hash::new);
        directives.put("dhash", HashDirective.DataHash::new);
        return directives;
    }

    /** The first argument that is no option and no option's value; "" if there is none. */
    private static String directive(String... arguments) {
        for (int i = 0; i < arguments.length; i++) {
            String argument = arguments[i];
            if (!argument.startsWith("-") || argument.equals("-")) {
                return argument;
            }
            int last = argument.length() - 1;
            if (!argument.startsWith("--") && WITH_VALUE.indexOf(argument.charAt(last)) >= 0) {
                i++;
            }
        }
        return "";
    }

    /** No directive was given. */
    @Override
    public void run() {
        throw new CommandLine.ParameterException(spec.commandLine(), "which directive?");
    }

    Console console() {
        return console;
    }

    /** 0, 1 or more. */
    int verbosity() {
        return verbose.length;
    }

    boolean isQuiet() {
        return quiet;
    }

    boolean isRecursive() {
        return recursive;
    }

    boolean isJson() {
        return json;
    }

    /** The size of -m. */
    long memoryBytes() {
        return memoryBytes;
    }

    /** The type of -t, or null. */
    String pfsType() {
        return pfsType;
    }

    /** The UUID of -u, or null. */
    String clusterId() {
        return clusterId;
    }

    /** The path of -s, or null. */
    String path() {
        return path;
    }
}
