package io.hammer2.lwkt;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StatisticsTest {
    @Worlds.OnEach
    void a_cpu_counts_what_it_does(Worlds worlds) throws Exception {
        try (Lwkt lwkt = worlds.open(2)) {
            lwkt.run(0, () -> {
                for (int i = 0; i < 100; i++) {
                    LwktThread.yieldNow();
                    Cpu.current().post(() -> {});
                    lwkt.cpu(1).call(() -> null);
                }
                return null;
            });
            CpuStatistics zero = lwkt.cpu(0).statistics();
            CpuStatistics one = lwkt.cpu(1).statistics();
            assertTrue(zero.switches() >= 100, zero.toString());
            assertTrue(zero.messagesLocal() >= 100, zero.toString());
            assertEquals(100, zero.messagesRemote());
            // A reply that comes before its caller waits needs no wake-up.
            assertTrue(one.messagesRemote() > 0 && one.messagesRemote() <= 100, one.toString());
            assertEquals(1, zero.messagesFromOutside());
        }
    }

    @Test
    void stacks_of_dead_threads_are_reused() throws Exception {
        try (Lwkt lwkt = Lwkt.dedicated(1)) {
            for (int i = 0; i < 100; i++) {
                lwkt.run(0, () -> null);
            }
            CpuStatistics statistics = lwkt.cpu(0).statistics();
            assertTrue(statistics.threadsStarted() >= 100, statistics.toString());
            assertTrue(statistics.stacksMade() <= 4, statistics.toString());
        }
    }

    @Test
    void the_longest_run_is_measured_by_the_simulated_clock() throws Exception {
        try (Lwkt lwkt = Lwkt.stepped(2, 1)) {
            lwkt.run(0, () -> null);
            assertTrue(lwkt.cpu(0).statistics().longestRunNanos() >= 0);
        }
    }

    @Test
    void a_flight_recording_has_the_statistics_of_every_cpu(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("recording.jfr");
        try (Lwkt lwkt = Lwkt.dedicated(2);
                Recording recording = new Recording()) {
            recording.enable("io.hammer2.lwkt.CpuStatistics").withPeriod(Duration.ofMillis(10));
            recording.start();
            lwkt.run(0, () -> {
                long end = lwkt.clock().nanoTime() + 10 * FlightRecording.LONG_RUN_NANOS;
                while (lwkt.clock().nanoTime() < end) {
                    Thread.onSpinWait();
                }
                return null;
            });
            lwkt.run(0, () -> null); // the event is written when the long run has left its cpu
            recording.stop();
            recording.dump(file);
        }
        List<RecordedEvent> events = RecordingFile.readAllEvents(file);
        assertTrue(Files.size(file) > 0);
        assertTrue(events.stream()
                .anyMatch(e ->
                        e.getEventType().getName().equals("io.hammer2.lwkt.CpuStatistics") && e.getInt("cpu") == 1));
        assertTrue(events.stream()
                .anyMatch(e -> e.getEventType().getName().equals("io.hammer2.lwkt.LongRun")
                        && e.getString("thread").startsWith("run#")));
    }
}
