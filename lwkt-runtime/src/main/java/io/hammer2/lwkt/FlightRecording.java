package io.hammer2.lwkt;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.FlightRecorderListener;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.Period;
import jdk.jfr.StackTrace;
import jdk.jfr.Timespan;

/**
 * The runtime's events for the JDK's flight recorder. The event classes are touched only once the recorder is in use: loading them takes
 * hundreds of milliseconds, which no short command would want to pay.
 */
final class FlightRecording {
    /** A thread that ran longer than this without yielding is worth an event. */
    static final long LONG_RUN_NANOS = 10_000_000;

    private static final Set<Lwkt> RUNTIMES = ConcurrentHashMap.newKeySet();
    private static volatile boolean on;

    static {
        FlightRecorder.addListener(new FlightRecorderListener() {
            @Override
            public void recorderInitialized(FlightRecorder recorder) {
                FlightRecorder.addPeriodicEvent(StatisticsEvent.class, FlightRecording::emitStatistics);
                on = true;
            }
        });
    }

    private FlightRecording() {}

    static boolean isOn() {
        return on;
    }

    static void opened(Lwkt lwkt) {
        RUNTIMES.add(lwkt);
    }

    static void closed(Lwkt lwkt) {
        RUNTIMES.remove(lwkt);
    }

    static void longRun(Cpu cpu, LwktThread thread, long nanos) {
        LongRunEvent event = new LongRunEvent();
        event.cpu = cpu.id();
        event.thread = thread.toString();
        event.ran = nanos;
        event.commit();
    }

    private static void emitStatistics() {
        for (Lwkt lwkt : RUNTIMES) {
            for (int id = 0; id < lwkt.cpuCount(); id++) {
                new StatisticsEvent(lwkt.cpu(id).statistics()).commit();
            }
        }
    }

    /** {@link CpuStatistics} of every cpu, once a second. */
    @Name("io.hammer2.lwkt.CpuStatistics")
    @Label("LWKT cpu statistics")
    @Category({"HAMMER2", "LWKT"})
    @Period("1 s")
    @StackTrace(false)
    static final class StatisticsEvent extends Event {
        @Label("Cpu")
        final int cpu;

        @Label("Switches")
        final long switches;

        @Label("Events handled")
        final long events;

        @Label("Messages to itself")
        final long messagesLocal;

        @Label("Messages to other cpus")
        final long messagesRemote;

        @Label("Messages from outside")
        final long messagesFromOutside;

        @Label("Sends that waited for room")
        final long stalls;

        @Label("Wake-ups")
        final long wakeups;

        @Label("Wake-ups avoided")
        final long wakeupsAvoided;

        @Label("Idle time")
        @Timespan(Timespan.NANOSECONDS)
        final long idle;

        @Label("Longest run")
        @Timespan(Timespan.NANOSECONDS)
        final long longestRun;

        @Label("Token collisions")
        final long tokenCollisions;

        @Label("Blocks with a pinned stack")
        final long pinnedBlocks;

        @Label("Blocks with a lock held")
        final long lockedBlocks;

        StatisticsEvent(CpuStatistics s) {
            cpu = s.cpu();
            switches = s.switches();
            events = s.events();
            messagesLocal = s.messagesLocal();
            messagesRemote = s.messagesRemote();
            messagesFromOutside = s.messagesFromOutside();
            stalls = s.stalls();
            wakeups = s.wakeups();
            wakeupsAvoided = s.wakeupsAvoided();
            idle = s.idleNanos();
            longestRun = s.longestRunNanos();
            tokenCollisions = s.tokenCollisions();
            pinnedBlocks = s.pinnedBlocks();
            lockedBlocks = s.lockedBlocks();
        }
    }

    /** A thread kept its cpu for long. */
    @Name("io.hammer2.lwkt.LongRun")
    @Label("LWKT long run")
    @Description("A thread ran for more than 10 ms without yielding its cpu")
    @Category({"HAMMER2", "LWKT"})
    @StackTrace(false)
    static final class LongRunEvent extends Event {
        @Label("Cpu")
        int cpu;

        @Label("LWKT thread")
        String thread;

        @Label("Ran for")
        @Timespan(Timespan.NANOSECONDS)
        long ran;
    }
}
