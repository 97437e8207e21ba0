package io.hammer2.fuse.kernel;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.MemoryOperations;
import io.hammer2.fuse.Shell;
import io.hammer2.lwkt.Lwkt;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

/** Isolated: the bound is the whole machine's, and others could make one meanwhile. */
@Isolated
class CpuLatencyQosTest {
    private static final int BOUND_MICROS = 7;

    @TempDir
    private Path folder;

    private int lightest(String driver, String latency, int processors) throws IOException {
        Files.createDirectories(folder.resolve("cpuidle"));
        Files.createDirectories(folder.resolve("cpu0/cpuidle/state1"));
        Files.writeString(folder.resolve("cpuidle/current_driver"), driver + "\n");
        Files.writeString(folder.resolve("cpu0/cpuidle/state1/latency"), latency + "\n");
        return CpuLatencyQos.lightestMicros(folder, processors);
    }

    @Test
    void the_bound_is_the_lightest_sleep_of_the_processor_and_none_for_that_of_a_guest() throws IOException {
        assertEquals(2, lightest("intel_idle", "2", 64));
        assertEquals(1, lightest("acpi_idle", "1", 4));
        assertEquals(0, lightest("haltpoll", "1", CpuLatencyQos.POLLING_PROCESSORS_MAX));
        assertEquals(
                FuseMountOptions.CPU_LATENCY_ANY, lightest("haltpoll", "1", CpuLatencyQos.POLLING_PROCESSORS_MAX + 1));
    }

    @Test
    void what_the_kernel_does_not_say_is_not_guessed() throws IOException {
        assertEquals(FuseMountOptions.CPU_LATENCY_ANY, lightest("none", "", 2));
        assertEquals(FuseMountOptions.CPU_LATENCY_ANY, lightest("intel_idle", "-3", 2));
        assertEquals(FuseMountOptions.CPU_LATENCY_ANY, CpuLatencyQos.lightestMicros(folder.resolve("absent"), 2));
    }

    @Test
    void nothing_is_opened_for_no_bound() {
        assertSame(PromptWaking.Request.NONE, CpuLatencyQos.open(FuseMountOptions.CPU_LATENCY_ANY));
    }

    /** The strictest bound of the machine, in microseconds: before, while one client asks quickly, and a moment later. */
    private List<Integer> boundsAround(Path root) {
        String output = Shell.python("""
                import os, struct, sys, time
                def bound():
                    with open("/dev/cpu_dma_latency", "rb", 0) as f: return struct.unpack("i", f.read(4))[0]
                before = bound()
                least = before
                for i in range(3000):
                    os.path.exists(sys.argv[1] + "/none-%d" % i)
                    if i % 100 == 99: least = min(least, bound())
                time.sleep(0.5)
                print(before, least, bound())
                """, root.toString()).succeeded();
        return List.of(output.trim().split(" ")).stream().map(Integer::valueOf).toList();
    }

    private List<Integer> boundsAround(int micros) throws IOException {
        assumeTrue(
                CpuLatencyQos.isPermitted(),
                "only root may bound the latency of processors, where the kernel has that");
        Path root = Files.createDirectories(folder.resolve("mount-" + micros));
        List<String> log = new CopyOnWriteArrayList<>();
        FuseMountOptions options = FuseMountOptions.builder("bounded")
                .cpuLatencyMicros(micros)
                .log(log::add)
                .build();
        try (Lwkt lwkt = Lwkt.dedicated(2);
                var mount = new KernelTransport().mount(lwkt, root, new MemoryOperations(true), options)) {
            assertEquals(root.toRealPath(), mount.mountPoint().toRealPath());
            return boundsAround(root);
        } finally {
            Shell.unmountByForce(root);
            assertEquals(List.of(), log);
        }
    }

    @Test
    void processors_are_to_wake_at_once_while_a_client_asks_quickly_and_not_longer() throws IOException {
        List<Integer> bounds = boundsAround(BOUND_MICROS);
        assumeTrue(bounds.get(0) > BOUND_MICROS, "somebody else on this machine bounds it by " + bounds.get(0));
        assertEquals(BOUND_MICROS, bounds.get(1));
        assertTrue(bounds.get(2) > BOUND_MICROS, "still bounded by " + bounds.get(2));
    }

    /** The control of the one above. */
    @Test
    void without_the_option_nobody_bounds_anything() throws IOException {
        List<Integer> bounds = boundsAround(FuseMountOptions.CPU_LATENCY_ANY);
        assertTrue(bounds.get(1) > BOUND_MICROS || bounds.get(0) <= BOUND_MICROS, "bounded by " + bounds.get(1));
    }
}
