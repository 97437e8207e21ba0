package io.hammer2.tools;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/**
 * Does a little of everything, for the JVM to see what the commands need: scripts/install runs it with {@code -XX:AOTCacheOutput}. What fails here
 * is only not prepared for.
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

    /** {@code CacheTraining}, without arguments. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createTempDirectory("hammer2-cache");
        try {
            String image = folder.resolve("image").toString();
            NewfsCommand.run(nowhere(), "-s", "64M", image);
            for (List<String> directive : DIRECTIVES) {
                run(directive, image);
            }
            FsckCommand.run(nowhere(), image);
            FsckCommand.run(nowhere(), "--json", image);
            MountLauncher.isToStay("image", "node");
        } finally {
            try (Stream<Path> files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(path -> path.toFile().delete());
            }
        }
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
