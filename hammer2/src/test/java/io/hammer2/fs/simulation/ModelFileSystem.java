package io.hammer2.fs.simulation;

import io.hammer2.fs.AllocateMode;
import io.hammer2.fs.AttributeChange;
import io.hammer2.fs.Errno;
import io.hammer2.fs.FileSystem;
import io.hammer2.fs.NewInode;
import io.hammer2.fs.RenameMode;
import io.hammer2.fs.StatFs;
import io.hammer2.fs.inode.Attributes;
import io.hammer2.fs.media.FileType;
import io.hammer2.fs.media.Limits;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A file system as POSIX and the docstrings of {@link FileSystem} have it, in plain memory, one operation at a time.
 *
 * <p>Where they leave a choice the model follows the outcome that it is told ({@link #apply}), if that is one of the permitted:
 * numbers of new inodes, where holes are, how much of a range is copied at once, which of several errors is named.
 */
final class ModelFileSystem implements Posix {
    static final int IMMUTABLE = 0x2 | 0x20000;
    static final int APPEND = 0x4 | 0x40000;

    private static final int SETUID = 04000;
    private static final int SETGID = 02000;
    private static final int GROUP_EXECUTE = 0010;
    private static final int MODE_BITS = 07777;
    private static final long INUM_FIRST = 1024;

    private State state;
    private boolean shared;
    private Outcome told;

    /** Everything, at one moment. Never changed after somebody else got hold of it. */
    static final class State {
        private final Map<Long, ModelInode> inodes;
        private long treeDigest;
        private long hiddenDigest;
        private long inumNext;

        private State(Map<Long, ModelInode> inodes) {
            this.inodes = inodes;
        }

        private State(State other) {
            this.inodes = new HashMap<>(other.inodes);
            this.treeDigest = other.treeDigest;
            this.hiddenDigest = other.hiddenDigest;
            this.inumNext = other.inumNext;
        }

        /** Of what a remount would show, times excepted. */
        long treeDigest() {
            return treeDigest;
        }

        /** Of everything. */
        long fullDigest() {
            return Hash.mix(treeDigest, hiddenDigest);
        }

        Collection<ModelInode> inodes() {
            return inodes.values();
        }

        private void account(ModelInode inode, int sign) {
            treeDigest += inode.nlink > 0 ? sign * inode.digest() : 0;
            hiddenDigest += sign * Hash.mix(inode.digest(), inode.hiddenDigest());
        }

        /** What there is, without attributes. */
        @Override
        public String toString() {
            return inodes.values().stream().map(ModelInode::summary).collect(Collectors.joining(", "));
        }

        /** How what was seen differs from this; null if it does not. */
        String difference(Map<Long, ModelInode> seen) {
            for (ModelInode inode : inodes.values()) {
                ModelInode found = seen.get(inode.inum);
                String difference = found != null
                        ? inode.difference(found)
                        : inode.nlink > 0 || inode.opens > 0 ? "missing: " + inode : null;
                if (difference != null) {
                    return difference;
                }
            }
            return seen.values().stream()
                    .filter(found -> !inodes.containsKey(found.inum))
                    .findFirst()
                    .map(found -> "unexpected: " + found)
                    .orElse(null);
        }
    }

    /** With a root directory as {@code root} was seen. */
    ModelFileSystem(Attributes root) {
        state = new State(new HashMap<>());
        state.inumNext = INUM_FIRST;
        ModelInode inode = new ModelInode(root.inum(), NewInode.of(root.type(), root.mode(), root.uid(), root.gid()));
        inode.uflags = root.uflags();
        inode.parent = FileSystem.ROOT_INUM;
        put(inode);
    }

    /** What a directory is as a file system of its own: it is the root, and only names below it count. */
    static State subtree(State whole, long directory) {
        State made = new State(new HashMap<>());
        made.inumNext = whole.inumNext;
        Map<Long, ModelInode> below = new HashMap<>();
        ModelInode root = whole.inodes.get(directory).copyAs(FileSystem.ROOT_INUM);
        root.parent = FileSystem.ROOT_INUM;
        below.put(root.inum, root);
        addBelow(whole, root, below);
        below.values().forEach(inode -> {
            made.inodes.put(inode.inum, inode);
            made.account(inode, 1);
        });
        return made;
    }

    private static void addBelow(State whole, ModelInode directory, Map<Long, ModelInode> below) {
        for (long inum : directory.entries.values()) {
            ModelInode seen = below.get(inum);
            if (seen != null) {
                seen.nlink++;
                continue;
            }
            ModelInode inode = whole.inodes.get(inum).copy();
            inode.opens = 0;
            below.put(inum, inode);
            if (inode.isDirectory()) {
                inode.parent = directory.inum;
                addBelow(whole, inode, below);
            } else {
                inode.nlink = 1;
            }
        }
    }

    /** Digest of a tree that was seen, to be compared with {@link State#treeDigest}. */
    static long treeDigest(Map<Long, ModelInode> seen) {
        long digest = 0;
        for (ModelInode inode : seen.values()) {
            digest += inode.digest();
        }
        return digest;
    }

    State state() {
        shared = true;
        return state;
    }

    void restore(State earlier) {
        state = earlier;
        shared = true;
    }

    /** Nobody uses anything any more, and what has no name is gone. */
    void afterRemount() {
        for (ModelInode inode : new ArrayList<>(state.inodes.values())) {
            if (inode.nlink == 0) {
                remove(inode);
            } else if (inode.opens > 0) {
                ModelInode changed = inode.copy();
                changed.opens = 0;
                put(changed);
            }
        }
    }

    /** As {@link #afterRemount}, in a state that is known by its digest, which says nothing of times. */
    void afterCrash(State found) {
        restore(found);
        afterRemount();
        for (ModelInode inode : new ArrayList<>(state.inodes.values())) {
            ModelInode changed = inode.copy();
            changed.forgetTimes();
            put(changed);
        }
    }

    /**
     * Does an operation that had an outcome. If that is not {@linkplain Outcome#isOneOf one} of those that are returned, there is
     * no telling what has been done.
     */
    Outcome apply(Operation operation, Outcome outcome) {
        told = outcome;
        try {
            return Outcome.of(operation, this);
        } finally {
            told = null;
        }
    }

    @Override
    public Long lookup(long parent, String name) {
        if (name.equals(".")) {
            // Of what is no directory, too: as a kernel asks for what a file handle is of.
            return inode(parent).inum;
        }
        Reasons reasons = new Reasons().add(name.length() > Limits.NAME_BYTES_MAX, Errno.ENAMETOOLONG);
        ModelInode directory = directory(parent, reasons);
        reasons.refuse();
        return target(directory, name);
    }

    @Override
    public Attributes attributes(long inum) {
        return inode(inum).attributes();
    }

    @Override
    public byte[] read(long inum, long offset, int length) {
        ModelInode file = inode(inum);
        Reasons reasons = new Reasons().add(offset < 0, Errno.EINVAL);
        requireContent(file, reasons);
        reasons.refuse();
        return file.content.read(offset, length);
    }

    @Override
    public byte[] readlink(long inum) {
        ModelInode link = inode(inum);
        refuseIf(link.type != FileType.SYMLINK, Errno.EINVAL);
        return link.content.read(0, Limits.SYMLINK_BYTES_MAX);
    }

    /** What the medium holds as zeros may show as a hole or not. */
    @Override
    public long seekData(long inum, long offset) {
        Content content = file(inum).content;
        refuseIf(offset >= content.size(), Errno.ENXIO);
        long exact = content.nextNonZero(offset);
        if (told == null || told.failed()) {
            refuseIf(exact < 0, Errno.ENXIO);
            return exact;
        }
        long found = (Long) told.value();
        boolean permitted = found >= offset && found < content.size() && (exact < 0 || found <= exact);
        return permitted ? found : exact;
    }

    @Override
    public long seekHole(long inum, long offset) {
        Content content = file(inum).content;
        refuseIf(offset >= content.size(), Errno.ENXIO);
        if (told == null || told.failed()) {
            return content.nextZero(offset);
        }
        long found = (Long) told.value();
        boolean permitted = found == content.size()
                || (found >= offset && found < content.size() && content.read(found, 1)[0] == 0);
        return permitted ? found : content.nextZero(offset);
    }

    @Override
    public List<Entry> list(long inum, int entriesPerCall) {
        List<Entry> entries = new ArrayList<>();
        directory(inum, new Reasons())
                .entries
                .forEach((name, target) -> entries.add(new Entry(name, target, state.inodes.get(target).type)));
        return entries;
    }

    /** Only whether the figures are possible. */
    @Override
    public StatFs statfs() {
        if (told != null && told.value() instanceof StatFs found) {
            boolean possible = found.blocksAvailable() >= 0
                    && found.blocksAvailable() <= found.blocksFree()
                    && found.blocksFree() <= found.blocks();
            return possible ? found : null;
        }
        return new StatFs(1, 0, 0, 0, 0, Limits.NAME_BYTES_MAX, 0);
    }

    @Override
    public void open(long inum) {
        ModelInode changed = inode(inum).copy();
        changed.opens++;
        put(changed);
    }

    @Override
    public void openToWrite(long inum, boolean appends) {
        int uflags = inode(inum).uflags;
        refuseIf((uflags & IMMUTABLE) != 0 || ((uflags & APPEND) != 0 && !appends), Errno.EPERM);
        open(inum);
    }

    @Override
    public void release(long inum) {
        ModelInode changed = inode(inum).copy();
        changed.opens--;
        putOrRemove(changed);
    }

    @Override
    public Attributes create(long parent, String name, NewInode what) {
        Reasons reasons = new Reasons().add(what.type() == FileType.SYMLINK, Errno.EINVAL);
        ModelInode directory = requireNew(parent, name, reasons);
        return add(directory, name, what, Content.EMPTY);
    }

    @Override
    public Attributes createUnnamed(long parent, NewInode what) {
        ModelInode directory = directory(parent, new Reasons());
        ModelInode inode = made(directory, what);
        inode.nlink = 0;
        inode.opens = 1;
        inode.unnamed = true;
        put(inode);
        return inode.attributes();
    }

    @Override
    public Attributes symlink(long parent, String name, byte[] target, NewInode what) {
        Reasons reasons = new Reasons()
                .add(target.length == 0, Errno.EINVAL)
                .add(target.length == 0, Errno.ENOENT)
                .add(target.length > Limits.SYMLINK_BYTES_MAX, Errno.ENAMETOOLONG);
        ModelInode directory = requireNew(parent, name, reasons);
        return add(directory, name, what, Content.of(target));
    }

    @Override
    public Attributes link(long inum, long parent, String name) {
        ModelInode target = state.inodes.get(inum);
        Reasons reasons = new Reasons().add(target == null, Errno.ESTALE);
        if (target != null) {
            reasons.add(target.isDirectory(), Errno.EPERM)
                    // What was unlinked once: some systems let it have names again, and some do not.
                    .add(target.nlink == 0 && !target.unnamed && wasTold(Errno.ENOENT), Errno.ENOENT)
                    .add((target.uflags & (IMMUTABLE | APPEND)) != 0, Errno.EPERM);
        }
        ModelInode directory = requireNew(parent, name, reasons);
        ModelInode changed = target.copy();
        changed.nlink++;
        changed.unnamed = false;
        changed.ctime = ModelInode.UNKNOWN;
        put(changed);
        enter(directory, name, inum);
        return changed.attributes();
    }

    @Override
    public void unlink(long parent, String name) {
        // Of those two it is told also where the directory has gone.
        Reasons reasons = nameReasons(name).add(isDots(name), Errno.EISDIR);
        ModelInode directory = directory(parent, reasons);
        ModelInode target = requireRemovable(directory, name, reasons);
        reasons.add(target != null && target.isDirectory(), Errno.EISDIR).refuse();
        leave(directory, name);
        dropName(target);
    }

    @Override
    public void rmdir(long parent, String name) {
        Reasons reasons = nameReasons(name).add(name.equals(".."), Errno.ENOTEMPTY);
        ModelInode directory = directory(parent, reasons);
        ModelInode target = requireRemovable(directory, name, reasons);
        reasons.add(name.equals("."), Errno.EINVAL)
                .add(target != null && !target.isDirectory(), Errno.ENOTDIR)
                .add(target != null && !target.entries.isEmpty(), Errno.ENOTEMPTY)
                .refuse();
        leave(directory, name);
        dropName(target);
    }

    @Override
    public void rename(long parent, String name, long newParent, String newName, RenameMode mode) {
        Reasons reasons = nameReasons(name).addAll(nameReasons(newName));
        for (long inum : new long[] {parent, newParent}) {
            ModelInode inode = state.inodes.get(inum);
            reasons.add(inode == null, Errno.ESTALE).add(inode != null && !inode.isDirectory(), Errno.ENOTDIR);
        }
        ModelInode source = state.inodes.get(parent);
        reasons.add(source != null && !source.entries.containsKey(name), Errno.ENOENT);
        ModelInode from = directory(parent, reasons);
        ModelInode to = directory(newParent, reasons);
        ModelInode moved = requireRemovable(from, name, reasons);
        // Who looks for what is above a directory that was removed may find that gone, too, or what is renamed.
        reasons.add(to.nlink == 0, Errno.ENOENT)
                .add(to.nlink == 0, Errno.ESTALE)
                .add(to.nlink == 0, Errno.EINVAL)
                .add((to.uflags & IMMUTABLE) != 0, Errno.EPERM);
        ModelInode replaced = at(to, newName);
        if (replaced != null) {
            requireReplaceable(to, replaced, reasons);
        }
        boolean nothing = moved != null && replaced == moved;
        switch (mode) {
            case REPLACE -> requireReplacement(moved, replaced, nothing, reasons);
            case NO_REPLACE -> reasons.add(replaced != null, Errno.EEXIST);
            case EXCHANGE ->
                reasons.add(replaced == null, Errno.ENOENT)
                        .add(replaced != null && isAtOrBelow(from, replaced), Errno.EINVAL);
        }
        reasons.add(moved != null && isAtOrBelow(to, moved), Errno.EINVAL);
        // Two names of one inode: nothing to do, whatever else might be said against it.
        if (nothing && mode != RenameMode.NO_REPLACE && reasons.onlyEperm()) {
            if (wasTold(Errno.EPERM)) {
                reasons.refuse();
            }
            return;
        }
        reasons.refuse();
        if (mode == RenameMode.EXCHANGE) {
            move(moved, replaced, parent, name, newParent, newName);
            return;
        }
        leave(from, name);
        if (replaced != null) {
            leave(state.inodes.get(newParent), newName);
            dropName(replaced);
        }
        enter(state.inodes.get(newParent), newName, moved.inum);
        settle(moved, newParent);
    }

    @Override
    public void setDataPolicy(long inum, int compAlgo, int checkAlgo) {
        // Only what lies on the medium is another.
        ModelInode ignored = inode(inum);
    }

    @Override
    public Attributes setAttributes(long inum, AttributeChange change) {
        ModelInode inode = inode(inum);
        Reasons reasons = new Reasons();
        if (change.hasSize()) {
            requireContent(inode, reasons);
            reasons.add(change.size() < 0, Errno.EINVAL).add(inode.type == FileType.SYMLINK, Errno.EINVAL);
        }
        reasons.add((inode.uflags & (IMMUTABLE | APPEND)) != 0 && !change.hasUflags(), Errno.EPERM)
                .refuse();
        ModelInode changed = inode.copy();
        change(changed, change);
        put(changed);
        return changed.attributes();
    }

    /** Whether it may be written is asked when it is opened. */
    @Override
    public int write(long inum, long offset, byte[] from, int flags) {
        ModelInode inode = inode(inum);
        boolean append = (flags & FileSystem.WRITE_APPEND) != 0;
        long at = append ? inode.content.size() : offset;
        Reasons reasons =
                new Reasons().add(at < 0, Errno.EINVAL).add(at > Limits.FILE_BYTES_MAX - from.length, Errno.EFBIG);
        requireFile(inode, reasons);
        reasons.refuse();
        ModelInode changed = inode.copy();
        changed.content = inode.content.write(at, from, 0, from.length);
        if ((flags & FileSystem.WRITE_KEEP_TIMES) == 0 || from.length == 0) {
            changed.mtime = ModelInode.UNKNOWN;
            changed.ctime = ModelInode.UNKNOWN;
        }
        if ((flags & FileSystem.WRITE_DROP_SETID) != 0 && from.length > 0) {
            dropSetId(changed);
        }
        put(changed);
        return from.length;
    }

    @Override
    public void allocate(long inum, long offset, long length, AllocateMode mode) {
        Reasons reasons = new Reasons()
                .add(offset < 0 || length <= 0, Errno.EINVAL)
                .add(offset > Limits.FILE_BYTES_MAX - length, Errno.EFBIG);
        ModelInode inode = inode(inum, reasons);
        boolean keepsContent = mode == AllocateMode.EXTEND || mode == AllocateMode.KEEP_SIZE;
        reasons.add((inode.uflags & (IMMUTABLE | APPEND)) != 0, Errno.EPERM);
        requireFile(inode, reasons);
        reasons.refuse();
        ModelInode changed = inode.copy();
        if (!keepsContent) {
            changed.content = changed.content.zero(offset, offset + length);
        }
        boolean grows = mode == AllocateMode.EXTEND || mode == AllocateMode.ZERO_RANGE;
        if (grows && offset + length > changed.content.size()) {
            changed.content = changed.content.resize(offset + length);
        }
        changed.mtime = ModelInode.UNKNOWN;
        changed.ctime = ModelInode.UNKNOWN;
        put(changed);
    }

    @Override
    public long copyRange(long from, long fromOffset, long to, long toOffset, long length) {
        Reasons reasons = new Reasons()
                .add(fromOffset < 0 || toOffset < 0 || length < 0, Errno.EINVAL)
                .add(fromOffset > Limits.FILE_BYTES_MAX - length, Errno.EINVAL)
                .add(toOffset > Limits.FILE_BYTES_MAX - length, Errno.EFBIG)
                .add(from == to && Math.abs(fromOffset - toOffset) < length, Errno.EINVAL);
        ModelInode source = state.inodes.get(from);
        ModelInode target = state.inodes.get(to);
        reasons.add(source == null, Errno.ESTALE);
        if (source != null) {
            requireFile(source, reasons);
            if (reasons.isEmpty() && wasTold(0L) && source.content.size() <= fromOffset) {
                // With nothing to copy it need not look where to.
                return 0;
            }
        }
        reasons.add(target == null, Errno.ESTALE);
        if (target != null) {
            requireFile(target, reasons);
            reasons.add((target.uflags & (IMMUTABLE | APPEND)) != 0 && wasTold(Errno.EPERM), Errno.EPERM);
        }
        reasons.refuse();
        long possible = Math.clamp(source.content.size() - fromOffset, 0, length);
        boolean part = told != null && told.value() instanceof Long found && found > 0 && found < possible;
        long copied = part ? (Long) told.value() : possible;
        ModelInode changed = target.copy();
        if (copied > 0) {
            changed.content = target.content.copy(source.content, fromOffset, toOffset, copied);
        }
        changed.mtime = ModelInode.UNKNOWN;
        changed.ctime = ModelInode.UNKNOWN;
        put(changed);
        return copied;
    }

    @Override
    public void fsync(long inum) {}

    @Override
    public void sync() {}

    /** Collects what speaks against an operation. */
    private static final class Reasons {
        private final EnumSet<Errno> errors = EnumSet.noneOf(Errno.class);

        private Reasons add(boolean holds, Errno errno) {
            if (holds) {
                errors.add(errno);
            }
            return this;
        }

        private Reasons addAll(Reasons others) {
            errors.addAll(others.errors);
            return this;
        }

        private boolean isEmpty() {
            return errors.isEmpty();
        }

        private boolean onlyEperm() {
            return errors.isEmpty() || errors.equals(EnumSet.of(Errno.EPERM));
        }

        private void refuse() {
            if (!errors.isEmpty()) {
                throw new Refusal(errors);
            }
        }
    }

    private static void refuseIf(boolean holds, Errno errno) {
        new Reasons().add(holds, errno).refuse();
    }

    private ModelInode inode(long inum) {
        return inode(inum, new Reasons());
    }

    /** @param reasons what else there is against the operation */
    private ModelInode inode(long inum, Reasons reasons) {
        ModelInode inode = state.inodes.get(inum);
        if (inode == null) {
            reasons.add(true, Errno.ESTALE).refuse();
        }
        return inode;
    }

    /** @param reasons what else there is against the operation */
    private ModelInode directory(long inum, Reasons reasons) {
        ModelInode inode = state.inodes.get(inum);
        reasons.add(inode == null, Errno.ESTALE);
        if (inode == null || !inode.isDirectory()) {
            reasons.add(inode != null, Errno.ENOTDIR).refuse();
        }
        return inode;
    }

    private ModelInode file(long inum) {
        ModelInode inode = inode(inum);
        Reasons reasons = new Reasons();
        requireContent(inode, reasons);
        reasons.refuse();
        return inode;
    }

    private static void requireContent(ModelInode inode, Reasons reasons) {
        reasons.add(inode.isDirectory(), Errno.EISDIR).add(!inode.isDirectory() && !inode.type.hasData(), Errno.EINVAL);
    }

    private static void requireFile(ModelInode inode, Reasons reasons) {
        reasons.add(inode.isDirectory(), Errno.EISDIR)
                .add(!inode.isDirectory() && inode.type != FileType.REGULAR, Errno.EINVAL);
    }

    /** What there may be against a name by itself, "." and ".." excepted. */
    private static Reasons nameReasons(String name) {
        return new Reasons()
                .add(name.isEmpty(), Errno.ENOENT)
                .add(name.isEmpty() || name.indexOf('/') >= 0 || name.indexOf('\0') >= 0, Errno.EINVAL)
                .add(isDots(name), Errno.EINVAL)
                .add(name.length() > Limits.NAME_BYTES_MAX, Errno.ENAMETOOLONG);
    }

    /** The directory in which a new name can be made. */
    private ModelInode requireNew(long parent, String name, Reasons reasons) {
        reasons.addAll(nameReasons(name)).add(isDots(name), Errno.EEXIST);
        ModelInode directory = directory(parent, reasons);
        reasons.add(directory.nlink == 0, Errno.ENOENT)
                .add(directory.entries.containsKey(name), Errno.EEXIST)
                .add((directory.uflags & IMMUTABLE) != 0, Errno.EPERM)
                .refuse();
        return directory;
    }

    private boolean wasTold(Object valueOrErrno) {
        return told != null
                && (valueOrErrno instanceof Errno errno ? told.failedWith(errno) : valueOrErrno.equals(told.value()));
    }

    private static boolean isDots(String name) {
        return name.equals(".") || name.equals("..");
    }

    private Long target(ModelInode directory, String name) {
        if (name.equals("..")) {
            // A removed directory that is open does not keep its parent.
            return state.inodes.containsKey(directory.parent) ? Long.valueOf(directory.parent) : null;
        }
        return directory.entries.get(name);
    }

    private ModelInode at(ModelInode directory, String name) {
        Long inum = directory.entries.get(name);
        return inum == null ? null : state.inodes.get(inum);
    }

    /** What the name names, or null after a reason was found. */
    private ModelInode requireRemovable(ModelInode directory, String name, Reasons reasons) {
        ModelInode target = at(directory, name);
        if (target == null) {
            reasons.add(!isDots(name), Errno.ENOENT)
                    .add(isDots(name), Errno.EISDIR)
                    .add(isDots(name), Errno.EBUSY);
        } else {
            requireReplaceable(directory, target, reasons);
        }
        return target;
    }

    private static void requireReplaceable(ModelInode directory, ModelInode target, Reasons reasons) {
        reasons.add(((directory.uflags | target.uflags) & (IMMUTABLE | APPEND)) != 0, Errno.EPERM);
    }

    private void requireReplacement(
            ModelInode movedOrNull, ModelInode replacedOrNull, boolean nothing, Reasons reasons) {
        if (movedOrNull == null || replacedOrNull == null || nothing) {
            return;
        }
        reasons.add(replacedOrNull.isDirectory() && !movedOrNull.isDirectory(), Errno.EISDIR)
                .add(!replacedOrNull.isDirectory() && movedOrNull.isDirectory(), Errno.ENOTDIR)
                .add(!replacedOrNull.entries.isEmpty(), Errno.ENOTEMPTY);
    }

    /** Whether a directory is, or lies below, {@code above}. */
    private boolean isAtOrBelow(ModelInode directory, ModelInode above) {
        ModelInode at = directory;
        while (at.inum != above.inum && at.inum != FileSystem.ROOT_INUM && at.nlink > 0) {
            at = state.inodes.get(at.parent);
        }
        return at.inum == above.inum;
    }

    private void move(ModelInode moved, ModelInode replaced, long parent, String name, long newParent, String newName) {
        leave(state.inodes.get(parent), name);
        leave(state.inodes.get(newParent), newName);
        enter(state.inodes.get(parent), name, replaced.inum);
        enter(state.inodes.get(newParent), newName, moved.inum);
        settle(state.inodes.get(moved.inum), newParent);
        settle(state.inodes.get(replaced.inum), parent);
    }

    /** After its name has moved. */
    private void settle(ModelInode inode, long parent) {
        ModelInode changed = state.inodes.get(inode.inum).copy();
        changed.ctime = ModelInode.UNKNOWN;
        if (changed.isDirectory()) {
            changed.parent = parent;
        }
        put(changed);
    }

    private Attributes add(ModelInode directory, String name, NewInode what, Content content) {
        ModelInode inode = made(directory, what);
        inode.content = content;
        inode.parent = directory.inum;
        put(inode);
        enter(directory, name, inode.inum);
        return inode.attributes();
    }

    private ModelInode made(ModelInode directory, NewInode what) {
        long inum = state.inumNext;
        if (told != null && told.value() instanceof Attributes found && found.inum() >= INUM_FIRST) {
            inum = state.inodes.containsKey(found.inum()) ? inum : found.inum();
        }
        own();
        state.inumNext = Math.max(state.inumNext, inum + 1);
        ModelInode inode = new ModelInode(inum, what);
        if ((directory.mode & SETGID) != 0) {
            inode.gid = directory.gid;
            inode.mode |= what.type() == FileType.DIRECTORY ? SETGID : 0;
        }
        return inode;
    }

    private void enter(ModelInode directory, String name, long inum) {
        ModelInode changed = touched(directory);
        Map<String, Long> entries = changed.entriesCopy();
        entries.put(name, inum);
        changed.entries = entries;
        put(changed);
    }

    private void leave(ModelInode directory, String name) {
        ModelInode changed = touched(directory);
        Map<String, Long> entries = changed.entriesCopy();
        entries.remove(name);
        changed.entries = entries;
        put(changed);
    }

    private static ModelInode touched(ModelInode directory) {
        ModelInode changed = directory.copy();
        changed.mtime = ModelInode.UNKNOWN;
        changed.ctime = ModelInode.UNKNOWN;
        return changed;
    }

    private void dropName(ModelInode target) {
        ModelInode changed = state.inodes.get(target.inum).copy();
        changed.nlink--;
        changed.ctime = ModelInode.UNKNOWN;
        putOrRemove(changed);
    }

    private static void change(ModelInode inode, AttributeChange change) {
        inode.mode = change.hasMode() ? change.mode() & MODE_BITS : inode.mode;
        inode.uid = change.hasUid() ? change.uid() : inode.uid;
        inode.gid = change.hasGid() ? change.gid() : inode.gid;
        inode.uflags = change.hasUflags() ? change.uflags() : inode.uflags;
        if (change.dropsSetId()) {
            dropSetId(inode);
        }
        if (change.hasSize()) {
            inode.content = inode.content.resize(change.size());
            inode.mtime = ModelInode.UNKNOWN;
        }
        inode.atime = change.hasAtime() ? change.atimeMicros() : inode.atime;
        inode.mtime = change.hasMtime() ? change.mtimeMicros() : inode.mtime;
        inode.ctime = change.hasCtime() ? change.ctimeMicros() : ModelInode.UNKNOWN;
    }

    private static void dropSetId(ModelInode inode) {
        inode.mode &= (inode.mode & GROUP_EXECUTE) != 0 ? ~(SETUID | SETGID) : ~SETUID;
    }

    private void putOrRemove(ModelInode inode) {
        if (inode.nlink == 0 && inode.opens == 0) {
            remove(inode);
        } else {
            put(inode);
        }
    }

    private void put(ModelInode inode) {
        own();
        ModelInode old = state.inodes.put(inode.inum, inode);
        if (old != null) {
            state.account(old, -1);
        }
        state.account(inode, 1);
    }

    private void remove(ModelInode inode) {
        own();
        ModelInode old = state.inodes.remove(inode.inum);
        state.account(old, -1);
    }

    /** Before a change: what somebody else has a hold of stays as it is. */
    private void own() {
        if (shared) {
            state = new State(state);
            shared = false;
        }
    }
}
