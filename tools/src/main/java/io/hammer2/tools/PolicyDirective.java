package io.hammer2.tools;

import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code setcomp}, {@code setcheck} and its short forms: how data is stored that is written from now on to files, and to what is created in
 * directories. What is there already stays as it is.
 */
abstract class PolicyDirective extends Directive {
    private static final String PATHS = "Files and directories of mounted file systems.";

    @Spec
    private CommandSpec spec;

    /** What was set where, as the output names it. */
    abstract String what();

    /** What is set, as the command takes it. */
    abstract String value();

    abstract void set(InodeIoctls inode);

    private boolean anySet;

    /** Whether anything was set, anywhere. */
    final boolean isAnySet() {
        return anySet;
    }

    abstract List<String> paths();

    @Override
    void run() {
        JsonWriter json = parent().isJson() ? json().beginArray() : null;
        for (String path : paths()) {
            long[] done = {0};
            try {
                requireMounted(path);
                Below.walk(Path.of(path), parent().isRecursive(), each -> done[0] += set(each) ? 1 : 0, this::damage);
            } catch (ToolException e) {
                damage(e.getMessage());
            }
            if (done[0] > 0) {
                anySet = true;
                told(json, path, done[0]);
            }
        }
        if (json != null) {
            json.endArray();
        }
    }

    private void requireMounted(String path) {
        if (!Files.exists(Path.of(path))) {
            throw new ToolException(path + ": no such file");
        }
        if (Target.of(path) instanceof Target.Devices) {
            throw new ToolException(path + ": not on a mounted HAMMER2 file system; mount it (mount_hammer2 " + path
                    + " DIRECTORY) and name a file or directory of it");
        }
    }

    private boolean set(Path path) {
        try (MountedFile file = MountedFile.open(path)) {
            set(new InodeIoctls(file));
            if (parent().verbosity() > 0 && !parent().isJson()) {
                out().println(path + "\t" + what() + " " + value());
            }
            return true;
        } catch (ToolException e) {
            damage(e.getMessage());
            return false;
        }
    }

    private void told(JsonWriter json, String path, long count) {
        if (json != null) {
            json.beginObject()
                    .member("path", path)
                    .member(what(), value())
                    .member("inodes", count)
                    .endObject();
        } else if (!parent().isQuiet() && parent().verbosity() == 0) {
            out().println(path + "\t" + what() + " " + value()
                    + (parent().isRecursive() ? " (inodes: " + count + ")" : ""));
        }
    }

    final ParameterException wrong(String text) {
        return new ParameterException(spec.commandLine(), text);
    }

    /** {@code setcomp}. */
    @Command(
            name = "setcomp",
            description = {
                "Sets how new data is compressed: in files, and in what is created in directories.",
                "MODE is none, autozero (holes for zeros, nothing else), lz4 (what is usual), zlib with a level of 6 to 9, zlib:9 for"
                        + " instance, or zstd with a level of 1 to 15. With -r also in everything below that is there.",
                "zstd is an extension: DragonFly cannot read files that are stored so. setcomp lz4 and recompress bring them back."
            })
    static final class Compress extends PolicyDirective {
        @Parameters(
                index = "0",
                paramLabel = "MODE[:LEVEL]",
                description = "none, autozero, lz4, zlib[:6..9], zstd[:1..15].")
        private String mode;

        @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATH", description = PATHS)
        private List<String> paths;

        private int compAlgo;

        @Override
        void run() {
            compAlgo = parse(mode);
            super.run();
            if (isAnySet() && (compAlgo & 0xF) == Compression.ZSTD.code()) {
                tell("zstd is an extension: " + ExtensionText.ZSTD
                        + ". To bring them back: hammer2 setcomp -r lz4 PATH, then hammer2 recompress -r PATH");
            }
        }

        /** {@code comp_algo} of what the user wrote. */
        private int parse(String text) {
            int colon = text.indexOf(':');
            String name = colon < 0 ? text : text.substring(0, colon);
            String level = colon < 0 ? "default" : text.substring(colon + 1);
            for (Compression method : Compression.values()) {
                if (method.name().toLowerCase(Locale.ROOT).equals(name)) {
                    return levelOf(method, level) << 4 | method.code();
                }
            }
            throw wrong("'" + text + "' is no compression: none, autozero, lz4, zlib[:6..9], zstd[:1..15]");
        }

        private int levelOf(Compression method, String text) {
            if (text.equals("default")) {
                return 0;
            }
            int level = text.matches("[0-9]{1,2}") ? Integer.parseInt(text) : -1;
            if (level < 0 || !method.hasLevel(level)) {
                String name = method.name().toLowerCase(Locale.ROOT);
                throw wrong(
                        method.levelMax() == 0
                                ? name + " has no levels"
                                : name + " has levels " + method.levelMin() + " to " + method.levelMax() + ", not '"
                                        + text + "'");
            }
            return level;
        }

        @Override
        String what() {
            return "compression";
        }

        @Override
        String value() {
            return InodeText.compression(compAlgo);
        }

        @Override
        void set(InodeIoctls inode) {
            inode.setCompression(compAlgo);
        }

        @Override
        List<String> paths() {
            return paths;
        }
    }

    /** Those that set a check code. */
    abstract static class CheckDirective extends PolicyDirective {
        abstract CheckCode code();

        @Override
        final String what() {
            return "check";
        }

        @Override
        final String value() {
            return InodeText.check(code().code());
        }

        @Override
        final void set(InodeIoctls inode) {
            inode.setCheck(code().code());
        }
    }

    /** {@code setcheck}. */
    @Command(
            name = "setcheck",
            description = {
                "Sets how new data is checked: in files, and in what is created in directories.",
                "With none or disabled, damage of data goes unnoticed. With -r also in everything below that is there."
            })
    static final class Check extends CheckDirective {
        @Parameters(
                index = "0",
                paramLabel = "MODE",
                description = "none, disabled, default (xxhash64), crc32, xxhash64, sha192.")
        private String mode;

        @Parameters(index = "1..*", arity = "1..*", paramLabel = "PATH", description = PATHS)
        private List<String> paths;

        @Override
        CheckCode code() {
            return switch (mode) {
                case "none" -> CheckCode.NONE;
                case "disabled" -> CheckCode.DISABLED;
                case "crc32" -> CheckCode.ISCSI32;
                case "default", "xxhash64" -> CheckCode.XXHASH64;
                case "sha192" -> CheckCode.SHA192;
                default ->
                    throw wrong("'" + mode + "' is no check code: none, disabled, default, crc32, xxhash64, sha192");
            };
        }

        @Override
        void run() {
            CheckCode ignored = code();
            super.run();
        }

        @Override
        List<String> paths() {
            return paths;
        }
    }

    /** The short forms, which take paths only. */
    abstract static class ShortForm extends CheckDirective {
        private final CheckCode code;

        @Parameters(arity = "1..*", paramLabel = "PATH", description = PATHS)
        private List<String> paths;

        private ShortForm(CheckCode code) {
            this.code = code;
        }

        @Override
        CheckCode code() {
            return code;
        }

        @Override
        List<String> paths() {
            return paths;
        }
    }

    /** {@code clrcheck}. */
    @Command(name = "clrcheck", description = "As setcheck none: damage of new data goes unnoticed.")
    static final class NoCheck extends ShortForm {
        NoCheck() {
            super(CheckCode.NONE);
        }
    }

    /** {@code setcrc32}. */
    @Command(name = "setcrc32", description = "As setcheck crc32.")
    static final class Crc32 extends ShortForm {
        Crc32() {
            super(CheckCode.ISCSI32);
        }
    }

    /** {@code setxxhash64}. */
    @Command(name = "setxxhash64", description = "As setcheck xxhash64.")
    static final class XxHash64 extends ShortForm {
        XxHash64() {
            super(CheckCode.XXHASH64);
        }
    }

    /** {@code setsha192}. */
    @Command(name = "setsha192", description = "As setcheck sha192.")
    static final class Sha192 extends ShortForm {
        Sha192() {
            super(CheckCode.SHA192);
        }
    }
}
