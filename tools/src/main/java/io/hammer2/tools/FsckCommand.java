package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.fsck.Finding;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckListener;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.fsck.FsckResult;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** fsck_hammer2(8): verifies, and changes nothing. */
@Command(
        name = "fsck_hammer2",
        description =
                "Verifies a HAMMER2 file system: every check code, key order, names against inodes, link counts, the"
                        + " freemap against what is in use. Changes nothing.",
        footer = {"", "Exit status: 0 clean, 4 there are errors, 8 it cannot be verified, 16 usage."},
        mixinStandardHelpOptions = true,
        versionProvider = Tool.Version.class)
final class FsckCommand implements Callable<Integer> {
    static final int EXIT_CLEAN = 0;
    static final int EXIT_ERRORS = 4;
    static final int EXIT_OPERATIONAL = 8;
    static final int EXIT_USAGE = 16;

    private final Console console;

    @Parameters(paramLabel = "SPECIAL", description = "Device or image; several volumes joined by ':'.")
    private String special;

    @Option(names = "-f", description = "Verify even if it is in use; what changes meanwhile looks like damage.")
    private boolean force;

    @Option(names = "-v", description = "Print the block reference of each problem.")
    private boolean verbose;

    @Option(names = "-q", description = "Print nothing but problems.")
    private boolean quiet;

    @Option(names = "-e", description = "Count empty block references.")
    private boolean countEmpty;

    @Option(names = "-b", description = "Verify the best volume header only, not the older copies.")
    private boolean bestOnly;

    @Option(names = "-p", description = "Verify each PFS by itself, as if it shared nothing with others.")
    private boolean eachPfs;

    @Option(names = "-P", description = "Print what is known of each PFS.")
    private boolean pfsInformation;

    @Option(names = "-l", split = ",", paramLabel = "NAME", description = "With -p: only these PFSs.")
    private List<String> labels = List.of();

    @Option(names = "-D", description = "Decompress every data block, too.")
    private boolean deep;

    @Option(names = "-d", description = "Show where an error arose.")
    private boolean debug;

    @Option(names = "--json", description = "Print one JSON document instead.")
    private boolean json;

    private FsckCommand(Console console) {
        this.console = console;
    }

    /** Starts the command. */
    public static void main(String[] arguments) {
        int status = run(Console.system(), arguments);
        // All is closed and flushed. An orderly exit would load a logger, to be able to log itself.
        Runtime.getRuntime().halt(status);
    }

    /** For its man page and completion. */
    static CommandLine model(Console console) {
        return new CommandLine(new FsckCommand(console));
    }

    /** @return the exit code */
    static int run(Console console, String... arguments) {
        FsckCommand command = new FsckCommand(console);
        return new Tool("fsck_hammer2", console, EXIT_OPERATIONAL, EXIT_USAGE)
                .run(new CommandLine(command), List.of(arguments), () -> command.debug);
    }

    @Override
    public Integer call() {
        if (!labels.isEmpty() && !eachPfs) {
            throw new ToolException("-l selects among the PFSs of -p: give both", EXIT_USAGE, null);
        }
        FsckOptions options = FsckOptions.DEFAULT
                .withBestHeaderOnly(bestOnly)
                .withEachPfsAlone(eachPfs)
                .withDeep(deep)
                .withOnlyPfs(Set.copyOf(labels));
        List<BlockDevice> devices = open();
        try {
            FsckReport report = json
                    ? new FsckReport.Json(console)
                    : new FsckReport.Text(
                            console,
                            new FsckReport.Verbosity(verbose, quiet, countEmpty || verbose, pfsInformation || verbose));
            report.begin(special);
            Progress bar = Progress.of(console, quiet);
            FsckResult result = Fsck.check(devices, options, new FsckListener() {
                @Override
                public void found(Finding finding) {
                    bar.clear();
                    report.found(finding);
                }

                @Override
                public void progress(FsckListener.Progress state) {
                    bar.show(() -> FsckProgress.line(state, bar.seconds()));
                }
            });
            bar.clear();
            report.end(result);
            return exitCode(result);
        } finally {
            for (BlockDevice device : devices) {
                closeQuietly(device);
            }
        }
    }

    private static int exitCode(FsckResult result) {
        return switch (result.outcome()) {
            case CLEAN -> EXIT_CLEAN;
            case PROBLEMS -> EXIT_ERRORS;
            case UNUSABLE, CANCELLED -> EXIT_OPERATIONAL;
        };
    }

    private List<BlockDevice> open() {
        try {
            return BlockDevices.openAll(special, force ? OpenMode.INSPECT : OpenMode.READ_ONLY);
        } catch (DeviceBusyException e) {
            throw new ToolException(e.getMessage() + "; unmount it first, or verify it as it is with -f", e);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        }
    }

    private static void closeQuietly(BlockDevice device) {
        try {
            device.close();
        } catch (IOException e) {
            // It was only read.
        }
    }
}
