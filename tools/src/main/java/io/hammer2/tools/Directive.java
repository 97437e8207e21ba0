package io.hammer2.tools;

import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** What the directives of {@link Hammer2Command} have in common: its options, and an exit code that remembers damage. */
abstract class Directive implements Callable<Integer> {
    @ParentCommand
    private Hammer2Command parent;

    // Asked for by whoever types it, and not listed with each in the man page.
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            hidden = true)
    @SuppressWarnings("UnusedVariable")
    private boolean help;

    private boolean damaged;

    @Override
    public final Integer call() {
        run();
        return damaged ? Hammer2Command.EXIT_ERROR : 0;
    }

    abstract void run();

    final Hammer2Command parent() {
        return parent;
    }

    final PrintWriter out() {
        return parent.console().out();
    }

    /** For something that may take long. */
    final Progress progress() {
        return Progress.of(parent.console(), parent.isQuiet() || parent.isJson());
    }

    final JsonWriter json() {
        return new JsonWriter(out());
    }

    /** One line on the error output about something that cannot be shown; the command goes on, and fails in the end. */
    final void damage(String line) {
        damaged = true;
        tell(line);
    }

    /** One line on the error output that says something worth knowing; the command has not failed. */
    final void tell(String line) {
        out().flush();
        parent.console().err().println("hammer2: " + line);
    }
}
