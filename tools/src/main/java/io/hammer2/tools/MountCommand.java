package io.hammer2.tools;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * mount_hammer2(8), also in the place of mount(8)'s helper {@code /sbin/mount.fuse.hammer2}.
 *
 * <p>A JVM cannot fork. Unless it is to stay in the foreground, this process starts another one with the same arguments and
 * {@link #BACKGROUND}, passes on what that says, and ends when it says {@link #READY}: the mount can be used then.
 */
@Command(
        name = "mount_hammer2",
        description = "Mounts a PFS of a HAMMER2 file system. End it with umount_hammer2 NODE.",
        footer = {
            "",
            "SPECIAL is a device or an image, several volumes joined by ':'. Without @LABEL the PFS that the volume is"
                    + " for is mounted: DATA, ROOT or BOOT. Further PFSs of a volume are mounted by the same command, and"
                    + " @LABEL alone is a PFS of what is mounted already.",
            "Options: " + MountWords.KNOWN + "; those of every file system are passed over.",
            "Without ro it can be written. sync_interval= is how old a change may get before it is committed (30),"
                    + " dirty= how much may wait for that (128M). What was written is on the media when umount_hammer2"
                    + " NODE returns, or umount where /sbin/umount.fuse.hammer2 is a link to it.",
            "Only who mounts may enter, unless allow_other is given. Permissions are checked by the kernel then, and"
                    + " whenever it can be written.",
            "Damage and errors are logged: in the foreground on standard error, else in the system's log, or in a file"
                    + " where there is none or log= names one.",
            "Exit status: 0 mounted, 32 not; of -f also when the last changes could not be committed."
        },
        mixinStandardHelpOptions = true,
        versionProvider = Tool.Version.class)
final class MountCommand implements Callable<Integer> {
    static final int EXIT_FAILURE = 32;

    /** Set for the process that stays. Not for users. */
    static final String BACKGROUND = "hammer2.background";

    /** The line by which the process that stays releases the one that waits; behind it, the log file or nothing. */
    static final String READY = "READY ";

    private final Console console;

    @Parameters(index = "0", paramLabel = "SPECIAL[@LABEL]", description = "What to mount.")
    private String special;

    @Parameters(index = "1", paramLabel = "NODE", description = "Directory to mount at.")
    private Path node;

    @Option(names = "-o", paramLabel = "OPTIONS", description = "Mount options, separated by commas.")
    private List<String> words = List.of();

    // Read by MountLauncher, before there is a parser.
    @Option(
            names = {"-f", "--foreground"},
            description = "Stay in the foreground until it is unmounted.")
    @SuppressWarnings("UnusedVariable")
    private boolean foreground;

    // What mount(8) passes to its helpers.
    @Option(names = "-t", hidden = true)
    private String type;

    @Option(names = "-N", hidden = true)
    @SuppressWarnings("UnusedVariable")
    private String namespace;

    @Option(
            names = {"-n", "-s", "-v"},
            hidden = true)
    @SuppressWarnings("UnusedVariable")
    private boolean[] passedOver = {};

    @Option(names = "-d", description = "Show where an error arose.")
    private boolean debug;

    private MountCommand(Console console) {
        this.console = console;
    }

    /** Starts the command. */
    public static void main(String[] arguments) {
        System.exit(
                MountLauncher.isToStay(arguments) ? run(Console.system(), arguments) : MountLauncher.launch(arguments));
    }

    /** For its man page and completion. */
    static CommandLine model(Console console) {
        return new CommandLine(new MountCommand(console));
    }

    /** @return the exit code, when what was mounted is unmounted */
    static int run(Console console, String... arguments) {
        MountCommand command = new MountCommand(console);
        return new Tool("mount_hammer2", console, EXIT_FAILURE, EXIT_FAILURE)
                .run(new CommandLine(command), List.of(arguments), () -> command.debug);
    }

    @Override
    public Integer call() throws InterruptedException {
        if (Boolean.getBoolean(BACKGROUND)) {
            Daemon.leaveSession();
        }
        if (type != null && !type.equals("fuse.hammer2") && !type.equals("hammer2") && !type.equals("fuse")) {
            throw new ToolException("this mounts hammer2, not " + type);
        }
        MountWords options = MountWords.of(words);
        MountRequest request = MountRequest.of(special, node, words);
        boolean isBackground = Boolean.getBoolean(BACKGROUND);
        MountLog log = MountLog.to(console.err());
        try (MountEnd end = MountEnd.watch(log)) {
            return mount(request, options, isBackground, log, end);
        } finally {
            log.drain();
        }
    }

    private int mount(MountRequest request, MountWords options, boolean isBackground, MountLog log, MountEnd end)
            throws InterruptedException {
        try (Mounted mounted = Mounting.begin(request, RuntimeFolder.places(), !isBackground, log)) {
            end.mounted(mounted);
            if (!mounted.needsThisProcess()) {
                log.drain();
                console.out().println(READY);
                return 0;
            }
            if (isBackground) {
                goOnAlone(options, log);
            }
            mounted.awaitEnd();
        } catch (RuntimeException | Error e) {
            if (end.isEndingEarly()) {
                // A signal came while it was being mounted, and what was done so far is undone.
                end.failed(0);
                return 0;
            }
            end.failed(EXIT_FAILURE);
            throw e;
        }
        return 0;
    }

    private void goOnAlone(MountWords options, MountLog log) {
        try {
            // What was said so far is for who waits.
            log.drain();
            Path file = log.moveToBackground(
                    options.logFile() == null
                            ? null
                            : Path.of(options.logFile()).toAbsolutePath());
            console.out().println(READY + (file == null ? "" : file));
            console.out().flush();
            Daemon.letGoOfTheStarter();
        } catch (IOException e) {
            throw new ToolException("the log: " + IoText.of(e), e);
        }
    }
}
