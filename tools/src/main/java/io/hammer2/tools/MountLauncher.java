package io.hammer2.tools;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The process that waits until the one that stays has mounted. It reads no arguments: two JVMs start one after the other. */
final class MountLauncher {
    /** JVM flags of the process that stays, separated by blanks; the launcher script knows them. */
    private static final String FLAGS_PROPERTY = "hammer2.daemonFlags";

    /** Name by which the launcher script was called. */
    private static final String INVOKED_PROPERTY = "hammer2.invoked";

    private MountLauncher() {}

    /** Whether this process itself is to mount, or only to print something. */
    static boolean isToStay(String... arguments) {
        if (Boolean.getBoolean(MountCommand.BACKGROUND)) {
            return true;
        }
        for (String argument : arguments) {
            switch (argument) {
                case "--foreground", "-h", "--help", "-V", "--version" -> {
                    return true;
                }
                case "-f" -> {
                    return !isHelper();
                }
                default -> {}
            }
        }
        return arguments.length < 2;
    }

    /** @return the exit code */
    static int launch(String... arguments) {
        if (isHelper() && List.of(arguments).contains("-f")) {
            // mount -f: everything but the mounting.
            return 0;
        }
        try {
            return startAndWait(arguments);
        } catch (IOException e) {
            System.err.println("mount_hammer2: cannot start the process that serves the mount: " + e.getMessage());
            return MountCommand.EXIT_FAILURE;
        }
    }

    /** As mount.fuse.hammer2 or mount.hammer2 we are called by mount(8), whose -f means something else than ours. */
    private static boolean isHelper() {
        return System.getProperty(INVOKED_PROPERTY, "").startsWith("mount.");
    }

    private static int startAndWait(String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        for (String flag : System.getProperty(FLAGS_PROPERTY, "").split(" ", -1)) {
            if (!flag.isEmpty()) {
                command.add(flag);
            }
        }
        command.add("-D" + MountCommand.BACKGROUND + "=true");
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), MountCommand.class.getName()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                .start();
        // Who interrupts us while we wait does not want the mount.
        Thread killer = new Thread(process::destroy, "mount-interrupted");
        Runtime.getRuntime().addShutdownHook(killer);
        int status = relay(process);
        try {
            Runtime.getRuntime().removeShutdownHook(killer);
        } catch (IllegalStateException e) {
            // We are being interrupted just now.
        }
        return status;
    }

    /** Passes on what the process says, until it says that the mount can be used or ends. */
    private static int relay(Process process) throws IOException {
        PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
        BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
        for (String line = said.readLine(); line != null; line = said.readLine()) {
            if (line.startsWith(MountCommand.READY)) {
                String logFile = line.substring(MountCommand.READY.length());
                // mount(8), mount -a and what else calls helpers say nothing where all is well.
                if (!logFile.isEmpty() && !isHelper()) {
                    err.println("mount_hammer2: mounted; errors are logged in " + logFile);
                }
                return 0;
            }
            err.println(line);
        }
        try {
            int status = process.waitFor();
            return status == 0 ? 0 : MountCommand.EXIT_FAILURE;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return MountCommand.EXIT_FAILURE;
        }
    }
}
