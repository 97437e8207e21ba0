package io.hammer2.lwkt;

/**
 * What a {@link Port} does with a message, replaceable so that the port can be on this cpu, on another one, in another process or on
 * another machine (the Syslink idea of DragonFly). {@link Port#onCpu} and {@link Port#mailbox} have hooks of their own.
 */
public interface PortHooks {
    /** Takes a message in; it is answered later, or already when this returns. */
    void put(Message<?> message);

    /** Blocks the calling thread until the message is answered. */
    default void await(Message<?> message) {
        message.awaitCompletion();
    }

    /** Carries the answer, which the message has by now, back to the sender: called where {@code reply} or {@code fail} was called. */
    default void reply(Message<?> message) {
        message.complete();
    }

    /** Asks whoever serves the message to answer soon, with what there is or with an {@link AbortException}; any thread. */
    void abort(Message<?> message);
}
