package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.DeviceBusyException;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.newfs.Geometry;
import io.hammer2.fs.newfs.Newfs;
import io.hammer2.fs.newfs.NewfsException;
import io.hammer2.fs.newfs.NewfsOptions;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** newfs_hammer2(8). */
@Command(
        name = "newfs_hammer2",
        description = "Makes a HAMMER2 file system on devices or in image files. What they hold is lost.",
        footer = {
            "",
            "Sizes take K, M, G or T. A PFS named LOCAL is always made, and DATA unless -L says otherwise.",
            "Exit status: 0 made, 8 it could not be made, 16 usage."
        },
        versionProvider = Tool.Version.class)
final class NewfsCommand implements Callable<Integer> {
    static final int EXIT_OPERATIONAL = 8;
    static final int EXIT_USAGE = 16;

    private static final String NO_LABEL = "none";

    private final Console console;

    @Parameters(
            paramLabel = "SPECIAL",
            arity = "1..*",
            description = "Devices or images: the volumes, root volume first.")
    private List<String> specials;

    @Option(
            names = "-b",
            paramLabel = "SIZE",
            converter = Size.Parser.class,
            description = "Boot area, 8M to 256M; default 64M.")
    private Long bootBytes;

    @Option(
            names = "-r",
            paramLabel = "SIZE",
            converter = Size.Parser.class,
            description = "Aux area, 8M to 1G; default 256M.")
    private Long auxBytes;

    @Option(names = "-V", paramLabel = "VERSION", description = "Version of the volume, 1 or 2; default 2.")
    private int version = 2;

    @Option(
            names = "-L",
            paramLabel = "LABEL",
            description = "Make this PFS instead of DATA; may be repeated. none: LOCAL alone.")
    private List<String> labels = List.of();

    @Option(
            names = "-s",
            paramLabel = "SIZE",
            converter = Size.Parser.class,
            description = "Make the image file, or resize it, to this.")
    private Long sizeBytes;

    @Option(names = "--force", description = "Overwrite what the devices hold without asking.")
    private boolean force;

    @Option(names = "-d", description = "Show where an error arose.")
    private boolean debug;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    // -V is taken: DragonFly's letter for the volume's version.
    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help message and exit.")
    @SuppressWarnings("UnusedVariable")
    private boolean help;

    @Option(names = "--version", versionHelp = true, description = "Print version information and exit.")
    @SuppressWarnings("UnusedVariable")
    private boolean printVersion;

    private NewfsCommand(Console console) {
        this.console = console;
    }

    /** Starts the command. */
    public static void main(String[] arguments) {
        int status = run(Console.system(), arguments);
        // All is closed and flushed. An orderly exit would load a logger, to be able to log itself.
        Runtime.getRuntime().halt(status);
    }

    /** For its man page and completion. */
    static CommandLine model(Console console) {
        return new CommandLine(new NewfsCommand(console));
    }

    /** @return the exit code */
    static int run(Console console, String... arguments) {
        NewfsCommand command = new NewfsCommand(console);
        CommandLine line = new CommandLine(command);
        return new Tool("newfs_hammer2", console, EXIT_OPERATIONAL, EXIT_USAGE)
                .run(line, List.of(arguments), () -> command.debug);
    }

    @Override
    public Integer call() throws IOException {
        List<Path> paths = specials.stream().map(Path::of).toList();
        NewfsOptions options = options();
        plan(paths, options);
        List<BlockDevice> devices = new ArrayList<>();
        try {
            for (Path path : paths) {
                boolean isNew = resize(path);
                devices.add(open(path));
                if (!isNew && !force) {
                    askToOverwrite(devices.getLast());
                }
            }
            print(Newfs.format(devices, options), paths);
        } catch (NewfsException e) {
            throw new ToolException(e.getMessage(), e);
        } catch (IOException e) {
            throw new ToolException(IoText.of(e), e);
        } finally {
            for (BlockDevice device : devices) {
                device.close();
            }
        }
        return 0;
    }

    private NewfsOptions options() {
        List<String> wanted = labels.isEmpty() ? List.of(NewfsOptions.DEFAULT_LABEL) : labels;
        if (wanted.contains(NO_LABEL)) {
            if (wanted.size() > 1) {
                throw new ToolException("-L none does not go with other labels", EXIT_USAGE, null);
            }
            wanted = List.of();
        }
        long nowMicros = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        NewfsOptions options = new NewfsOptions(
                version,
                bootBytes == null ? 0 : bootBytes,
                auxBytes == null ? 0 : auxBytes,
                wanted,
                nowMicros,
                UUID::randomUUID);
        // Nobody but root could write to what belongs to root, and an ordinary user mounts as himself.
        return options.ownedBy(Daemon.uid(), Daemon.gid());
    }

    /** Refuses what cannot be made before a file is made or resized for it. */
    private void plan(List<Path> paths, NewfsOptions options) {
        if (sizeBytes == null) {
            return;
        }
        for (Path path : paths) {
            if (Files.exists(path) && !Files.isRegularFile(path)) {
                throw new ToolException(path + ": -s makes or resizes image files, and this is none", EXIT_USAGE, null);
            }
        }
        try {
            Newfs.plan(paths.stream().map(path -> sizeBytes).toList(), options);
        } catch (NewfsException e) {
            throw new ToolException(e.getMessage(), e);
        }
    }

    /** @return whether the file is new, and so holds nothing */
    private boolean resize(Path path) throws IOException {
        if (Files.exists(path) || sizeBytes == null) {
            if (sizeBytes != null && Files.size(path) != sizeBytes && Files.size(path) != 0 && !force) {
                // Before it is cut short.
                try (BlockDevice device = open(path)) {
                    askToOverwrite(device);
                }
            }
            if (sizeBytes == null) {
                return false;
            }
        }
        boolean isNew = !Files.exists(path) || Files.size(path) == 0;
        try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
            file.setLength(sizeBytes);
        }
        return isNew;
    }

    private static BlockDevice open(Path path) throws IOException {
        try {
            return BlockDevices.open(path, OpenMode.READ_WRITE);
        } catch (DeviceBusyException e) {
            throw new ToolException(e.getMessage() + "; it must not be in use while a file system is made on it", e);
        }
    }

    private void askToOverwrite(BlockDevice device) throws IOException {
        String content = DeviceContent.of(device);
        if (content == null) {
            return;
        }
        String finding = device.name() + " holds " + content;
        if (!console.inIsTerminal()) {
            throw new ToolException(finding + "; give --force to overwrite it");
        }
        console.out().print(finding + ". Overwrite it? [y/N] ");
        console.out().flush();
        String answer = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)).readLine();
        if (answer == null
                || !(answer.strip().equalsIgnoreCase("y") || answer.strip().equalsIgnoreCase("yes"))) {
            throw new ToolException("nothing was changed");
        }
    }

    private void print(Newfs.Made made, List<Path> paths) {
        Geometry geometry = made.geometry();
        if (json) {
            JsonWriter writer = new JsonWriter(console.out()).beginObject();
            writer.member("version", geometry.version())
                    .member("fsid", made.fsid().toString())
                    .member("totalSize", geometry.totalBytes())
                    .member("bootSize", geometry.bootBytes())
                    .member("auxSize", geometry.auxBytes())
                    .member("allocatorSize", geometry.allocatorBytes());
            writer.name("volumes").beginArray();
            for (int id = 0; id < paths.size(); id++) {
                writer.beginObject()
                        .member("id", id)
                        .member("path", paths.get(id).toString())
                        .member("size", geometry.volumeBytes().get(id))
                        .endObject();
            }
            writer.endArray().name("labels").beginArray();
            made.labels().forEach(writer::value);
            writer.endArray().endObject();
            return;
        }
        var out = console.out();
        for (int id = 0; id < paths.size(); id++) {
            out.println(
                    "volume " + id + ":     " + Size.text(geometry.volumeBytes().get(id)) + " " + paths.get(id));
        }
        out.println("version:      " + geometry.version());
        out.println("total size:   " + Size.text(geometry.totalBytes()));
        out.println("boot area:    " + Size.text(geometry.bootBytes()));
        out.println("aux area:     " + Size.text(geometry.auxBytes()));
        out.println("free for use: " + Size.text(geometry.allocatorBytes()));
        out.println("fsid:         " + made.fsid());
        out.println("labels:       " + String.join(" ", made.labels()));
    }
}
