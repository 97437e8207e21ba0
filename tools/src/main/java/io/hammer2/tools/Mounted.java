package io.hammer2.tools;

/** What a mount_hammer2 command has mounted, by itself or by the process that serves the volume already. */
interface Mounted extends AutoCloseable {
    /** Whether the mount needs this process, to be served or to be waited for. */
    boolean needsThisProcess();

    /**
     * Waits until it is over.
     *
     * @throws ToolException when what changed last could not be committed
     */
    void awaitEnd() throws InterruptedException;

    /**
     * Unmounts in any case, in use or not, and waits until it is over.
     *
     * @throws ToolException as {@link #awaitEnd}
     */
    @Override
    void close();

    /** As {@link #close}, in a thread that the JVM's end has started. */
    void closeAtExit() throws InterruptedException;
}
