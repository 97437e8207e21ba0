package io.hammer2.fs;

/** What rename does about a name that is there already: renameat2(2). */
public enum RenameMode {
    /** The name then names what was renamed; a directory only replaces an empty one. */
    REPLACE,
    /** EEXIST. */
    NO_REPLACE,
    /** Both change places; both must be there. */
    EXCHANGE
}
