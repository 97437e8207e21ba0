package io.hammer2.tools;

import io.hammer2.fs.FileSystem;
import io.hammer2.fs.MountOptions;
import io.hammer2.fuse.FuseMountOptions;
import io.hammer2.fuse.FuseOperations;
import io.hammer2.fuse.bridge.FuseBridge;
import io.hammer2.fuse.bridge.SnapshotDirectory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;

/**
 * The words of {@code mount -o}. Ours are read, those that every file system gets and that mean nothing here are passed over,
 * and the rest is refused, because a word that is misspelt and passed over would be worse.
 */
final class MountWords {
    /** What a message lists. */
    static final String KNOWN =
            "ro, rw, allow_other, default_permissions, noatime, relatime, strictatime, transport=kernel|jnr,"
                    + " cache=SIZE, cpus=N, log=FILE, snapdir=hidden|visible|off, sync_interval=SECONDS, dirty=SIZE, dedup=on|off,"
                    + " attr_timeout=SECONDS, entry_timeout=SECONDS, negative_timeout=SECONDS, max_read=BYTES,"
                    + " max_readahead=BYTES, cpu_latency=auto|off|MICROSECONDS, [no]dev, [no]suid, [no]exec";

    private static final Set<String> IGNORED = Set.of(
            "defaults",
            "auto",
            "noauto",
            "user",
            "nouser",
            "users",
            "owner",
            "group",
            "nofail",
            "_netdev",
            "async",
            "sync",
            "dirsync",
            "atime",
            "diratime",
            "nodiratime",
            "norelatime",
            "nostrictatime",
            "lazytime",
            "nolazytime",
            "mand",
            "nomand",
            "silent",
            "loud",
            "loop",
            "fail",
            "iversion",
            "noiversion",
            "nosymfollow",
            "symfollow",
            "fsname",
            "comment");

    private static final String SNAPDIR_HIDDEN = "hidden";
    private static final String SNAPDIR_VISIBLE = "visible";
    private static final String SNAPDIR_OFF = "off";
    private static final int CPUS_MAX = 64;
    private static final long NANOS_PER_SECOND = 1_000_000_000L;
    private static final int SYNC_INTERVAL_SECONDS_MAX = 86_400;

    private final List<String> forFuse = new ArrayList<>();
    private final Set<String> given = new HashSet<>();
    private boolean writable = true;
    private boolean allowOther;
    private String transport =
            System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux") ? "kernel" : "jnr";
    private long cacheBytes = MountOptions.CACHE_BYTES_DEFAULT;
    private long dirtyBytes = MountOptions.DIRTY_BYTES_DEFAULT;
    private long syncIntervalNanos = MountOptions.SYNC_INTERVAL_NANOS_DEFAULT;
    private MountOptions.Atime atime = MountOptions.Atime.NEVER;
    private boolean dedup = true;
    private int cpus = Math.min(Runtime.getRuntime().availableProcessors(), 16);
    private String logFile;
    private String snapdir = SNAPDIR_HIDDEN;

    private MountWords() {}

    /** @throws ToolException for a word that is unknown or has no good value */
    static MountWords of(List<String> lists) {
        MountWords words = new MountWords();
        for (String list : lists) {
            for (String word : list.split(",", -1)) {
                if (!word.isEmpty()) {
                    words.take(word);
                }
            }
        }
        // Tells a bad value now, and not after the volume was opened.
        words.fuse("check", System.err::println);
        return words;
    }

    private void take(String word) {
        int equals = word.indexOf('=');
        String key = equals < 0 ? word : word.substring(0, equals);
        String value = equals < 0 ? null : word.substring(equals + 1);
        given.add(key);
        switch (key) {
            case "ro" -> writable = false;
            case "rw" -> writable = true;
            case "noatime" -> atime = MountOptions.Atime.NEVER;
            case "relatime" -> atime = MountOptions.Atime.RELATIVE;
            case "strictatime" -> atime = MountOptions.Atime.ALWAYS;
            case "transport" -> transport = transport(value);
            case "cache" -> cacheBytes = size(word, value, MountOptions.CACHE_BYTES_MIN, "the cache of a cpu");
            case "dirty" -> dirtyBytes = size(word, value, MountOptions.DIRTY_BYTES_MIN, "what waits for a commit");
            case "dedup" -> dedup = isOn(word, value);
            case "cpus" -> cpus = (int) number(word, value, 1, CPUS_MAX);
            case "snapdir" -> snapdir = snapdir(value);
            case "log" -> logFile = required(word, value);
            case "sync_interval" ->
                syncIntervalNanos = number(word, value, 1, SYNC_INTERVAL_SECONDS_MAX) * NANOS_PER_SECOND;
            default -> {
                if (IGNORED.contains(key) || key.startsWith("x-") || key.startsWith("X-")) {
                    return;
                }
                allowOther |= key.equals("allow_other");
                forFuse.add(word);
            }
        }
    }

    private static boolean isOn(String word, String value) {
        return switch (required(word, value)) {
            case "on" -> true;
            case "off" -> false;
            default -> throw new ToolException("mount option " + word + ": write dedup=on or dedup=off");
        };
    }

    /** Unless {@code ro} was the last word on it. */
    boolean writable() {
        return writable;
    }

    /** How the volume is opened. */
    MountOptions volume(java.util.function.Consumer<String> log) {
        return new MountOptions(!writable, cacheBytes, dirtyBytes, syncIntervalNanos, atime, dedup, log);
    }

    /** The operations of a mounted PFS, with the directory of its snapshots if that is wanted. */
    FuseOperations operations(FileSystem files) {
        return snapdir.equals(SNAPDIR_OFF)
                ? FuseBridge.of(files, Daemon.uid(), !writable)
                : SnapshotDirectory.of(files, Daemon.uid(), !writable, snapdir.equals(SNAPDIR_VISIBLE));
    }

    /** {@code kernel} or {@code jnr}. */
    String transport() {
        return transport;
    }

    int cpus() {
        return cpus;
    }

    /** Absolute or relative path, null unless given. */
    String logFile() {
        return logFile;
    }

    /** Those of the words given here that are the whole volume's and mean something else than {@code others}. */
    List<String> volumeWordsThatDifferFrom(MountWords others) {
        List<String> differing = new ArrayList<>();
        note("cache", cacheBytes, others.cacheBytes, differing);
        note("dirty", dirtyBytes, others.dirtyBytes, differing);
        note("sync_interval", syncIntervalNanos, others.syncIntervalNanos, differing);
        note("cpus", cpus, others.cpus, differing);
        note("log", logFile, others.logFile, differing);
        for (String rule : List.of("noatime", "relatime", "strictatime")) {
            note(rule, atime, others.atime, differing);
        }
        return differing;
    }

    private void note(String key, Object mine, Object other, List<String> differing) {
        if (given.contains(key) && !Objects.equals(mine, other)) {
            differing.add(key);
        }
    }

    /** What the transport is told. */
    FuseMountOptions fuse(String source, java.util.function.Consumer<String> log) {
        FuseMountOptions.Builder builder = FuseMountOptions.builder(source).log(log);
        // Who lets others in wants them checked: without this word the kernel asks for no permission at all.
        builder.defaultPermissions(allowOther);
        try {
            for (String word : forFuse) {
                if (!builder.option(word)) {
                    throw new ToolException("unknown mount option '" + word + "'; known are: " + KNOWN);
                }
            }
            return builder.readOnly(!writable).build();
        } catch (IllegalArgumentException e) {
            throw new ToolException(e.getMessage(), e);
        }
    }

    private static String transport(String value) {
        if (!"kernel".equals(value) && !"jnr".equals(value)) {
            throw new ToolException("transport is kernel or jnr, not '" + value + "'");
        }
        return value;
    }

    private static String snapdir(String value) {
        if (!List.of(SNAPDIR_HIDDEN, SNAPDIR_VISIBLE, SNAPDIR_OFF).contains(String.valueOf(value))) {
            throw new ToolException("snapdir is hidden, visible or off, not '" + value + "'");
        }
        return value;
    }

    private static long size(String word, String value, long min, String what) {
        long bytes;
        try {
            bytes = Size.parse(required(word, value));
        } catch (picocli.CommandLine.TypeConversionException e) {
            throw new ToolException(word + ": " + e.getMessage(), e);
        }
        if (bytes < min) {
            throw new ToolException(word + ": " + what + " needs at least " + Size.text(min));
        }
        return bytes;
    }

    private static long number(String word, String value, long min, long max) {
        try {
            long number = Long.parseLong(required(word, value));
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            // Told below.
        }
        throw new ToolException(word + ": a number from " + min + " to " + max + " is wanted");
    }

    private static String required(String word, String value) {
        if (value == null || value.isEmpty()) {
            throw new ToolException("the mount option '" + word + "' needs a value");
        }
        return value;
    }
}
