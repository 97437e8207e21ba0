package io.hammer2.tools;

import io.hammer2.blockdev.BlockDevice;
import io.hammer2.blockdev.BlockDevices;
import io.hammer2.blockdev.OpenMode;
import io.hammer2.fs.fsck.Fsck;
import io.hammer2.fs.fsck.FsckOptions;
import io.hammer2.fs.fsck.FsckResult;
import io.hammer2.fs.pfs.Label;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.IntPredicate;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * A PFS on a real mount, with snapshots of it and of its directories, deletions and rollbacks, against a model of what each of them holds: below
 * {@code .snapshots}, and mounted by label. In the end all snapshots are deleted, and the freemap must be what a traversal finds, exactly.
 */
final class SnapshotModel implements AutoCloseable {
    private static final String PFS = "DATA";
    private static final int SNAPSHOTS_MAX = 8;
    private static final int PATHS_MAX = 150;
    private static final int WRITE_BYTES_MAX = 200_000;

    private final SplittableRandom random;
    private final boolean isLying;
    private final Path image;
    private final Path root;
    private final Path other;
    private final List<Path> places;
    private final List<String> log;
    private VolumeServer server;

    /** By path: what the PFS holds now. Names of one file share their node. */
    private Map<String, Node> live = new TreeMap<>();

    private final Map<String, Map<String, Node>> snapshots = new TreeMap<>();
    private int made;
    private long operations;
    private long verifications;

    /** A file's content; null of a directory. */
    private static final class Node {
        private byte[] content;

        private Node(byte[] content) {
            this.content = content;
        }
    }

    /** @param isLying for a control: of rollbacks the model knows nothing */
    private SnapshotModel(Path work, long seed, boolean isLying, List<String> log) throws IOException {
        this.random = new SplittableRandom(seed);
        this.isLying = isLying;
        this.log = log;
        image = work.resolve("model.img");
        root = Files.createDirectories(work.resolve("root")).toRealPath();
        other = Files.createDirectories(work.resolve("other")).toRealPath();
        places = List.of(work.resolve("run"));
        require(0, "", console -> NewfsCommand.run(console, "-s", "1G", image.toString()));
        mount();
    }

    /**
     * Works in a directory that is its own, on a volume that is made there.
     *
     * @param goesOn asked before each step with the number of those that were made
     * @return what was done
     * @throws AssertionError with what was wrong
     */
    static String run(Path work, long seed, IntPredicate goesOn, boolean isLying) throws Exception {
        List<String> log = Collections.synchronizedList(new ArrayList<>());
        try (SnapshotModel model = new SnapshotModel(work, seed, isLying, log)) {
            for (int steps = 0; goesOn.test(steps); steps++) {
                model.step();
            }
            model.end();
            if (!log.isEmpty()) {
                throw new AssertionError("in the log: " + log);
            }
            return model.operations + " operations, " + model.made + " snapshots, " + model.verifications
                    + " verifications";
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError("seed " + seed + ": " + e, e);
        }
    }

    private void mount() throws IOException {
        server = VolumeServer.start(MountRequest.of(image + "@" + PFS, root, List.of("rw")), places, log::add);
    }

    private static void hammer2(String... arguments) {
        require(0, "", console -> Hammer2Command.run(console, arguments));
    }

    /** Has a command run in this process, and fails unless it ends with that status and says {@code text} of an error. */
    private static void require(int status, String text, ToIntFunction<Console> command) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int ended = command.applyAsInt(Console.to(out, err));
        String said = err.toString(StandardCharsets.UTF_8);
        if (ended != status || !said.contains(text)) {
            throw new AssertionError("status " + ended + ": " + said);
        }
    }

    private void step() throws Exception {
        for (int i = random.nextInt(30); i > 0; i--) {
            change();
        }
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> snapshot();
            case 3 -> subtree();
            case 4 -> delete();
            case 5 -> rollback();
            case 6 -> rollbackOfSnapshot();
            case 7 -> mountAnother();
            case 8 -> {
                unmount();
                mount();
            }
            case 9 -> hammer2("bulkfree", root.toString());
            default -> verifyOne();
        }
        if (random.nextInt(4) == 0) {
            verify(root, live, PFS);
        }
    }

    private String pick(Map<String, ?> from) {
        List<String> all = new ArrayList<>(from.keySet());
        return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
    }

    /** "" or that of a directory, with a slash. */
    private String pickDirectory() {
        List<String> all = new ArrayList<>(List.of(""));
        live.forEach((path, node) -> {
            if (node.content == null) {
                all.add(path + "/");
            }
        });
        return all.get(random.nextInt(all.size()));
    }

    private String pickFile() {
        String path = pick(live);
        return path == null || live.get(path).content == null ? null : path;
    }

    private void change() throws IOException {
        operations++;
        String name = pickDirectory() + "n" + random.nextInt(40);
        String file = pickFile();
        switch (random.nextInt(8)) {
            case 0 -> {
                if (!live.containsKey(name) && live.size() < PATHS_MAX) {
                    Files.createDirectory(root.resolve(name));
                    live.put(name, new Node(null));
                }
            }
            case 1, 2 -> {
                if (live.size() < PATHS_MAX && (!live.containsKey(name) || live.get(name).content != null)) {
                    byte[] content = content();
                    Files.write(root.resolve(name), content);
                    live.computeIfAbsent(name, path -> new Node(content)).content = content;
                }
            }
            case 3 -> append(file);
            case 4 -> overwrite(file);
            case 5 -> {
                if (file != null && !live.containsKey(name)) {
                    Files.createLink(root.resolve(name), root.resolve(file));
                    live.put(name, live.get(file));
                }
            }
            case 6 -> remove(pick(live));
            default -> rename(pick(live), name);
        }
    }

    private byte[] content() {
        byte[] content = new byte[random.nextInt(8) == 0 ? random.nextInt(WRITE_BYTES_MAX) : random.nextInt(2000)];
        random.nextBytes(content);
        return content;
    }

    private void append(String file) throws IOException {
        if (file != null) {
            byte[] more = content();
            Files.write(root.resolve(file), more, StandardOpenOption.APPEND);
            Node node = live.get(file);
            byte[] longer = Arrays.copyOf(node.content, node.content.length + more.length);
            System.arraycopy(more, 0, longer, node.content.length, more.length);
            node.content = longer;
        }
    }

    private void overwrite(String file) throws IOException {
        if (file != null) {
            byte[] content = content();
            Files.write(root.resolve(file), content, StandardOpenOption.WRITE, StandardOpenOption.TRUNCATE_EXISTING);
            live.get(file).content = content;
        }
    }

    private void remove(String path) throws IOException {
        if (path != null && below(live, path).isEmpty()) {
            Files.delete(root.resolve(path));
            live.remove(path);
        }
    }

    private void rename(String from, String to) throws IOException {
        if (from != null && !live.containsKey(to) && !(to + "/").startsWith(from + "/")) {
            Files.move(root.resolve(from), root.resolve(to));
            Map<String, Node> moved = below(live, from);
            live.put(to, live.remove(from));
            moved.forEach((path, node) -> {
                live.remove(from + "/" + path);
                live.put(to + "/" + path, node);
            });
        }
    }

    /** What is below a directory, by path from there. */
    private static Map<String, Node> below(Map<String, Node> tree, String directory) {
        Map<String, Node> found = new TreeMap<>();
        tree.forEach((path, node) -> {
            if (path.startsWith(directory + "/")) {
                found.put(path.substring(directory.length() + 1), node);
            }
        });
        return found;
    }

    private static Map<String, Node> copyOf(Map<String, Node> tree) {
        Map<Node, Node> copies = new HashMap<>();
        Map<String, Node> copy = new TreeMap<>();
        tree.forEach(
                (path, node) -> copy.put(path, copies.computeIfAbsent(node, original -> new Node(original.content))));
        return copy;
    }

    private String newLabel() throws Exception {
        while (snapshots.size() >= SNAPSHOTS_MAX) {
            delete();
        }
        return PFS + ".s" + made++;
    }

    private void snapshot() throws Exception {
        String label = newLabel();
        hammer2("snapshot", root.toString(), label);
        snapshots.put(label, copyOf(live));
    }

    private void subtree() throws Exception {
        String directory = pickDirectory();
        if (!directory.isEmpty()) {
            String label = newLabel();
            hammer2("snapshot", "--subtree", root.resolve(directory).toString(), label);
            snapshots.put(label, copyOf(below(live, directory.substring(0, directory.length() - 1))));
        }
    }

    private void delete() throws IOException {
        String label = pick(snapshots);
        if (label != null) {
            hammer2("-s", root.toString(), "pfs-delete", label);
            snapshots.remove(label);
            if (Files.exists(root.resolve(".snapshots").resolve(label))) {
                throw new AssertionError(label + " is there after it was deleted");
            }
        }
    }

    /** Of what is mounted, with a file open that must not show anything afterwards. */
    private void rollback() throws IOException {
        String label = pick(snapshots);
        if (label == null) {
            return;
        }
        String open = pickFile();
        try (FileChannel stream =
                open == null ? null : FileChannel.open(root.resolve(open), StandardOpenOption.WRITE)) {
            MountedRollback.of(MountedVolume.resolve(image.toString()), Label.of(PFS))
                    .orElseThrow()
                    .run(Label.of(label), null, places);
            if (!isLying) {
                live = copyOf(snapshots.get(label));
            }
            if (stream != null) {
                requireStale(stream);
            }
        }
        verify(root, live, PFS);
    }

    /** What the kernel has of the file it may show still; it may not show what is there now, and takes nothing. */
    private static void requireStale(FileChannel open) {
        try {
            open.write(ByteBuffer.allocate(1), 0);
            open.force(true);
        } catch (IOException e) {
            if (String.valueOf(e.getMessage()).contains("Stale")) {
                return;
            }
            throw new AssertionError("a file that was open while it was rolled back", e);
        }
        throw new AssertionError("what was open while it was rolled back takes what is written");
    }

    private void rollbackOfSnapshot() throws IOException {
        String target = pick(snapshots);
        if (target != null) {
            String source = pick(snapshots);
            hammer2("-s", root.toString(), "rollback", target, source);
            snapshots.put(target, copyOf(snapshots.get(source)));
            verifySnapshot(target);
        }
    }

    /** A snapshot is mounted beside, changed there, and cannot be deleted meanwhile. */
    private void mountAnother() throws Exception {
        String label = pick(snapshots);
        if (label == null) {
            return;
        }
        server.mount(MountRequest.of(image + "@" + label, other, List.of("rw")));
        verify(other, snapshots.get(label), label);
        require(1, "mounted", console -> Hammer2Command.run(console, "-s", root.toString(), "pfs-delete", label));
        byte[] content = content();
        Node file = snapshots.get(label).get("n0");
        if (file == null || file.content != null) {
            Files.write(other.resolve("n0"), content);
            snapshots.get(label).computeIfAbsent("n0", path -> new Node(content)).content = content;
        }
        ServedMount served = server.copyOfMounts().stream()
                .filter(mounted -> mounted.mount().mountPoint().equals(other))
                .findFirst()
                .orElseThrow();
        served.mount().unmount();
        served.ended().get();
        verifySnapshot(label);
    }

    private void verifyOne() throws IOException {
        String label = pick(snapshots);
        if (label != null) {
            verifySnapshot(label);
        }
    }

    private void verifySnapshot(String label) throws IOException {
        verify(root.resolve(".snapshots").resolve(label), snapshots.get(label), label);
    }

    private void verify(Path at, Map<String, Node> expected, String what) throws IOException {
        verifications++;
        List<String> found;
        try (Stream<Path> walk = Files.walk(at)) {
            found = walk.filter(path -> !path.equals(at))
                    .map(path -> at.relativize(path).toString())
                    .sorted()
                    .toList();
        }
        if (!found.equals(List.copyOf(expected.keySet()))) {
            throw new AssertionError(what + ": there is " + found + ", not " + expected.keySet());
        }
        Map<Node, Integer> names = new HashMap<>();
        expected.values().forEach(node -> names.merge(node, 1, Integer::sum));
        for (Map.Entry<String, Node> entry : expected.entrySet()) {
            Path path = at.resolve(entry.getKey());
            byte[] content = entry.getValue().content;
            if (Files.isDirectory(path) != (content == null)) {
                throw new AssertionError(what + ": " + path + " is of another type");
            }
            if (content == null) {
                continue;
            }
            if (!Arrays.equals(content, Files.readAllBytes(path))) {
                throw new AssertionError(what + ": the content of " + path);
            }
            Object links = Files.getAttribute(path, "unix:nlink");
            if (!links.equals(names.get(entry.getValue()))) {
                throw new AssertionError(what + ": " + path + " has " + links + " links");
            }
        }
    }

    private void unmount() throws Exception {
        server.close();
    }

    private void end() throws Exception {
        verify(root, live, PFS);
        for (String label : List.copyOf(snapshots.keySet())) {
            verifySnapshot(label);
            hammer2("-s", root.toString(), "pfs-delete", label);
        }
        snapshots.clear();
        hammer2("bulkfree", root.toString());
        hammer2("bulkfree", root.toString());
        verify(root, live, PFS);
        unmount();
        List<BlockDevice> devices = BlockDevices.openAll(image.toString(), OpenMode.READ_ONLY);
        try {
            List<String> found = new ArrayList<>();
            FsckResult result = Fsck.check(devices, FsckOptions.DEFAULT, finding -> found.add(finding.toString()));
            FsckResult.FreemapReport freemap = result.freemap();
            if (result.outcome() != FsckResult.Outcome.CLEAN
                    || freemap.unreferencedCount() != 0
                    || freemap.unreferencedStagedCount() != 0
                    || freemap.stagedCount() != 0) {
                throw new AssertionError("not all space came back: " + freemap + found);
            }
        } finally {
            for (BlockDevice device : devices) {
                device.close();
            }
        }
    }

    @Override
    public void close() {
        server.close();
    }

    /** Arguments: seed, seconds. */
    public static void main(String[] arguments) throws Exception {
        long seed = Long.parseLong(arguments[0]);
        long seconds = Long.parseLong(arguments[1]);
        System.out.println("seed " + seed + ", about " + seconds + " seconds");
        Path work = Files.createTempDirectory("hammer2-snapshots");
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        try {
            System.out.println("as expected: " + run(work, seed, steps -> System.nanoTime() - end < 0, false));
        } catch (AssertionError e) {
            System.out.println("FAILED: " + e.getMessage() + "; the volume is " + work);
            System.exit(1);
        }
        try (Stream<Path> walk = Files.walk(work)) {
            walk.sorted(Comparator.reverseOrder()).forEach(path -> path.toFile().delete());
        }
    }
}
