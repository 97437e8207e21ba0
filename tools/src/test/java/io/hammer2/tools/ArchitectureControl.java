package io.hammer2.tools;

/** Something for the offender to use. */
public final class ArchitectureControl {
    /** Not a constant, which the compiler would copy. */
    public static final StringBuilder VALUE = new StringBuilder();

    private ArchitectureControl() {}
}
