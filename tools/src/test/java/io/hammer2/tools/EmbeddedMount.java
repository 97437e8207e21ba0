package io.hammer2.tools;

/** A program of somebody else's, with a mount in the foreground as a part of it. */
final class EmbeddedMount {
    /** What it ends with when the mount is over without an error. */
    static final int STATUS = 7;

    private EmbeddedMount() {}

    public static void main(String[] arguments) {
        int status = MountCommand.run(Console.system(), arguments);
        System.exit(status == 0 ? STATUS : status);
    }
}
