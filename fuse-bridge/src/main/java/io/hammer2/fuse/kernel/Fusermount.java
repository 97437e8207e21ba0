package io.hammer2.fuse.kernel;

import io.hammer2.fuse.FuseMountOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The set-user-id program of the fuse3 package, through which an ordinary user mounts. It hands the opened /dev/fuse back over a
 * socket whose number it is told in the environment ({@code _FUSE_COMMFD}); ProcessBuilder closes such a descriptor, so the
 * program is started by posix_spawn.
 */
final class Fusermount {
    private static final String PROGRAM = "fusermount3";

    private Fusermount() {}

    /** Mounts. @return the descriptor of the connection */
    static int mount(String mountPoint, FuseMountOptions options) throws IOException {
        int[] sockets = socketPair();
        try {
            Libc.closeOnExec(sockets[0]);
            List<String> argv = List.of(PROGRAM, "-o", mountOptions(options), "--", mountPoint);
            List<String> environment = new ArrayList<>();
            for (Map.Entry<String, String> variable : System.getenv().entrySet()) {
                environment.add(variable.getKey() + "=" + variable.getValue());
            }
            environment.add("_FUSE_COMMFD=" + sockets[1]);
            int pid = Libc.spawn(argv, environment);
            Libc.close(sockets[1]);
            sockets[1] = -1;
            if (pid < 0) {
                throw missing(pid);
            }
            int fd = Libc.receiveDescriptor(sockets[0]);
            int status = Libc.waitFor(pid);
            if (fd < 0) {
                throw new IOException("cannot mount at " + mountPoint + ": " + PROGRAM + " refused"
                        + ((status & 0xff00) == 0x7f00 ? " (it could not be started)" : "")
                        + ", its message is above");
            }
            return fd;
        } finally {
            Libc.close(sockets[0]);
            if (sockets[1] >= 0) {
                Libc.close(sockets[1]);
            }
        }
    }

    private static IOException missing(int error) {
        return new IOException("mounting without being root needs " + PROGRAM
                + " (Debian package fuse3), which cannot be started: " + Libc.describe(error));
    }

    private static int[] socketPair() throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pair = arena.allocate(8, 4);
            int result = Libc.socketPair(Libc.SOCK_STREAM, pair);
            if (result < 0) {
                throw new IOException("no socket for " + PROGRAM + ": " + Libc.describe(result));
            }
            return new int[] {pair.get(ValueLayout.JAVA_INT, 0), pair.get(ValueLayout.JAVA_INT, 4)};
        }
    }

    static String mountOptions(FuseMountOptions options) {
        StringBuilder words = new StringBuilder(options.readOnly() ? "ro" : "rw");
        words.append(options.suid() ? ",suid" : ",nosuid");
        words.append(options.devices() ? ",dev" : ",nodev");
        words.append(options.exec() ? ",exec" : ",noexec");
        if (options.allowOther()) {
            words.append(",allow_other");
        }
        if (options.defaultPermissions()) {
            words.append(",default_permissions");
        }
        words.append(",max_read=").append(options.readBytesMax());
        words.append(",subtype=").append(escape(options.subtype()));
        words.append(",fsname=").append(escape(options.source()));
        return words.toString();
    }

    private static String escape(String value) {
        return value.replace("\\", "\\\\").replace(",", "\\,");
    }

    /** @param lazily also when it is in use: it leaves the tree at once, and ends with its last user */
    static void unmount(String mountPoint, boolean lazily) throws IOException {
        List<String> argv = new ArrayList<>(List.of(PROGRAM, "-u", "-q"));
        if (lazily) {
            argv.add("-z");
        }
        argv.addAll(List.of("--", mountPoint));
        List<String> environment = new ArrayList<>();
        System.getenv().forEach((name, value) -> environment.add(name + "=" + value));
        int pid = Libc.spawn(argv, environment);
        if (pid < 0) {
            throw missing(pid);
        }
        if (Libc.waitFor(pid) != 0) {
            throw new IOException(
                    "cannot unmount " + mountPoint + ": " + PROGRAM + " -u refused, perhaps because it is in use");
        }
    }
}
