package io.hammer2.blockdev;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Finds out, for a message, who has a device open. Asks Linux's /proc and /sys; knows nothing elsewhere, and never fails:
 * what cannot be read is left out.
 */
final class DeviceHolders {
    private static final Path PROC = Path.of("/proc");
    private static final Path SYS_DEVICES = Path.of("/sys/dev/block");
    private static final String UNKNOWN = "another process";
    private static final int NAMED_MAX = 4;

    private DeviceHolders() {}

    /** Who holds a flock(2) on the file; a noun for "in use by". */
    static String ofLock(Path path) {
        try {
            long device = (Long) Files.getAttribute(path, "unix:dev");
            long inode = (Long) Files.getAttribute(path, "unix:ino");
            String key = "%02x:%02x:%d".formatted(major(device), minor(device), inode);
            Set<String> holders = new TreeSet<>();
            for (String line : Files.readAllLines(PROC.resolve("locks"))) {
                // 1: FLOCK  ADVISORY  WRITE 1234 fd:00:5678 0 EOF; a waiter has "->" in the second place.
                String[] word = line.trim().split("\\s+", -1);
                if (word.length > 5 && word[1].equals("FLOCK") && word[5].equals(key)) {
                    holders.add(process(word[4]));
                }
            }
            return named(holders);
        } catch (IOException | RuntimeException e) {
            return UNKNOWN;
        }
    }

    /** Who claims the block device: a mount, swap, another device on top of it, or a process that has it open. */
    static String ofClaim(Path path) {
        try {
            long device = (Long) Files.getAttribute(path, "unix:rdev");
            Set<String> holders = new TreeSet<>();
            // A disk is also claimed through its partitions.
            List<Path> nodes = new ArrayList<>();
            Path self = SYS_DEVICES.resolve(major(device) + ":" + minor(device));
            nodes.add(self);
            children(self).stream()
                    .filter(child -> Files.exists(child.resolve("partition")))
                    .forEach(nodes::add);
            for (Path node : nodes) {
                addUses(node, holders);
            }
            if (holders.isEmpty()) {
                addOpeners(device, holders);
            }
            return named(holders);
        } catch (IOException | RuntimeException e) {
            return UNKNOWN;
        }
    }

    private static void addUses(Path node, Set<String> holders) throws IOException {
        String numbers = Files.readString(node.resolve("dev")).trim();
        for (String line : Files.readAllLines(PROC.resolve("self/mountinfo"))) {
            // 36 35 98:0 /root /mount/point options - type source superoptions
            String[] word = line.split(" ", -1);
            if (word.length > 4 && word[2].equals(numbers)) {
                holders.add("the mount on " + word[4]);
            }
        }
        for (Path holder : children(node.resolve("holders"))) {
            holders.add("the device " + holder.getFileName());
        }
        String name = node.toRealPath().getFileName().toString();
        for (String line : Files.readAllLines(PROC.resolve("swaps"))) {
            if (line.startsWith("/dev/" + name + " ") || line.startsWith("/dev/" + name + "\t")) {
                holders.add("the system as swap space");
            }
        }
    }

    private static void addOpeners(long device, Set<String> holders) {
        for (Path process : children(PROC)) {
            String pid = process.getFileName().toString();
            if (!Character.isDigit(pid.charAt(0))) {
                continue;
            }
            if (children(process.resolve("fd")).stream().anyMatch(fd -> isOpenOf(fd, device))) {
                holders.add(process(pid));
            }
        }
    }

    /** Follows only names below /dev: looking at other open files could wait for a dead server. */
    private static boolean isOpenOf(Path fd, long device) {
        try {
            Path target = Files.readSymbolicLink(fd);
            return target.startsWith("/dev") && (Long) Files.getAttribute(target, "unix:rdev") == device;
        } catch (IOException | RuntimeException e) {
            return false;
        }
    }

    private static String process(String pid) {
        if (pid.equals(Long.toString(ProcessHandle.current().pid()))) {
            return "this process";
        }
        try {
            return "process " + pid + " ("
                    + Files.readString(PROC.resolve(pid).resolve("comm"), StandardCharsets.ISO_8859_1)
                            .trim() + ")";
        } catch (IOException e) {
            return "process " + pid;
        }
    }

    private static String named(Set<String> holders) {
        if (holders.isEmpty()) {
            return UNKNOWN;
        }
        String named = String.join(", ", holders.stream().limit(NAMED_MAX).toList());
        return holders.size() > NAMED_MAX ? named + " and others" : named;
    }

    private static List<Path> children(Path directory) {
        List<Path> children = new ArrayList<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(directory)) {
            stream.forEach(children::add);
        } catch (IOException | RuntimeException e) {
            return children;
        }
        return children;
    }

    // The encoding of a dev_t in Linux's C libraries.
    private static long major(long device) {
        return ((device >>> 8) & 0xfff) | ((device >>> 32) & ~0xfffL);
    }

    private static long minor(long device) {
        return (device & 0xff) | ((device >>> 12) & ~0xffL);
    }
}
