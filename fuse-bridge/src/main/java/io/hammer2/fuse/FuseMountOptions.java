package io.hammer2.fuse;

import java.time.Duration;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * How a file system is mounted. Made by {@link #builder}.
 *
 * @param source what /proc/mounts shows as the source, {@code IMAGE@LABEL}
 * @param subtype after {@code fuse.} in the type
 * @param readOnly the host refuses every modification itself, with EROFS
 * @param allowOther users other than the one who mounts may enter
 * @param defaultPermissions the kernel checks permissions by mode and owner; always on a mount that can be written
 * @param suid set-id bits count
 * @param devices device nodes work
 * @param exec programs can be started
 * @param attributeValid how long the kernel may show attributes without asking
 * @param entryValid how long the kernel may find a name without asking
 * @param negativeValid how long the kernel may answer "no such name" without asking; zero: never
 * @param readBytesMax the largest single read
 * @param readAheadBytes how far the kernel reads ahead of a sequential reader; more than 128 KiB takes effect only for root
 * @param cpuLatencyMicros while requests come in quick succession, no idle processor is to take longer to wake, where the kernel can be asked for
 *     that: microseconds, {@link #CPU_LATENCY_AUTO} or {@link #CPU_LATENCY_ANY}
 * @param keepCache cached file and directory contents stay valid after a close
 * @param log one line for each thing an administrator should know
 */
public record FuseMountOptions(
        String source,
        String subtype,
        boolean readOnly,
        boolean allowOther,
        boolean defaultPermissions,
        boolean suid,
        boolean devices,
        boolean exec,
        Duration attributeValid,
        Duration entryValid,
        Duration negativeValid,
        int readBytesMax,
        int readAheadBytes,
        int cpuLatencyMicros,
        boolean keepCache,
        Consumer<String> log) {

    /** The largest read a kernel can be told to send (256 pages). */
    public static final int READ_BYTES_LIMIT = 1 << 20;

    /** Whatever lets processors of this machine sleep most lightly. */
    public static final int CPU_LATENCY_AUTO = -1;

    /** However long it takes. */
    public static final int CPU_LATENCY_ANY = Integer.MAX_VALUE;

    /** A promise for ever, as far as a kernel's clock reckons: a mount that nobody else changes. */
    public static final Duration FOREVER = Duration.ofDays(365);

    public FuseMountOptions {
        Objects.requireNonNull(log);
        if (source.isEmpty() || source.indexOf('\0') >= 0 || source.length() > 2048) {
            throw new IllegalArgumentException("a mount's source has 1 to 2,048 characters: " + source.length());
        }
        if (readBytesMax < 4096 || readBytesMax > READ_BYTES_LIMIT || readBytesMax % 4096 != 0) {
            throw new IllegalArgumentException(
                    "max_read must be a multiple of 4096 up to " + READ_BYTES_LIMIT + ": " + readBytesMax);
        }
        if (readAheadBytes < 0) {
            throw new IllegalArgumentException("a negative read-ahead: " + readAheadBytes);
        }
        if (cpuLatencyMicros < CPU_LATENCY_AUTO) {
            throw new IllegalArgumentException("a negative cpu_latency: " + cpuLatencyMicros);
        }
        if (attributeValid.isNegative() || entryValid.isNegative() || negativeValid.isNegative()) {
            throw new IllegalArgumentException("a negative time-out");
        }
    }

    /** A read-only mount of what nobody else changes: the kernel may cache for ever, and permissions are checked. */
    public static Builder builder(String source) {
        return new Builder(source);
    }

    /** Collects options, also as words of {@code -o}. */
    public static final class Builder {
        private final String source;
        private String subtype = "hammer2";
        private boolean readOnly = true;
        private boolean allowOther;
        private boolean defaultPermissions;
        private boolean suid;
        private boolean devices;
        private boolean exec = true;
        private Duration attributeValid = FOREVER;
        private Duration entryValid = FOREVER;
        private Duration negativeValid = FOREVER;
        private int readBytesMax = READ_BYTES_LIMIT;
        private int readAheadBytes = 4 << 20;
        private int cpuLatencyMicros = CPU_LATENCY_AUTO;
        private boolean keepCache = true;
        private Consumer<String> log = System.err::println;

        private Builder(String source) {
            this.source = source;
        }

        public Builder subtype(String name) {
            this.subtype = name;
            return this;
        }

        public Builder readOnly(boolean on) {
            this.readOnly = on;
            return this;
        }

        public Builder allowOther(boolean on) {
            this.allowOther = on;
            return this;
        }

        public Builder defaultPermissions(boolean on) {
            this.defaultPermissions = on;
            return this;
        }

        /** Both for ever by default; zero makes the kernel ask each time. */
        public Builder valid(Duration attributes, Duration entries, Duration negativeEntries) {
            this.attributeValid = attributes;
            this.entryValid = entries;
            this.negativeValid = negativeEntries;
            return this;
        }

        public Builder readAheadBytes(int bytes) {
            this.readAheadBytes = bytes;
            return this;
        }

        public Builder readBytesMax(int bytes) {
            this.readBytesMax = bytes;
            return this;
        }

        /** {@link #CPU_LATENCY_AUTO} by default. */
        public Builder cpuLatencyMicros(int micros) {
            this.cpuLatencyMicros = micros;
            return this;
        }

        public Builder keepCache(boolean on) {
            this.keepCache = on;
            return this;
        }

        public Builder log(Consumer<String> sink) {
            this.log = sink;
            return this;
        }

        /**
         * Takes one word of {@code -o}.
         *
         * @return false when the word is none of a FUSE mount's
         * @throws IllegalArgumentException when its value is wrong
         */
        public boolean option(String word) {
            int equals = word.indexOf('=');
            return equals < 0 ? flag(word) : setting(word.substring(0, equals), word.substring(equals + 1));
        }

        private boolean flag(String word) {
            switch (word) {
                case "ro" -> readOnly = true;
                case "rw" -> readOnly = false;
                case "allow_other" -> allowOther = true;
                case "default_permissions" -> defaultPermissions = true;
                case "suid" -> suid = true;
                case "nosuid" -> suid = false;
                case "dev" -> devices = true;
                case "nodev" -> devices = false;
                case "exec" -> exec = true;
                case "noexec" -> exec = false;
                case "kernel_cache" -> keepCache = true;
                default -> {
                    return false;
                }
            }
            return true;
        }

        private boolean setting(String key, String value) {
            switch (key) {
                case "attr_timeout" -> attributeValid = seconds(key, value);
                case "entry_timeout" -> entryValid = seconds(key, value);
                case "negative_timeout" -> negativeValid = seconds(key, value);
                case "max_read" -> readBytesMax = bytes(key, value);
                case "max_readahead" -> readAheadBytes = bytes(key, value);
                case "cpu_latency" -> cpuLatencyMicros = latency(key, value);
                case "subtype" -> subtype = value;
                default -> {
                    return false;
                }
            }
            return true;
        }

        private static Duration seconds(String key, String value) {
            try {
                double seconds = Double.parseDouble(value);
                if (seconds >= 0) {
                    return Duration.ofMillis((long) Math.min(seconds * 1000, (double) FOREVER.toMillis()));
                }
            } catch (NumberFormatException e) {
                // told below
            }
            throw new IllegalArgumentException(key + " must be a number of seconds, not \"" + value + "\"");
        }

        private static int latency(String key, String value) {
            return switch (value) {
                case "auto" -> CPU_LATENCY_AUTO;
                case "off" -> CPU_LATENCY_ANY;
                default -> number(key, value, "auto, off or a number of microseconds");
            };
        }

        private static int bytes(String key, String value) {
            return number(key, value, "a number of bytes");
        }

        private static int number(String key, String value, String wanted) {
            try {
                int number = Integer.parseInt(value);
                if (number >= 0) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // told below
            }
            throw new IllegalArgumentException(key + " must be " + wanted + ", not \"" + value + "\"");
        }

        public FuseMountOptions build() {
            return new FuseMountOptions(
                    source,
                    subtype,
                    readOnly,
                    allowOther,
                    // Nobody else checks who may change what.
                    defaultPermissions || !readOnly,
                    suid,
                    devices,
                    exec,
                    attributeValid,
                    entryValid,
                    negativeValid,
                    readBytesMax,
                    readAheadBytes,
                    cpuLatencyMicros,
                    keepCache,
                    log);
        }
    }
}
