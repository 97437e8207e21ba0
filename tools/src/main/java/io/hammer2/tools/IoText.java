package io.hammer2.tools;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** What went wrong with a file, for people: the JDK's messages name the file and leave the reason to the exception's class. */
final class IoText {
    static String of(IOException e) {
        if (!(e instanceof FileSystemException at)) {
            return e.getMessage() == null ? e.toString() : e.getMessage();
        }
        String reason = at.getReason() != null
                ? at.getReason()
                : switch (at) {
                    case NoSuchFileException ignored -> "no such file or device";
                    case AccessDeniedException ignored ->
                        "permission denied (try as root, or give yourself access to it)";
                    case NotDirectoryException ignored -> "not a directory";
                    default -> "cannot be opened";
                };
        return at.getFile() + ": " + reason;
    }

    private IoText() {}
}
