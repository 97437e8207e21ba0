package io.hammer2.tools;

import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.InodeBlock;
import io.hammer2.fs.media.NameText;
import io.hammer2.fs.recover.Salvage;
import io.hammer2.fs.recover.SalvageSink;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The folder that recovered files are put into. Nothing that a volume says leads out of it: names that are none are spelt out, an object is only
 * ever made anew, and what lies above it is a directory that was made here, and no link.
 */
final class RecoveryFolder implements SalvageSink {
    private static final int NAME_BYTES_MAX = 220;
    private static final int NAME_KEPT_CHARS = 60;
    private static final int PERMISSION_BITS = 9;
    private static final int SYMLINK_BYTES_MAX = 4095;
    private static final int COPY_BYTES = 1 << 16;
    private static final String CORRUPTED = ".corrupted";

    private final Path root;
    private final Consumer<String> restored;
    private final Consumer<String> trouble;
    private final Progress progress;
    private final Seen written = new Seen();
    private final byte[] copy = new byte[COPY_BYTES];

    private long files;
    private long versions;
    private long directories;
    private long corrupted;
    private long missing;
    private long skipped;
    private long bytes;

    /**
     * @param root an empty directory
     * @param restored takes the path of each file
     * @param trouble takes a line for each object that could not be had
     */
    RecoveryFolder(Path root, Consumer<String> restored, Consumer<String> trouble, Progress progress) {
        this.root = root;
        this.restored = restored;
        this.trouble = trouble;
        this.progress = progress;
    }

    /** Which versions were written, as far as memory goes: a version that is forgotten is written again, under another number. */
    private static final class Seen {
        private static final int MAX = 1 << 20;
        private final java.util.HashSet<Long> versions = new java.util.HashSet<>();

        boolean add(long version) {
            return versions.size() >= MAX ? !versions.contains(version) : versions.add(version);
        }
    }

    @Override
    public void progress(String phase, long done, long total) {
        progress.show(phase, done, total);
    }

    @Override
    public void directory(List<byte[]> path, InodeBlock inode) throws IOException {
        directory(path, path.size());
    }

    @Override
    public void missing(List<byte[]> path, long count) {
        if (written.add(text(path).hashCode() * 31L + count ^ Long.MIN_VALUE)) {
            missing += count;
            trouble.accept(text(path) + ": " + count + (count == 1 ? " damaged entry" : " damaged entries")
                    + ", nothing of it could be had from this version");
        }
    }

    @Override
    public void file(List<byte[]> path, InodeBlock inode, Source content) throws IOException {
        long version = Salvage.contentIdentity(inode) ^ text(path).hashCode() * 0x9E3779B97F4A7C15L;
        if (!written.add(version)) {
            return;
        }
        if (!inode.type().hasData()) {
            skipped++;
            trouble.accept(text(path) + ": a "
                    + inode.type().name().toLowerCase(Locale.ROOT).replace('_', ' ') + ", which is not made again");
            return;
        }
        Path parent = directory(path, path.size() - 1);
        String name = fileName(path.getLast());
        int number = firstFree(parent, name);
        Path file = parent.resolve(numbered(name, number));
        long damaged = inode.type() == FileType.SYMLINK ? symlink(file, inode, content) : regular(file, inode, content);
        if (damaged > 0) {
            Path marked = parent.resolve(numbered(name, number) + CORRUPTED);
            Files.move(file, marked);
            file = marked;
            corrupted++;
            trouble.accept(text(path) + ": " + damaged + (damaged == 1 ? " damaged block" : " damaged blocks")
                    + "; what there is of it is in " + root.relativize(file));
        }
        files++;
        versions += number > 0 ? 1 : 0;
        restored.accept(root.relativize(file).toString());
    }

    private long regular(Path file, InodeBlock inode, Source content) throws IOException {
        long[] damaged = {0};
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            damaged[0] = content.read((offset, from) -> {
                write(channel, offset, from);
                bytes += from.byteSize();
            });
            setSize(channel, file, inode.sizeBytes());
        } catch (FileSystemException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException(file + ": " + IoText.of(e), e);
        }
        Files.setPosixFilePermissions(file, permissions(inode.mode()));
        Files.setLastModifiedTime(file, FileTime.from(inode.mtimeMicros(), TimeUnit.MICROSECONDS));
        return damaged[0];
    }

    private void write(FileChannel channel, long offset, MemorySegment from) throws IOException {
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, 0, copy, 0, (int) from.byteSize());
        ByteBuffer buffer = ByteBuffer.wrap(copy, 0, (int) from.byteSize());
        for (long at = offset; buffer.hasRemaining(); ) {
            at += channel.write(buffer, at);
        }
    }

    /** A hole at the end takes no space; a size that the host cannot have is told, and no error. */
    private void setSize(FileChannel channel, Path file, long size) throws IOException {
        if (size > channel.size()) {
            try {
                channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
            } catch (IOException | IllegalArgumentException e) {
                trouble.accept(root.relativize(file) + ": is to have " + Long.toUnsignedString(size)
                        + " bytes, which the file system here cannot hold; its end, a hole, is left out");
            }
        }
    }

    /** What has no target that can be written here becomes a file that holds its text. */
    private long symlink(Path file, InodeBlock inode, Source content) throws IOException {
        ByteArrayOutputStream target = new ByteArrayOutputStream();
        long damaged = content.read((offset, from) -> {
            if (offset == target.size() && target.size() + from.byteSize() <= SYMLINK_BYTES_MAX) {
                target.writeBytes(from.toArray(ValueLayout.JAVA_BYTE));
            }
        });
        if (damaged == 0 && target.size() == inode.sizeBytes()) {
            if (SymbolicLink.make(target.toByteArray(), file)) {
                return 0;
            }
            trouble.accept(
                    root.relativize(file) + ": a symbolic link that cannot be made here; the file holds its target");
        } else {
            damaged = Math.max(1, damaged);
        }
        Files.write(file, target.toByteArray(), StandardOpenOption.CREATE_NEW);
        return damaged;
    }

    /** The directory of the first {@code depth} names, made where it is not there yet. */
    private Path directory(List<byte[]> path, int depth) throws IOException {
        Path at = root;
        for (int i = 0; i < depth; i++) {
            at = child(at, fileName(path.get(i)));
        }
        return at;
    }

    /** What is no directory is passed over: another version of the path was a file, or a link to anywhere. */
    private Path child(Path parent, String name) throws IOException {
        for (int number = 0; ; number++) {
            Path at = parent.resolve(numbered(name, number));
            if (Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                return at;
            }
            if (!Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
                directories++;
                return Files.createDirectory(at);
            }
        }
    }

    /** Numbers are taken one by one, so the first free one is found by halving. */
    private static int firstFree(Path parent, String name) {
        int free = 1;
        if (!isTaken(parent, name, 0)) {
            return 0;
        }
        while (isTaken(parent, name, free)) {
            free *= 2;
        }
        int low = free / 2;
        while (low + 1 < free) {
            int middle = low + (free - low) / 2;
            if (isTaken(parent, name, middle)) {
                low = middle;
            } else {
                free = middle;
            }
        }
        return free;
    }

    private static boolean isTaken(Path parent, String name, int number) {
        String numbered = numbered(name, number);
        return Files.exists(parent.resolve(numbered), LinkOption.NOFOLLOW_LINKS)
                || Files.exists(parent.resolve(numbered + CORRUPTED), LinkOption.NOFOLLOW_LINKS);
    }

    private static String numbered(String name, int number) {
        return number == 0 ? name : String.format(Locale.ROOT, "%s.%05d", name, number);
    }

    /** A name for the host: what could mean something else there, or nothing, is spelt out as {@link NameText} does. */
    static String fileName(byte[] name) {
        String text = NameText.of(name).replace("/", "\\x2f");
        if (text.isEmpty()) {
            return "\\x";
        }
        if (text.equals(".") || text.equals("..")) {
            return text.replace(".", "\\x2e");
        }
        if (text.getBytes(StandardCharsets.UTF_8).length > NAME_BYTES_MAX) {
            int end = text.offsetByCodePoints(0, Math.min(NAME_KEPT_CHARS, text.codePointCount(0, text.length())));
            return text.substring(0, end) + "~" + HexFormat.of().toHexDigits(java.util.Arrays.hashCode(name));
        }
        return text;
    }

    private static String text(List<byte[]> path) {
        return String.join("/", path.stream().map(RecoveryFolder::fileName).toList());
    }

    /** Never set-id bits: who recovers is not who owned it. */
    private static Set<PosixFilePermission> permissions(int mode) {
        PosixFilePermission[] all = PosixFilePermission.values();
        Set<PosixFilePermission> set = EnumSet.noneOf(PosixFilePermission.class);
        for (int bit = 0; bit < PERMISSION_BITS; bit++) {
            if ((mode & 0400 >> bit) != 0) {
                set.add(all[bit]);
            }
        }
        return set;
    }

    long files() {
        return files;
    }

    /** Of the files, those that are an older version of another. */
    long versions() {
        return versions;
    }

    long directories() {
        return directories;
    }

    /** Of the files, those with damaged blocks. */
    long corrupted() {
        return corrupted;
    }

    /** Entries of which nothing could be had. */
    long missing() {
        return missing;
    }

    /** Device nodes, pipes and sockets. */
    long skipped() {
        return skipped;
    }

    long bytes() {
        return bytes;
    }
}
