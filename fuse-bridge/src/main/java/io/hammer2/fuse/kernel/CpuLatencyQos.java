package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMountOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A request to Linux that no idle processor takes longer than so many microseconds to wake: the PM QoS interface {@code /dev/cpu_dma_latency}
 * (Documentation/power/pm_qos_interface.rst). The kernel goes by the strictest of all such requests, and drops one with its descriptor, so
 * also when the process is killed. Usually only root may make one.
 */
final class CpuLatencyQos implements PromptWaking.Request {
    /** No bound; PM_QOS_CPU_LATENCY_DEFAULT_VALUE of {@code include/linux/pm_qos.h}. */
    private static final int ANY_MICROS = 2_000_000_000;

    /**
     * A guest's processor that is not to halt has to poll, and all idle ones do while the bound is in force. On a larger guest that costs
     * its host more than waking costs one mount.
     */
    static final int POLLING_PROCESSORS_MAX = 8;

    private static final Path PROCESSORS = Path.of("/sys/devices/system/cpu");
    private static final String DEVICE = "/dev/cpu_dma_latency";

    /** Stands for no bound until the first value. */
    private final int fd;

    private final int micros;
    private final MemorySegment errno = Arena.ofAuto().allocate(Libc.ERRNO_BYTES, 8);
    private final MemorySegment value = Arena.ofAuto().allocate(ValueLayout.JAVA_INT);

    private CpuLatencyQos(int fd, int micros) {
        this.fd = fd;
        this.micros = micros;
    }

    /**
     * @param wantedMicros a bound, or one of the words of {@link FuseMountOptions#cpuLatencyMicros}
     * @return a request that bounds nothing yet; one that never does where there is nothing to bound, or where that is not permitted
     */
    static PromptWaking.Request open(int wantedMicros) {
        int micros = wantedMicros == FuseMountOptions.CPU_LATENCY_AUTO
                ? lightestMicros(PROCESSORS, Runtime.getRuntime().availableProcessors())
                : wantedMicros;
        if (micros == FuseMountOptions.CPU_LATENCY_ANY) {
            return PromptWaking.Request.NONE;
        }
        int fd = Libc.open(DEVICE, Libc.O_RDWR | Libc.O_CLOEXEC);
        if (fd < 0) {
            return PromptWaking.Request.NONE;
        }
        return new CpuLatencyQos(fd, micros);
    }

    /** Whether this process may bound it at all. */
    static boolean isPermitted() {
        return Files.isWritable(Path.of(DEVICE));
    }

    /**
     * The bound that leaves processors the lightest sleep that they have, from which they wake without an interrupt or nearly at once. To a
     * guest ({@code haltpoll}) any halt is a call to its host and dear, so that it is polling alone.
     *
     * @param processors {@code /sys/devices/system/cpu}
     * @return microseconds, or {@link FuseMountOptions#CPU_LATENCY_ANY} where a bound would not help or would cost too much
     */
    static int lightestMicros(Path processors, int count) {
        try {
            String driver = text(processors.resolve("cpuidle/current_driver"));
            if (driver.equals("haltpoll")) {
                return count <= POLLING_PROCESSORS_MAX ? 0 : FuseMountOptions.CPU_LATENCY_ANY;
            }
            int micros = Integer.parseInt(text(processors.resolve("cpu0/cpuidle/state1/latency")));
            return micros >= 0 ? micros : FuseMountOptions.CPU_LATENCY_ANY;
        } catch (IOException | NumberFormatException e) {
            return FuseMountOptions.CPU_LATENCY_ANY; // no driver: its processors have one way to sleep
        }
    }

    private static String text(Path file) throws IOException {
        return Files.readString(file).strip();
    }

    @Override
    public void hold() {
        set(micros);
    }

    @Override
    public void release() {
        set(ANY_MICROS);
    }

    private void set(int bound) {
        value.set(ValueLayout.JAVA_INT, 0, bound);
        long ignored = Libc.write(errno, fd, value, ValueLayout.JAVA_INT.byteSize());
    }

    @Override
    public void close() {
        Libc.close(fd);
    }
}
