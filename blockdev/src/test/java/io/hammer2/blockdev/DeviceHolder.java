package io.hammer2.blockdev;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Another process that has a device open, until it is closed or killed. */
final class DeviceHolder implements AutoCloseable {
    private final Process process;
    private final String said;

    private DeviceHolder(Process process, String said) {
        this.process = process;
        this.said = said;
    }

    /** Starts a JVM that opens the device and has done so, or failed to, when this returns. */
    static DeviceHolder start(Path path, OpenMode mode) throws IOException {
        String java = ProcessHandle.current().info().command().orElseThrow();
        Process process = new ProcessBuilder(
                        java,
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx64m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        DeviceHolder.class.getName(),
                        path.toString(),
                        mode.name())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        // Not closed: the process lives as long as it can read from us.
        BufferedReader output = process.inputReader(StandardCharsets.UTF_8);
        return new DeviceHolder(process, output.readLine());
    }

    /** In the other process. */
    public static void main(String[] arguments) throws IOException {
        try (BlockDevice device = BlockDevices.open(Path.of(arguments[0]), OpenMode.valueOf(arguments[1]))) {
            System.out.println("open " + device.sizeBytes());
            System.in.transferTo(OutputStream.nullOutputStream());
        } catch (DeviceBusyException e) {
            System.out.println("busy " + e.getMessage());
        }
    }

    long pid() {
        return process.pid();
    }

    /** "open" and the size, or "busy" and why. */
    String said() {
        return said;
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }

    @Override
    public void close() throws IOException {
        try {
            process.getOutputStream().close();
            process.onExit().orTimeout(30, TimeUnit.SECONDS).join();
        } finally {
            process.destroyForcibly();
        }
    }
}
