package io.hammer2.lwkt;

/** Something besides messages that makes work for a cpu: requests of a transport, completions of a device ring. */
@FunctionalInterface
public interface EventSource {
    /**
     * Handles at most one event to completion, without waiting for one to arrive. Runs on an LWKT thread of the cpu the source is
     * attached to and may block there; while it does, another worker of that cpu calls this method again, so what must
     * not be interleaved has to be finished before the first blocking call.
     *
     * @return whether there was an event
     */
    boolean pollOne();
}
