package io.hammer2.tools;

import java.io.BufferedWriter;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import picocli.CommandLine.Help.Ansi;

/**
 * Where a command writes: results to {@code out}, everything else to {@code err}; both UTF-8. Whether they are terminals is
 * told by the launcher in the property {@code hammer2.terminal}, because asking the system takes longer than most commands.
 *
 * @param inIsTerminal a person can be asked
 * @param outIsTerminal a person reads what goes to {@code out}
 * @param errIsTerminal a person reads what goes to {@code err}
 */
record Console(PrintWriter out, PrintWriter err, boolean inIsTerminal, boolean outIsTerminal, boolean errIsTerminal) {
    private static final int BUFFER_CHARS = 65536;

    /** Of this process. */
    static Console system() {
        String terminal = System.getProperty("hammer2.terminal", "");
        return new Console(
                writer(FileDescriptor.out),
                writer(FileDescriptor.err),
                terminal.contains("in"),
                terminal.contains("out"),
                terminal.contains("err"));
    }

    /** Of a test. */
    static Console to(OutputStream out, OutputStream err) {
        return new Console(
                new PrintWriter(out, false, StandardCharsets.UTF_8),
                new PrintWriter(err, true, StandardCharsets.UTF_8),
                false,
                false,
                false);
    }

    /** Colour is for people who have not asked to be spared (no-color.org). */
    Ansi ansi() {
        String noColor = System.getenv("NO_COLOR");
        String term = System.getenv("TERM");
        boolean wanted = (noColor == null || noColor.isEmpty()) && !"dumb".equals(term);
        return outIsTerminal && wanted ? Ansi.ON : Ansi.OFF;
    }

    /**
     * For long listings, now and then: ends the command when nobody reads any more, as in {@code hammer2 show IMG | head}.
     */
    void endIfNobodyReads() {
        if (out.checkError()) {
            throw new NobodyReadsException();
        }
    }

    /** The reader of our output has gone, which is no error. */
    static final class NobodyReadsException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NobodyReadsException() {
            super(null, null, false, false);
        }
    }

    private static PrintWriter writer(FileDescriptor descriptor) {
        Writer writer = new OutputStreamWriter(new FileOutputStream(descriptor), StandardCharsets.UTF_8);
        // Errors are to be seen at once, results are many.
        return descriptor == FileDescriptor.err
                ? new PrintWriter(writer, true)
                : new PrintWriter(new BufferedWriter(writer, BUFFER_CHARS), false);
    }
}
