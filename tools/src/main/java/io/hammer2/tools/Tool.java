package io.hammer2.tools;

import io.hammer2.fs.codec.ZlibLibrary;
import io.hammer2.fs.codec.ZstdLibrary;
import java.io.PrintWriter;
import java.util.List;
import java.util.function.BooleanSupplier;
import picocli.CommandLine;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;

/**
 * Runs a command line as every tool does: an error is one line that begins with the tool's name, no stack trace reaches a user
 * who did not ask for it, and the exit code says what kind of error it was.
 */
final class Tool {
    private final String name;
    private final Console console;
    private final int errorCode;
    private final int usageCode;

    /** @param errorCode exit code of an error that has no other */
    Tool(String name, Console console, int errorCode, int usageCode) {
        this.name = name;
        this.console = console;
        this.errorCode = errorCode;
        this.usageCode = usageCode;
    }

    /**
     * @param debug whether -d was given; asked after the arguments were read
     * @return the exit code
     */
    int run(CommandLine commandLine, List<String> arguments, BooleanSupplier debug) {
        commandLine.setOut(console.out());
        commandLine.setErr(console.err());
        commandLine.setColorScheme(CommandLine.Help.defaultColorScheme(console.ansi()));
        commandLine.setPosixClusteredShortOptionsAllowed(true);
        commandLine.setUsageHelpAutoWidth(false);
        commandLine.setParameterExceptionHandler((e, ignored) -> usageError(e));
        commandLine.setExecutionExceptionHandler((e, ignored, result) -> failed(e, debug.getAsBoolean()));
        int status;
        try {
            status = commandLine.execute(arguments.toArray(String[]::new));
        } catch (Throwable e) {
            status = failed(e, debug.getAsBoolean());
        }
        console.out().flush();
        console.err().flush();
        return status;
    }

    private int usageError(ParameterException e) {
        PrintWriter err = console.err();
        err.println(name + ": " + firstLine(e.getMessage()));
        err.println(
                e.getCommandLine().getUsageMessage(CommandLine.Help.Ansi.OFF).stripTrailing());
        return usageCode;
    }

    private int failed(Throwable thrown, boolean debug) {
        // picocli wraps what is not an Exception.
        Throwable e = thrown instanceof CommandLine.ExecutionException && thrown.getCause() != null
                ? thrown.getCause()
                : thrown;
        if (e instanceof Console.NobodyReadsException) {
            return 0;
        }
        // What was listed before the error stands before it.
        console.out().flush();
        PrintWriter err = console.err();
        int status = errorCode;
        switch (e) {
            case ToolException expected -> {
                err.println(name + ": " + expected.getMessage());
                status = expected.exitCodeOr(errorCode);
            }
            case OutOfMemoryError ignored ->
                err.println(name + ": out of memory (heap of "
                        + (Runtime.getRuntime().maxMemory() >> 20)
                        + " MiB); set JDK_JAVA_OPTIONS=-Xmx4g and try again");
            default ->
                err.println(
                        name + ": internal error: " + e + (debug ? "" : "; please report it with the output of -d"));
        }
        if (debug) {
            e.printStackTrace(err);
        }
        return status;
    }

    private static String firstLine(String message) {
        return message == null ? "wrong arguments" : message.lines().findFirst().orElse("wrong arguments");
    }

    /** The version in the jar's manifest, and which libraries this machine has for data. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Tool.class.getPackage().getImplementationVersion();
            return new String[] {
                "${COMMAND-FULL-NAME} " + (version == null ? "(development)" : version) + " (HAMMER2 in Java)",
                "zlib by " + ZlibLibrary.inUse() + "; "
                        + (ZstdLibrary.problem() == null ? "zstd is there" : ZstdLibrary.problem())
            };
        }
    }
}
