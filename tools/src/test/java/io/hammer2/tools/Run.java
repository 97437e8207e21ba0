package io.hammer2.tools;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * One run of a command in this JVM.
 *
 * @param status exit code
 */
record Run(int status, String out, String err) {
    /** A command's entry. */
    @FunctionalInterface
    interface Entry {
        int run(Console console, String... arguments);
    }

    static Run of(Entry entry, String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int status = entry.run(Console.to(out, err), arguments);
        Run run = new Run(status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
        // Whatever happens, no stack trace reaches a user.
        assertFalse(run.err.contains("\tat "), run.err);
        assertFalse(run.out.contains("\tat "), run.out);
        return run;
    }

    static Run hammer2(String... arguments) {
        return of(Hammer2Command::run, arguments);
    }

    static Run fsck(String... arguments) {
        return of(FsckCommand::run, arguments);
    }

    static Run newfs(String... arguments) {
        return of(NewfsCommand::run, arguments);
    }

    /** @return this, if it succeeded without a word of complaint */
    Run succeeded() {
        assertEquals(0, status, this::toString);
        assertEquals("", err);
        return this;
    }

    /** @return this, if it ended with {@code code} and a message with {@code text}, and no results but those before the error */
    Run failed(int code, String text) {
        assertEquals(code, status, this::toString);
        assertTrue(err.contains(text), () -> "'" + text + "' is not in: " + this);
        return this;
    }
}
