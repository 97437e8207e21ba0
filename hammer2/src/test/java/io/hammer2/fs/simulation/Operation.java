package io.hammer2.fs.simulation;

import java.util.function.Function;
import java.util.function.Supplier;

/** An operation with its arguments, to be done to any file system. */
record Operation(Kind kind, Supplier<String> text, Function<Posix, Object> body) {
    /** What of it matters besides its outcome. */
    enum Kind {
        READ,
        /** Changes only who uses an inode: possible whatever else is not. */
        USE,
        /** Changes something, and never takes more space than is kept for it. */
        MODIFY,
        /** Changes something, and may be refused for want of space. */
        GROW,
        /** Makes durable what was done before. */
        SYNC
    }

    @Override
    public String toString() {
        return text.get();
    }
}
