package io.hammer2.tools;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * What scripts/install runs with {@code -XX:AOTCacheOutput}, for the JVM to see what the commands need, or the process that serves a mount. A
 * command that fails here is only not prepared for.
 */
final class CacheTraining {
    private static final List<List<String>> DIRECTIVES = List.of(
            List.of("--help"),
            List.of("hash", "DATA"),
            List.of("info"),
            List.of("pfs-list"),
            List.of("volume-list"),
            List.of("volhdr"),
            List.of("freemap"),
            List.of("show"),
            List.of("-v", "show"),
            List.of("stat"),
            List.of("frobnicate"));

    private CacheTraining() {}

    /** {@code CacheTraining commands} or {@code CacheTraining server}. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("hammer2-cache");
        try {
            switch (arguments[0]) {
                case "commands" -> commands(folder);
                case "server" -> server(folder, ServerTraining.Amount.FULL);
                default -> throw new IllegalArgumentException(arguments[0]);
            }
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(path -> path.toFile().delete());
            }
        }
    }

    /** Does a little of everything. */
    private static void commands(Path folder) {
        String image = folder.resolve("image").toString();
        NewfsCommand.run(nowhere(), "-s", "64M", image);
        for (List<String> directive : DIRECTIVES) {
            run(directive, image);
        }
        FsckCommand.run(nowhere(), image);
        FsckCommand.run(nowhere(), "--json", image);
        MountLauncher.isToStay("image", "node");
    }

    /**
     * Serves a volume as a mount does.
     *
     * @return the image of it, which is in the folder
     */
    static String server(Path folder, ServerTraining.Amount amount) throws IOException {
        String image = folder.resolve("served").toString();
        NewfsCommand.run(nowhere(), "-s", "2G", image);
        // All that comes before the kernel is asked.
        MountCommand.run(nowhere(), image, folder.resolve("nowhere").toString());
        ServerTraining.run(image, folder, amount);
        return image;
    }

    private static void run(List<String> directive, String image) {
        String name = directive.getLast();
        if (name.startsWith("-") || directive.contains("hash")) {
            Hammer2Command.run(nowhere(), directive.toArray(String[]::new));
            return;
        }
        for (List<String> options : List.of(List.<String>of(), List.of("--json"))) {
            Stream<String> all = Stream.of(options.stream(), directive.stream(), Stream.of(image))
                    .flatMap(part -> part);
            Hammer2Command.run(nowhere(), all.toArray(String[]::new));
        }
    }

    private static Console nowhere() {
        return Console.to(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
    }
}
