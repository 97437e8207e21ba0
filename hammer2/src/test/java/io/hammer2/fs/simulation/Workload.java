package io.hammer2.fs.simulation;

import io.hammer2.fs.AllocateMode;
import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.RenameMode;
import io.hammer2.fs.codec.CheckCode;
import io.hammer2.fs.codec.Compression;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.Supplier;

/** Random operations on what there is, from a seed; most of them possible, so that something happens. */
final class Workload {
    private static final int OPENS_MAX = 12;
    private static final int READ_BYTES_MAX = 100_000;
    private static final long[] FAR = {1L << 32, 1L << 40, (1L << 56) - 7, Long.MAX_VALUE - 100_000, Long.MAX_VALUE - 1
    };
    private static final FileType[] NODES = {
        FileType.FIFO, FileType.SOCKET, FileType.CHARACTER_DEVICE, FileType.BLOCK_DEVICE
    };

    private final Profile profile;
    private final SplittableRandom random;

    // What there is as of this round, in the order of numbers.
    private final List<ModelInode> all = new ArrayList<>();
    private final List<ModelInode> directories = new ArrayList<>();
    private final List<ModelInode> files = new ArrayList<>();
    private final List<ModelInode> open = new ArrayList<>();
    private final Map<Long, Integer> released = new HashMap<>();
    private long staleInum = 5000;
    private boolean alone;

    Workload(Profile profile, SplittableRandom random) {
        this.profile = profile;
        this.random = random;
    }

    /** What several clients do at once: for each its operations one after the other. */
    List<List<Operation>> round(ModelFileSystem.State state, int clients, int operationsEach) {
        look(state);
        alone = clients == 1;
        List<List<Operation>> round = new ArrayList<>();
        for (int client = 0; client < clients; client++) {
            List<Operation> operations = new ArrayList<>();
            for (int i = 0; i < operationsEach; i++) {
                operations.add(next());
            }
            round.add(operations);
        }
        return round;
    }

    private void look(ModelFileSystem.State state) {
        all.clear();
        directories.clear();
        files.clear();
        open.clear();
        released.clear();
        all.addAll(state.inodes());
        all.sort(Comparator.comparingLong((ModelInode inode) -> inode.inum));
        for (ModelInode inode : all) {
            if (inode.isDirectory()) {
                directories.add(inode);
            } else if (inode.type == FileType.REGULAR) {
                files.add(inode);
            }
            if (inode.opens > 0) {
                open.add(inode);
            }
        }
        if (!files.isEmpty() && random.nextInt(64) == 0) {
            staleInum = pick(files).inum;
        }
    }

    private Operation next() {
        Profile.Action action =
                profile.actions().get(random.nextInt(profile.actions().size()));
        if (all.size() > profile.inodesMax() && random.nextInt(2) == 0) {
            action = random.nextInt(4) == 0 ? Profile.Action.RMDIR : Profile.Action.UNLINK;
        }
        return operation(action);
    }

    private Operation operation(Profile.Action action) {
        return switch (action) {
            case LOOKUP -> lookup();
            case ATTRIBUTES -> attributes();
            case READ -> read();
            case READLINK -> readlink();
            case SEEK -> seek();
            case LIST -> list();
            case STATFS -> operation(Operation.Kind.READ, () -> "statfs", Posix::statfs);
            case OPEN -> open.size() >= OPENS_MAX ? release() : random.nextBoolean() ? open() : openToWrite();
            case RELEASE -> release();
            case CREATE -> create(FileType.REGULAR);
            case MKDIR -> create(FileType.DIRECTORY);
            case MKNOD -> create(NODES[random.nextInt(NODES.length)]);
            case UNNAMED -> open.size() < OPENS_MAX ? createUnnamed() : release();
            case SYMLINK -> symlink();
            case LINK -> link();
            case UNLINK -> unlink();
            case RMDIR -> rmdir();
            case RENAME -> rename();
            case CHANGE -> change();
            case POLICY -> policy();
            case TRUNCATE -> truncate();
            case WRITE -> write(false);
            case APPEND -> write(true);
            case ALLOCATE -> allocate();
            // It may read and write in two steps.
            case COPY -> alone ? copy() : read();
            case FSYNC -> fsync();
            case SYNC ->
                operation(Operation.Kind.SYNC, () -> "sync", fs -> {
                    fs.sync();
                    return null;
                });
        };
    }

    private Operation lookup() {
        long parent = directory();
        String name = random.nextInt(10) == 0 ? pick(List.of(".", "..")) : anyName(parent);
        return operation(
                Operation.Kind.READ, () -> "lookup " + parent + " " + text(name), fs -> fs.lookup(parent, name));
    }

    private Operation attributes() {
        long inum = any();
        return operation(Operation.Kind.READ, () -> "attributes " + inum, fs -> fs.attributes(inum));
    }

    private Operation read() {
        long inum = file();
        long offset = offset(inum);
        int length = random.nextInt(READ_BYTES_MAX);
        return operation(
                Operation.Kind.READ,
                () -> "read " + inum + " at " + offset + " " + length,
                fs -> fs.read(inum, offset, length));
    }

    private Operation readlink() {
        long inum = any();
        return operation(Operation.Kind.READ, () -> "readlink " + inum, fs -> fs.readlink(inum));
    }

    private Operation seek() {
        long inum = file();
        long offset = offset(inum);
        return random.nextBoolean()
                ? operation(
                        Operation.Kind.READ, () -> "seekData " + inum + " " + offset, fs -> fs.seekData(inum, offset))
                : operation(
                        Operation.Kind.READ, () -> "seekHole " + inum + " " + offset, fs -> fs.seekHole(inum, offset));
    }

    private Operation list() {
        long inum = random.nextInt(20) == 0 ? any() : directory();
        return operation(Operation.Kind.READ, () -> "list " + inum, fs -> fs.list(inum, Integer.MAX_VALUE));
    }

    private Operation open() {
        long inum = any();
        return operation(Operation.Kind.USE, () -> "open " + inum, fs -> {
            fs.open(inum);
            return null;
        });
    }

    private Operation openToWrite() {
        long inum = any();
        boolean appends = random.nextBoolean();
        return operation(Operation.Kind.MODIFY, () -> "openToWrite " + inum + (appends ? " to append" : ""), fs -> {
            fs.openToWrite(inum, appends);
            return null;
        });
    }

    /** Never more often than it was opened. */
    private Operation release() {
        for (int attempt = 0; attempt < 4 && !open.isEmpty(); attempt++) {
            ModelInode inode = pick(open);
            int before = released.getOrDefault(inode.inum, 0);
            if (before < inode.opens) {
                released.put(inode.inum, before + 1);
                return operation(Operation.Kind.USE, () -> "release " + inode.inum, fs -> {
                    fs.release(inode.inum);
                    return null;
                });
            }
        }
        return attributes();
    }

    private Operation create(FileType type) {
        long parent = directory();
        String name = newName();
        NewInode what = newInode(type);
        return operation(
                Operation.Kind.GROW,
                () -> "create " + parent + " " + text(name) + " " + what,
                fs -> fs.create(parent, name, what));
    }

    private Operation createUnnamed() {
        long parent = directory();
        NewInode what = newInode(FileType.REGULAR);
        return operation(
                Operation.Kind.GROW,
                () -> "createUnnamed " + parent + " " + what,
                fs -> fs.createUnnamed(parent, what));
    }

    private Operation symlink() {
        long parent = directory();
        String name = newName();
        byte[] target = data(1 + random.nextInt(random.nextInt(4) == 0 ? Limits.SYMLINK_BYTES_MAX : 600));
        NewInode what = newInode(FileType.SYMLINK);
        return operation(
                Operation.Kind.GROW,
                () -> "symlink " + parent + " " + text(name) + " " + target.length + " bytes " + what,
                fs -> fs.symlink(parent, name, target, what));
    }

    private Operation link() {
        long inum = random.nextInt(8) == 0 ? any() : file();
        long parent = directory();
        String name = newName();
        return operation(
                Operation.Kind.GROW,
                () -> "link " + inum + " " + parent + " " + text(name),
                fs -> fs.link(inum, parent, name));
    }

    private Operation unlink() {
        ModelInode parent = directoryWithEntries();
        String name = existingName(parent);
        return operation(Operation.Kind.MODIFY, () -> "unlink " + parent.inum + " " + text(name), fs -> {
            fs.unlink(parent.inum, name);
            return null;
        });
    }

    private Operation rmdir() {
        ModelInode child = pick(directories);
        ModelInode parent = random.nextInt(8) == 0 ? directoryWithEntries() : parentOf(child);
        String name = random.nextInt(30) == 0 ? pick(List.of(".", "..")) : nameOf(parent, child);
        return operation(Operation.Kind.MODIFY, () -> "rmdir " + parent.inum + " " + text(name), fs -> {
            fs.rmdir(parent.inum, name);
            return null;
        });
    }

    private Operation rename() {
        ModelInode parent = directoryWithEntries();
        String name = existingName(parent);
        ModelInode newParent = random.nextInt(3) == 0 ? parent : directories.get(random.nextInt(directories.size()));
        String newName = random.nextBoolean() ? existingName(newParent) : newName();
        RenameMode mode = switch (random.nextInt(8)) {
            case 0 -> RenameMode.NO_REPLACE;
            case 1, 2 -> RenameMode.EXCHANGE;
            default -> RenameMode.REPLACE;
        };
        return operation(
                Operation.Kind.MODIFY,
                () -> "rename " + parent.inum + " " + text(name) + " to " + newParent.inum + " " + text(newName) + " "
                        + mode,
                fs -> {
                    fs.rename(parent.inum, name, newParent.inum, newName, mode);
                    return null;
                });
    }

    private Operation change() {
        long inum = any();
        AttributeChange change = new AttributeChange();
        if (random.nextInt(3) == 0) {
            change.mode(random.nextInt(07777 + 1));
        }
        if (random.nextInt(4) == 0) {
            change.uid(random.nextInt());
        }
        if (random.nextInt(4) == 0) {
            change.gid(random.nextInt(3));
        }
        if (random.nextInt(4) == 0) {
            change.atimeMicros(1 + random.nextLong(1L << 52));
        }
        if (random.nextInt(4) == 0) {
            change.mtimeMicros(1 + random.nextLong(1L << 52));
        }
        if (random.nextInt(4) == 0) {
            change.dropSetId();
        }
        if (random.nextInt(4) == 0) {
            change.uflags(random.nextInt(4) == 0 ? pick(List.of(1, 2, 4, 0x20000, 0x40000)) : 0);
        }
        return setAttributes(Operation.Kind.GROW, inum, change);
    }

    /** Of a file in the middle of its life, or of a directory, from which what is made in it inherits. */
    private Operation policy() {
        long inum = random.nextBoolean() ? directory() : file();
        Compression method = pick(List.of(Compression.values()));
        int level = method.levelMax() == 0 ? 0 : random.nextInt(method.levelMin() - 1, method.levelMax() + 1);
        int compAlgo = (method.hasLevel(level) ? level : 0) << 4 | method.code();
        int checkAlgo = random.nextInt(4) == 0 ? random.nextInt(CheckCode.FREEMAP.code()) : FileSystem.POLICY_KEEP;
        return operation(
                Operation.Kind.GROW,
                () -> "setDataPolicy " + inum + " compression " + compAlgo + " check " + checkAlgo,
                fs -> {
                    fs.setDataPolicy(inum, compAlgo, checkAlgo);
                    return null;
                });
    }

    private Operation truncate() {
        long inum = file();
        long size = random.nextInt(3) == 0 ? 0 : offset(inum);
        return setAttributes(
                size == 0 ? Operation.Kind.MODIFY : Operation.Kind.GROW, inum, new AttributeChange().size(size));
    }

    private static Operation setAttributes(Operation.Kind kind, long inum, AttributeChange change) {
        return operation(kind, () -> "setAttributes " + inum + text(change), fs -> fs.setAttributes(inum, change));
    }

    private Operation write(boolean append) {
        long inum = file();
        long offset = append ? 0 : offset(inum);
        byte[] bytes = data(random.nextInt(1 + random.nextInt(profile.writeBytesMax())));
        int flags = (append ? FileSystem.WRITE_APPEND : 0)
                | (random.nextInt(4) == 0 ? FileSystem.WRITE_KEEP_TIMES : 0)
                | (random.nextInt(4) == 0 ? FileSystem.WRITE_DROP_SETID : 0);
        return operation(
                Operation.Kind.GROW,
                () -> "write " + inum + " at " + offset + " " + bytes.length + " bytes, flags " + flags,
                fs -> fs.write(inum, offset, bytes, flags));
    }

    private Operation allocate() {
        long inum = file();
        long offset = offset(inum);
        long length = random.nextInt(20) == 0 ? 0 : 1 + random.nextInt(1 + random.nextInt(profile.fileBytesMax()));
        AllocateMode mode = pick(List.of(AllocateMode.values()));
        return operation(
                Operation.Kind.GROW, () -> "allocate " + inum + " at " + offset + " " + length + " " + mode, fs -> {
                    fs.allocate(inum, offset, length, mode);
                    return null;
                });
    }

    private Operation copy() {
        long from = file();
        long to = random.nextInt(4) == 0 ? from : file();
        boolean aligned = random.nextBoolean();
        long fromOffset = aligned ? blockOf(offset(from)) : offset(from);
        long toOffset = aligned ? blockOf(offset(to)) : offset(to);
        long length = random.nextInt(profile.fileBytesMax());
        return operation(
                Operation.Kind.GROW,
                () -> "copyRange " + from + " at " + fromOffset + " to " + to + " at " + toOffset + " " + length,
                fs -> fs.copyRange(from, fromOffset, to, toOffset, length));
    }

    private Operation fsync() {
        long inum = any();
        return operation(Operation.Kind.SYNC, () -> "fsync " + inum, fs -> {
            fs.fsync(inum);
            return null;
        });
    }

    private static Operation operation(Operation.Kind kind, Supplier<String> text, Function<Posix, Object> body) {
        return new Operation(kind, text, body);
    }

    private NewInode newInode(FileType type) {
        boolean device = type == FileType.CHARACTER_DEVICE || type == FileType.BLOCK_DEVICE;
        int mode = random.nextInt(4) == 0 ? random.nextInt(07777 + 1) : 0644;
        return new NewInode(
                type,
                mode,
                random.nextInt(3),
                random.nextInt(3),
                device ? random.nextInt(4096) : 0,
                device ? random.nextInt(1 << 20) : 0);
    }

    private long any() {
        int chance = random.nextInt(40);
        return chance == 0 ? 4711 : chance == 1 ? staleInum : pick(all).inum;
    }

    private long directory() {
        return random.nextInt(40) == 0 ? any() : pick(directories).inum;
    }

    /** Not a symbolic link: nobody gets to open one. */
    private long file() {
        if (!files.isEmpty() && random.nextInt(40) > 0) {
            return pick(files).inum;
        }
        ModelInode inode = pick(all);
        return inode.type == FileType.SYMLINK ? staleInum : inode.inum;
    }

    private ModelInode directoryWithEntries() {
        ModelInode directory = pick(directories);
        for (int attempt = 0; attempt < 4 && directory.entries.isEmpty(); attempt++) {
            directory = pick(directories);
        }
        return directory;
    }

    private ModelInode parentOf(ModelInode child) {
        for (ModelInode directory : directories) {
            if (directory.inum == child.parent) {
                return directory;
            }
        }
        return directories.getFirst();
    }

    private String nameOf(ModelInode parent, ModelInode child) {
        for (Map.Entry<String, Long> entry : parent.entries.entrySet()) {
            if (entry.getValue() == child.inum) {
                return entry.getKey();
            }
        }
        return existingName(parent);
    }

    private String anyName(long parent) {
        ModelInode directory = pick(directories);
        return directory.inum == parent || random.nextBoolean() ? existingName(directory) : newName();
    }

    /** Of an entry, if there is one. */
    private String existingName(ModelInode directory) {
        if (directory.entries.isEmpty() || random.nextInt(16) == 0) {
            return newName();
        }
        int skip = random.nextInt(directory.entries.size());
        for (String name : directory.entries.keySet()) {
            if (skip-- == 0) {
                return name;
            }
        }
        throw new AssertionError(directory);
    }

    private String newName() {
        return random.nextInt(50) == 0 ? Names.impossible(random) : Names.some(random, profile.names());
    }

    /** Where something may begin to go wrong: at the ends of blocks, pages, files and of what fits into an inode. */
    private long offset(long inum) {
        long size = sizeOf(inum);
        if (profile.farOffsets() && random.nextInt(200) == 0) {
            return FAR[random.nextInt(FAR.length)];
        }
        long limit = size > profile.fileBytesMax()
                ? profile.fileBytesMax()
                : Math.min(profile.fileBytesMax(), size + size / 4 + 1000);
        return switch (random.nextInt(8)) {
            case 0 -> 0;
            case 1 -> Math.min(size, profile.fileBytesMax());
            case 2 -> near(blockOf(random.nextLong(limit)));
            case 3 -> near(Limits.DIRECT_DATA_BYTES);
            case 4 -> near(random.nextLong(limit) & -4096);
            case 5 -> size > profile.fileBytesMax() ? near(size) : random.nextLong(limit);
            default -> random.nextLong(limit);
        };
    }

    private long near(long offset) {
        return Math.max(0, offset - 2 + random.nextInt(5));
    }

    private static long blockOf(long offset) {
        return offset & -Limits.BLOCK_BYTES_MAX;
    }

    private long sizeOf(long inum) {
        for (ModelInode file : files) {
            if (file.inum == inum) {
                return file.content.size();
            }
        }
        return 0;
    }

    /** Random, compressible or zero. */
    private byte[] data(int length) {
        byte[] bytes = new byte[length];
        switch (random.nextInt(6)) {
            case 0 -> {}
            case 1 -> Arrays.fill(bytes, (byte) (1 + random.nextInt(255)));
            case 2 -> {
                for (int i = 0; i < length; i += 1 + random.nextInt(5000)) {
                    bytes[i] = 1;
                }
            }
            default -> random.nextBytes(bytes);
        }
        return bytes;
    }

    private <T> T pick(List<T> from) {
        return from.get(random.nextInt(from.size()));
    }

    static String text(String name) {
        StringBuilder text = new StringBuilder("'");
        name.chars().forEach(c -> text.append(c > ' ' && c < 127 ? String.valueOf((char) c) : "\\x%02x".formatted(c)));
        return (text.length() > 40 ? text.substring(0, 40) + "...[" + name.length() + "]" : text) + "'";
    }

    private static String text(AttributeChange change) {
        return (change.hasMode() ? " mode %o".formatted(change.mode()) : "")
                + (change.hasUid() ? " uid " + change.uid() : "")
                + (change.hasGid() ? " gid " + change.gid() : "")
                + (change.hasSize() ? " size " + change.size() : "")
                + (change.hasAtime() ? " atime " + change.atimeMicros() : "")
                + (change.hasMtime() ? " mtime " + change.mtimeMicros() : "")
                + (change.hasUflags() ? " uflags %x".formatted(change.uflags()) : "")
                + (change.dropsSetId() ? " dropSetId" : "");
    }
}
