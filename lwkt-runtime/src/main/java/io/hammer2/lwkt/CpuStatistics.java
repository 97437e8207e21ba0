package io.hammer2.lwkt;

/**
 * What one cpu has done since its start. Read while it runs, the figures are a little old, and not all of the same moment.
 *
 * @param switches how often a thread was dispatched
 * @param events events handled: messages, tasks, timers; not those of sources
 * @param messagesLocal events that this cpu sent to itself
 * @param messagesRemote events and wake-ups of threads that this cpu sent to others
 * @param messagesPassive those of them that were sent without waking
 * @param stalls sends that found the target's queue above half full and waited for it
 * @param wakeups sends that woke a sleeping cpu
 * @param wakeupsAvoided sends that found the target awake
 * @param messagesFromOutside events and wake-ups by threads that belong to no cpu
 * @param sleeps how often this cpu went to sleep
 * @param idleNanos time without work, looking around or asleep
 * @param longestRunNanos longest time one thread ran without yielding; measured while a flight recording runs, in the stepped world, or with
 *     {@code -Dio.hammer2.lwkt.timing=true}, because reading the clock costs as much as a switch; 0 if never
 * @param tokenCollisions token requests of this cpu that had to wait
 * @param threadsStarted threads, workers included
 * @param stacksMade stacks that no dead thread had left for reuse
 * @param pinnedBlocks blocking calls that could not leave their stack, because of a native frame or a class initialiser
 * @param lockedBlocks blocking calls found to have been made with a monitor or lock held; production looks now and then
 */
public record CpuStatistics(
        int cpu,
        long switches,
        long events,
        long messagesLocal,
        long messagesRemote,
        long messagesPassive,
        long stalls,
        long wakeups,
        long wakeupsAvoided,
        long messagesFromOutside,
        long sleeps,
        long idleNanos,
        long longestRunNanos,
        long tokenCollisions,
        long threadsStarted,
        long stacksMade,
        long pinnedBlocks,
        long lockedBlocks) {
    /** The figures of this moment. Those of messages to other cpus are kept in the rings, on the sender's side. */
    static CpuStatistics of(Cpu cpu) {
        long sent = 0;
        long passive = 0;
        long stalls = 0;
        long wakeups = 0;
        long wakeupsAvoided = 0;
        for (int target = 0; target < cpu.lwkt().cpuCount(); target++) {
            if (target != cpu.id()) {
                IpiQueue queue = cpu.lwkt().cpu(target).loop.incoming[cpu.id()];
                sent += queue.sent();
                passive += queue.passive();
                stalls += queue.stalls();
                wakeups += queue.wakeups();
                wakeupsAvoided += queue.wakeupsAvoided();
            }
        }
        CpuCounters c = cpu.loop.counters;
        return new CpuStatistics(
                cpu.id(),
                c.switches,
                c.events,
                c.messagesLocal,
                sent,
                passive,
                stalls,
                wakeups,
                wakeupsAvoided,
                c.messagesFromOutside,
                c.sleeps,
                c.idleNanos,
                c.longestRunNanos,
                c.tokenCollisions,
                c.threadsStarted,
                c.stacksMade,
                c.pinnedBlocks,
                c.lockedBlocks);
    }
}
