package io.hammer2.fs.media;

/**
 * The medium lied: what a volume says contradicts its check code or the format. Expected of damaged and hostile volumes, so
 * it carries what an administrator needs and no stack trace.
 */
public final class CorruptBlockException extends RuntimeException {
    private final transient BlockRef ref;
    private final String what;
    private final String expected;
    private final String found;

    /**
     * @param ref the reference of the damaged block, or null where none leads to it (volume header)
     * @param what which rule is broken, in one phrase
     * @param expected what the rule asks for
     * @param found what the medium says
     */
    public CorruptBlockException(BlockRef ref, String what, String expected, String found) {
        super(null, null, false, false);
        this.ref = ref;
        this.what = what;
        this.expected = expected;
        this.found = found;
    }

    /** The reference of the damaged block, or null where none leads to it. */
    public BlockRef ref() {
        return ref;
    }

    /** Which rule is broken. */
    public String what() {
        return what;
    }

    /** What the rule asks for. */
    public String expected() {
        return expected;
    }

    /** What the medium says. */
    public String found() {
        return found;
    }

    /** The same finding, located: for code that finds damage inside a block and does not know the block's reference. */
    public CorruptBlockException at(BlockRef located) {
        return ref != null ? this : new CorruptBlockException(located, what, expected, found);
    }

    @Override
    public String getMessage() {
        return what + ": expected " + expected + ", found " + found + (ref == null ? "" : " in " + ref);
    }
}
