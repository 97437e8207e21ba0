package io.hammer2.fs.testing;

import com.github.luben.zstd.ZstdInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The interoperability images, unpacked. They come from {@code ../shared/interop} beside the project, and from
 * {@code testdata/interop} when that is not there; where the folder names an image that is missing, asking for it fails.
 *
 * <p>Unpacked images lie sparse in {@code hammer2/target/interop}, each unpacked once and kept for later runs. Several test
 * JVMs may ask at the same time. Nobody may write to them: who needs a changed image lays something over it.
 *
 * <p>Needs zstd-jni on the test class path.
 */
public final class InteropImages {
    /** Zero runs of this size become holes. */
    private static final int HOLE_BYTES = 65536;

    private static final Pattern VOLUME_OF_SEVERAL = Pattern.compile("(.+)\\.(\\d+)");
    private static final Object IN_THIS_JVM = new Object();

    private InteropImages() {}

    /**
     * What a program has to make of an image.
     *
     * @see <a href="file:../shared/interop/README.md">README.md beside the images</a>
     */
    public enum Expectation {
        /** Every label mounts and matches the manifest. */
        MOUNT("mount"),
        /** It mounts, and some objects give EIO. */
        MOUNT_ERRORS("mount-errors"),
        /** It is refused with a message. */
        MOUNT_FAILS("mount-fails");

        private final String word;

        Expectation(String word) {
            this.word = word;
        }

        static Expectation of(String word) {
            return Arrays.stream(values())
                    .filter(e -> e.word.equals(word))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException("unknown expectation: " + word));
        }
    }

    /** One volume of an image. */
    private record Volume(String name, long sizeBytes) {}

    /** A file system: one volume, or several in the order of their ids. */
    public static final class Image {
        private final String name;
        private final List<Volume> volumes = new ArrayList<>();
        private final Expectation expectation;
        private final List<String> labels;
        private final String manifest;

        private Image(String name, Expectation expectation, List<String> labels, String manifest) {
            this.name = name;
            this.expectation = expectation;
            this.labels = labels;
            this.manifest = manifest;
        }

        public String name() {
            return name;
        }

        public Expectation expectation() {
            return expectation;
        }

        /** Labels of the PFSs whose content the manifest describes; empty where nothing mounts. */
        public List<String> labels() {
            return labels;
        }

        /** The manifest, perhaps compressed with gzip; null where nothing mounts. */
        public Path manifest() {
            return manifest == null ? null : folder().resolve(manifest);
        }

        /** The unpacked volumes in the order of their ids, unpacking what is not there yet. Read only. */
        public List<Path> volumes() throws IOException {
            List<Path> paths = new ArrayList<>();
            for (Volume volume : volumes) {
                paths.add(unpacked(volume));
            }
            return paths;
        }

        /** The unpacked volumes as programs are given them: joined by colons. */
        public String special() throws IOException {
            return String.join(":", volumes().stream().map(Path::toString).toList());
        }

        @Override
        public String toString() {
            return name;
        }
    }

    /** Whether all images are there, and not only the few that the project ships. */
    public static boolean isComplete() {
        return Files.isDirectory(shared());
    }

    /** All images of the index, in its order. */
    public static List<Image> all() {
        List<Image> images = new ArrayList<>();
        for (String row : index()) {
            if (row.startsWith("#") || row.isBlank()) {
                continue;
            }
            String[] column = row.split("\t", -1);
            Volume volume = new Volume(column[0], Long.parseLong(column[1]));
            Matcher several = VOLUME_OF_SEVERAL.matcher(volume.name);
            if (several.matches() && !several.group(2).equals("0")) {
                images.getLast().volumes.add(volume);
                continue;
            }
            Image image = new Image(
                    several.matches() ? several.group(1) : volume.name,
                    Expectation.of(column[2]),
                    column[3].equals("-") ? List.of() : List.of(column[3].split(",", -1)),
                    column[4].equals("-") ? null : column[4]);
            image.volumes.add(volume);
            images.add(image);
        }
        if (images.isEmpty()) {
            throw new IllegalStateException("no images are listed in " + folder());
        }
        return images;
    }

    /** The image of this name, which must be in the index. */
    public static Image get(String name) {
        return find(name)
                .orElseThrow(() -> new IllegalArgumentException("no image " + name + " is listed in " + folder()));
    }

    /** The image of this name, if the index has it: the few images that the project ships need not be all. */
    public static java.util.Optional<Image> find(String name) {
        return all().stream().filter(image -> image.name.equals(name)).findFirst();
    }

    private static List<String> index() {
        try {
            return Files.readAllLines(folder().resolve("INDEX.tsv"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static Path root() {
        String root = System.getProperty("project.root");
        if (root == null) {
            throw new IllegalStateException("system property project.root is not set: run the tests through Maven");
        }
        return Path.of(root);
    }

    private static Path shared() {
        return root().resolve("../shared/interop").normalize();
    }

    /** Where archives, manifests and index lie. */
    public static Path folder() {
        return isComplete() ? shared() : root().resolve("testdata/interop");
    }

    private static Path unpacked(Volume volume) throws IOException {
        Path archive = folder().resolve(volume.name + ".img.zst");
        if (!Files.exists(archive)) {
            throw new IOException("image " + archive + " is listed in INDEX.tsv and missing");
        }
        Path work = Files.createDirectories(root().resolve("hammer2/target/interop"));
        Path image = work.resolve(volume.name + ".img");
        // A file lock is held by the whole JVM, so it does not keep two threads apart.
        synchronized (IN_THIS_JVM) {
            try (FileChannel channel = FileChannel.open(
                            work.resolve(volume.name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                FileTime made = Files.getLastModifiedTime(archive);
                boolean current = Files.exists(image)
                        && Files.size(image) == volume.sizeBytes
                        && Files.getLastModifiedTime(image).equals(made);
                if (!current && lock.isValid()) {
                    Path half = work.resolve(volume.name + ".half");
                    unpack(archive, half, volume.sizeBytes);
                    Files.setLastModifiedTime(half, made);
                    Files.move(half, image, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
                }
            }
        }
        return image;
    }

    private static void unpack(Path archive, Path to, long sizeBytes) throws IOException {
        byte[] buffer = new byte[HOLE_BYTES];
        byte[] zeros = new byte[HOLE_BYTES];
        Files.deleteIfExists(to);
        try (InputStream in = new ZstdInputStream(Files.newInputStream(archive));
                RandomAccessFile file = new RandomAccessFile(to.toFile(), "rw");
                FileChannel out = file.getChannel()) {
            long at = 0;
            for (int n = in.readNBytes(buffer, 0, HOLE_BYTES); n > 0; n = in.readNBytes(buffer, 0, HOLE_BYTES)) {
                if (!Arrays.equals(buffer, 0, n, zeros, 0, n)) {
                    ByteBuffer source = ByteBuffer.wrap(buffer, 0, n);
                    while (source.hasRemaining()) {
                        out.write(source, at + source.position());
                    }
                }
                at += n;
            }
            file.setLength(sizeBytes);
        }
    }
}
