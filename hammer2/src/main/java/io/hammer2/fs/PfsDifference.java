package io.hammer2.fs;

import io.hammer2.fs.media.FileType;

/**
 * One difference between two PFSs.
 *
 * @param type of the object; null where its entry names none that exists
 * @param path from the root of the PFS, in the form of {@link io.hammer2.fs.media.NameText}: where it was if it is gone or was renamed,
 *     else where it is
 * @param newPath where it is now, if it was renamed; else null
 */
public record PfsDifference(Kind kind, FileType type, String path, String newPath) {
    /** What happened to it. */
    public enum Kind {
        ADDED('A'),
        DELETED('D'),
        /** Content or attributes, or another object of the same type has taken its name. */
        MODIFIED('M'),
        RENAMED('R');

        private final char letter;

        Kind(char letter) {
            this.letter = letter;
        }

        public char letter() {
            return letter;
        }
    }
}
