package io.hammer2.lwkt;

/**
 * The counters behind {@link CpuStatistics}. Plain fields: each is written by its own cpu only, and a reader elsewhere is content with
 * values that are a little old.
 */
final class CpuCounters {
    long switches;
    long events;
    long messagesLocal;
    long messagesFromOutside;
    long sleeps;
    long idleNanos;
    long longestRunNanos;
    long tokenCollisions;
    long threadsStarted;
    long stacksMade;
    long pinnedBlocks;
    long lockedBlocks;
}
