package io.hammer2.tools.stress;

import static io.hammer2.tools.stress.Posix.must;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.IntPredicate;

/**
 * One client: does random things in a directory of its own, of which it knows all, and in one that it shares with others.
 *
 * <p>What has been synced is kept apart: after the server died it must be there, whatever was lost around it. A name promises
 * something from the return of an fsync until the next change of it begins, and during a rename one of its two ends does.
 */
final class Worker {
    private static final int FILE_BYTES_MAX = 300_000;
    private static final int ENTRIES_MAX = 120;
    private static final int SHARED_NAMES = 40;
    private static final int DEPTH_MAX = 4;

    /** What several clients on the same names may get in answer. */
    private static final Set<Integer> EXPECTED_WHEN_SHARED = Set.of(
            Posix.ENOENT,
            Posix.EEXIST,
            Posix.ENOTEMPTY,
            Posix.ENOTDIR,
            Posix.EISDIR,
            Posix.EINVAL,
            Posix.ELOOP,
            // Of a hard link to a directory, and of unlink on one.
            1);

    /** A difference from what must be there. */
    static final class Mismatch extends RuntimeException {
        Mismatch(String text) {
            super(text);
        }
    }

    /** What a path of ours is. */
    private sealed interface Node permits Directory, Link, Content {}

    private record Directory() implements Node {}

    private record Link(String target) implements Node {}

    /** One for all hard links of a file. */
    private static final class Content implements Node {
        private byte[] bytes = new byte[0];
        private int links = 1;
    }

    /** What must be found after a crash. */
    private static final class Promise {
        /** One of them has it; there is more than one while a rename is not known to be done. */
        private final List<String> places;

        private final byte[] bytes;

        private Promise(List<String> places, byte[] bytes) {
            this.places = places;
            this.bytes = bytes;
        }
    }

    private final String name;
    private final String root;
    private final String shared;
    private final Random random;
    private final Map<String, Node> tree = new TreeMap<>();
    private final Map<String, Promise> promises = new HashMap<>();
    private final List<String> last = new ArrayList<>();
    private int operations;
    private int kept;

    Worker(Path mount, String name, long seed) {
        this.name = name;
        root = mount.resolve("own-" + name).toString();
        shared = mount.resolve("shared").toString();
        random = new Random(seed);
    }

    int operations() {
        return operations;
    }

    /** How many synced files were found whole after crashes. */
    int kept() {
        return kept;
    }

    void start() {
        must("mkdir " + root, Posix.mkdir(root));
        int made = Posix.mkdir(shared);
        if (made != -Posix.EEXIST) {
            must("mkdir " + shared, made);
        }
    }

    /** One random operation. */
    void step() {
        operations++;
        if (random.nextInt(4) == 0) {
            stepShared();
            return;
        }
        switch (random.nextInt(20)) {
            case 0, 1, 2 -> create();
            case 3, 4, 5, 6 -> change();
            case 7 -> truncate();
            case 8, 9 -> sync();
            case 10, 11 -> rename();
            case 12 -> unlink();
            case 13 -> makeDirectory();
            case 14 -> removeDirectory();
            case 15 -> symlink();
            case 16 -> link();
            case 17 -> replaceDurably();
            default -> verifyOne();
        }
    }

    /** What led to a failure. */
    String history() {
        return name + ": " + String.join("\n    ", last.subList(Math.max(0, last.size() - 30), last.size()));
    }

    private String path(String relative) {
        return relative.isEmpty() ? root : root + "/" + relative;
    }

    private void create() {
        if (tree.size() >= ENTRIES_MAX) {
            unlink();
            return;
        }
        String at = freeName("f");
        note("create " + at);
        int fd = (int) must("create", Posix.open(path(at), Posix.O_RDWR | Posix.O_CREAT | Posix.O_EXCL));
        Content content = new Content();
        tree.put(at, content);
        try {
            write(fd, at, content, 0, bytes());
        } finally {
            must("close", Posix.close(fd));
        }
    }

    private void change() {
        String at = pick(Content.class);
        if (at == null) {
            return;
        }
        Content content = (Content) tree.get(at);
        changing(content);
        boolean appends = random.nextBoolean();
        int fd = (int) must("open", Posix.open(path(at), Posix.O_RDWR | (appends ? Posix.O_APPEND : 0)));
        try {
            int offset = appends
                    ? content.bytes.length
                    : Math.min(FILE_BYTES_MAX, random.nextInt(content.bytes.length + 1000));
            byte[] piece = bytes();
            int length = Math.min(piece.length, Math.max(0, FILE_BYTES_MAX - offset));
            note((appends ? "append to " : "write ") + at + " " + offset + " " + length);
            write(fd, at, content, offset, Arrays.copyOf(piece, length));
        } finally {
            must("close", Posix.close(fd));
        }
    }

    private void write(int fd, String at, Content content, int offset, byte[] piece) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment from = arena.allocateFrom(ValueLayout.JAVA_BYTE, piece);
            long done = must("write " + at, Posix.pwrite(fd, from, offset));
            if (done != piece.length) {
                throw new Mismatch("write to " + at + ": " + done + " of " + piece.length);
            }
        }
        if (piece.length > 0 && content.bytes.length < offset + piece.length) {
            content.bytes = Arrays.copyOf(content.bytes, offset + piece.length);
        }
        System.arraycopy(piece, 0, content.bytes, offset, piece.length);
    }

    private void truncate() {
        String at = pick(Content.class);
        if (at == null) {
            return;
        }
        Content content = (Content) tree.get(at);
        changing(content);
        int size = random.nextInt(Math.clamp(content.bytes.length * 5L / 4, 1, FILE_BYTES_MAX));
        note("truncate " + at + " " + size);
        int fd = (int) must("open", Posix.open(path(at), Posix.O_RDWR));
        try {
            must("ftruncate", Posix.ftruncate(fd, size));
        } finally {
            must("close", Posix.close(fd));
        }
        content.bytes = Arrays.copyOf(content.bytes, size);
    }

    private void sync() {
        String at = pick(Content.class);
        if (at == null) {
            return;
        }
        Content content = (Content) tree.get(at);
        boolean dataOnly = random.nextInt(4) == 0;
        note((dataOnly ? "fdatasync " : "fsync ") + at);
        int fd = (int) must("open", Posix.open(path(at), Posix.O_RDWR));
        try {
            must("fsync", dataOnly ? Posix.fdatasync(fd) : Posix.fsync(fd));
        } finally {
            must("close", Posix.close(fd));
        }
        if (content.links == 1) {
            promises.put(at, new Promise(List.of(at), content.bytes.clone()));
        }
    }

    /** As editors and databases do it: a new file, fsync, rename over the old one. One of the two is there at any time. */
    private void replaceDurably() {
        String at = pick(Content.class);
        if (at == null || ((Content) tree.get(at)).links > 1) {
            return;
        }
        String next = at + ".new";
        if (tree.containsKey(next)) {
            return;
        }
        note("replace " + at);
        int fd = (int) must("create", Posix.open(path(next), Posix.O_RDWR | Posix.O_CREAT | Posix.O_EXCL));
        Content content = new Content();
        tree.put(next, content);
        try {
            write(fd, next, content, 0, bytes());
            must("fsync", Posix.fsync(fd));
            promises.put(next, new Promise(List.of(next), content.bytes.clone()));
            move(next, at);
            if (random.nextBoolean()) {
                note("fsync " + at + " by its new name");
                must("fsync", Posix.fsync(fd));
                promises.put(at, new Promise(List.of(at), content.bytes.clone()));
            }
        } finally {
            must("close", Posix.close(fd));
        }
    }

    private void rename() {
        String from = pick(Node.class);
        if (from == null) {
            return;
        }
        String to = freeName("r");
        if (to.startsWith(from + "/")) {
            note("rename into itself " + from + " " + to);
            expect(Posix.EINVAL, "rename into itself", Posix.rename(path(from), path(to), 0));
            return;
        }
        String other = pick(Content.class);
        if (tree.get(from) instanceof Content content && other != null && random.nextBoolean()) {
            if (tree.get(other) == content) {
                // Two names of one file: nothing happens.
                must("rename", Posix.rename(path(from), path(other), 0));
                return;
            }
            to = other;
        }
        note("rename " + from + " " + to);
        move(from, to);
    }

    private void move(String from, String to) {
        List<String> moved = below(from);
        // Until it is synced again, a crash leaves it at either end.
        Map<String, Promise> after = new HashMap<>();
        for (String old : moved) {
            Promise promise = promises.remove(old);
            if (promise != null) {
                List<String> places = new ArrayList<>(promise.places);
                places.add(to + old.substring(from.length()));
                after.put(places.getLast(), new Promise(places, promise.bytes));
            }
        }
        promises.remove(to);
        promises.putAll(after);
        must("rename " + from + " to " + to, Posix.rename(path(from), path(to), 0));
        if (tree.remove(to) instanceof Content replaced) {
            replaced.links--;
        }
        for (String old : moved) {
            tree.put(to + old.substring(from.length()), tree.remove(old));
        }
    }

    private void unlink() {
        String at = random.nextInt(3) == 0 ? pick(Link.class) : pick(Content.class);
        if (at == null) {
            return;
        }
        note("unlink " + at);
        forget(at);
        must("unlink", Posix.unlink(path(at)));
        if (tree.remove(at) instanceof Content content) {
            content.links--;
        }
    }

    private void makeDirectory() {
        String at = freeName("d");
        note("mkdir " + at);
        must("mkdir", Posix.mkdir(path(at)));
        tree.put(at, new Directory());
    }

    private void removeDirectory() {
        String at = pick(Directory.class);
        if (at == null) {
            return;
        }
        note("rmdir " + at);
        int result = Posix.rmdir(path(at));
        if (below(at).size() > 1) {
            expect(Posix.ENOTEMPTY, "rmdir " + at, result);
        } else {
            must("rmdir " + at, result);
            tree.remove(at);
        }
    }

    private void symlink() {
        String at = freeName("l");
        Link link = new Link("t".repeat(1 + random.nextInt(700)));
        note("symlink " + at);
        must("symlink", Posix.symlink(link.target, path(at)));
        tree.put(at, link);
    }

    private void link() {
        String at = pick(Content.class);
        if (at == null || promises.containsKey(at)) {
            return;
        }
        String other = freeName("h");
        note("link " + at + " " + other);
        must("link", Posix.link(path(at), path(other)));
        Content content = (Content) tree.get(at);
        content.links++;
        tree.put(other, content);
    }

    private void verifyOne() {
        String at = pick(Node.class);
        if (at != null) {
            verify(at, tree.get(at));
        }
    }

    private void verify(String at, Node node) {
        Posix.Status status = Posix.lstat(path(at));
        if (status == null) {
            throw new Mismatch(at + " is gone");
        }
        switch (node) {
            case Directory _ -> {
                if (!status.is(Posix.S_IFDIR)) {
                    throw new Mismatch(at + " is no directory: " + status);
                }
            }
            case Link link -> {
                if (!status.is(Posix.S_IFLNK) || !Posix.readlink(path(at)).equals(link.target)) {
                    throw new Mismatch(at + " is not the symlink it was: " + status);
                }
            }
            case Content content -> {
                if (!status.is(Posix.S_IFREG)
                        || status.links() != content.links
                        || status.size() != content.bytes.length) {
                    throw new Mismatch(at + ": expected a file of " + content.bytes.length + " bytes and "
                            + content.links + " links, found " + status);
                }
                compare(at, content.bytes, read(at));
            }
        }
    }

    private void compare(String at, byte[] expected, byte[] found) {
        int difference = Arrays.mismatch(expected, found);
        if (difference >= 0) {
            throw new Mismatch(at + ": expected " + expected.length + " bytes, found " + found.length
                    + ", which differ from offset " + difference + " on");
        }
    }

    private byte[] read(String at) {
        int fd = (int) must("open " + at, Posix.open(path(at), Posix.O_RDONLY));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment into = arena.allocate(FILE_BYTES_MAX + 1L);
            long size = 0;
            for (long n = -1; n != 0; size += n) {
                n = must("read " + at, Posix.pread(fd, into.asSlice(size), size));
            }
            return into.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE);
        } finally {
            must("close", Posix.close(fd));
        }
    }

    /** Everything, and nothing else. */
    void verifyAll() {
        tree.forEach(this::verify);
        Set<String> extra = new TreeSet<>(found());
        extra.removeAll(tree.keySet());
        if (!extra.isEmpty()) {
            throw new Mismatch("not made, or removed before: " + extra);
        }
    }

    /**
     * After a crash: what was promised is there. The rest is removed, and what stays is what is known from now on.
     */
    void recover() {
        Map<String, byte[]> there = new TreeMap<>();
        for (Promise promise : promises.values()) {
            there.put(placeOf(promise), promise.bytes);
        }
        kept += there.size();
        tree.clear();
        promises.clear();
        for (Map.Entry<String, byte[]> entry : there.entrySet()) {
            Content content = new Content();
            content.bytes = entry.getValue();
            tree.put(entry.getKey(), content);
            promises.put(entry.getKey(), new Promise(List.of(entry.getKey()), content.bytes.clone()));
            String folder = entry.getKey();
            while (folder.lastIndexOf('/') > 0) {
                folder = folder.substring(0, folder.lastIndexOf('/'));
                tree.put(folder, new Directory());
            }
        }
        if (Posix.lstat(root) == null) {
            if (!tree.isEmpty()) {
                throw new Mismatch(root + " is gone");
            }
            start();
        }
        List<String> found = new ArrayList<>(found());
        for (String at : found.reversed()) {
            if (!tree.containsKey(at)) {
                Posix.Status status = Posix.lstat(path(at));
                must("clean up " + at, status.is(Posix.S_IFDIR) ? Posix.rmdir(path(at)) : Posix.unlink(path(at)));
            }
        }
        verifyAll();
    }

    private String placeOf(Promise promise) {
        List<String> reasons = new ArrayList<>();
        for (String at : promise.places.reversed()) {
            Posix.Status status = Posix.lstat(path(at));
            if (status == null || !status.is(Posix.S_IFREG)) {
                reasons.add(at + ": " + (status == null ? "gone" : status.toString()));
                continue;
            }
            byte[] found = read(at);
            int difference = Arrays.mismatch(promise.bytes, found);
            if (difference < 0) {
                return at;
            }
            reasons.add(at + ": " + found.length + " bytes, differing from " + difference + " on");
        }
        throw new Mismatch("synced, " + promise.bytes.length + " bytes, and not there any more: " + reasons);
    }

    private Set<String> found() {
        Set<String> found = new TreeSet<>();
        Path base = Path.of(root);
        try {
            Files.walkFileTree(base, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                    return visitFile(folder, attributes);
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    found.add(base.relativize(file).toString());
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (java.io.IOException e) {
            throw new Mismatch("cannot list " + base + ": " + e);
        }
        found.remove("");
        return found;
    }

    /** In the shared directory: any of the answers that the others may be the cause of, and no other. */
    private void stepShared() {
        String one = sharedName();
        String two = sharedName();
        IntPredicate expected = EXPECTED_WHEN_SHARED::contains;
        long result = switch (random.nextInt(11)) {
            case 0, 1 -> withFile(one, Posix.O_RDWR | Posix.O_CREAT, true);
            case 2 -> withFile(one, Posix.O_RDWR | Posix.O_TRUNC, true);
            case 3 -> withFile(one, Posix.O_RDONLY, false);
            case 4 -> Posix.unlink(one);
            case 5 -> Posix.rename(one, two, 0);
            case 6 -> Posix.rename(one, two, random.nextBoolean() ? Posix.RENAME_EXCHANGE : Posix.RENAME_NOREPLACE);
            case 7 -> Posix.link(one, two);
            case 8 -> Posix.mkdir(one);
            case 9 -> Posix.rmdir(one);
            default -> Posix.symlink("s" + random.nextInt(SHARED_NAMES), one);
        };
        if (result < 0 && !expected.test((int) -result)) {
            throw new Posix.Failed("in the shared directory, " + one + " and " + two, (int) -result);
        }
    }

    private long withFile(String path, int flags, boolean writes) {
        int fd = Posix.open(path, flags);
        if (fd < 0) {
            return fd;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(1 + random.nextInt(70_000));
            long offset = random.nextInt(100_000);
            long result = writes ? Posix.pwrite(fd, buffer, offset) : Posix.pread(fd, buffer, offset);
            return result >= 0 && random.nextInt(10) == 0 ? Posix.fsync(fd) : result;
        } finally {
            must("close", Posix.close(fd));
        }
    }

    private String sharedName() {
        String path = shared + "/s" + random.nextInt(SHARED_NAMES);
        return random.nextInt(4) == 0 ? path + "/s" + random.nextInt(SHARED_NAMES) : path;
    }

    /** A change of a file begins: none of its names promises anything any more. */
    private void changing(Content content) {
        tree.forEach((at, node) -> {
            if (node == content) {
                forget(at);
            }
        });
    }

    private void forget(String at) {
        promises.remove(at);
    }

    private List<String> below(String at) {
        List<String> all = new ArrayList<>();
        for (String other : tree.keySet()) {
            if (other.equals(at) || other.startsWith(at + "/")) {
                all.add(other);
            }
        }
        return all;
    }

    private String pick(Class<? extends Node> kind) {
        List<String> all = new ArrayList<>();
        tree.forEach((at, node) -> {
            if (kind.isInstance(node)) {
                all.add(at);
            }
        });
        return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
    }

    /** In a random directory of ours, a name that was never used. */
    private String freeName(String prefix) {
        List<String> folders = new ArrayList<>(List.of(""));
        tree.forEach((at, node) -> {
            if (node instanceof Directory && at.chars().filter(c -> c == '/').count() < DEPTH_MAX) {
                folders.add(at);
            }
        });
        String folder = folders.get(random.nextInt(folders.size()));
        String padding = random.nextInt(4) == 0 ? "-" + "long".repeat(random.nextInt(40)) : "";
        return (folder.isEmpty() ? "" : folder + "/") + prefix + operations + padding;
    }

    private byte[] bytes() {
        byte[] bytes = new byte[random.nextInt(3) == 0 ? random.nextInt(FILE_BYTES_MAX) : 1 + random.nextInt(5000)];
        random.nextBytes(bytes);
        return bytes;
    }

    private static void expect(int errno, String what, int result) {
        if (result != -errno) {
            throw new Mismatch(what + ": expected errno " + errno + ", found " + result);
        }
    }

    private void note(String what) {
        if (last.size() > 1000) {
            last.subList(0, 500).clear();
        }
        last.add(operations + " " + what);
    }
}
